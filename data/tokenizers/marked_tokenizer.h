// A tokenizer with named special tokens behind its own ids: marks that a program writes, and no text becomes.
#pragma once

#include <weft/data/text/tokenizer.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

class MarkedTokenizer : public Tokenizer {
 public:
  /// Token names[i] has the id own.vocab_size() + i. ValueError for a name that is empty, stands twice, or is one of the
  /// tokenizer's own special tokens.
  MarkedTokenizer(std::shared_ptr<const Tokenizer> tokenizer, std::vector<std::string> names);

  static std::shared_ptr<const Tokenizer> from_state(const StateDict& state);

  const char* kind() const override { return "marked"; }
  int64_t vocab_size() const override { return own_->vocab_size() + static_cast<int64_t>(names_.size()); }
  size_t append_ids(std::string_view text, std::vector<int64_t>& ids) const override {
    return own_->append_ids(text, ids);
  }
  /// Of a mark, its name.
  std::string decode(int64_t id) const override;
  std::string decode(std::span<const int64_t> ids) const override;
  int64_t count_characters(std::span<const int64_t> ids) const override;
  bool reads_pieces() const override { return own_->reads_pieces(); }
  size_t safe_cut(std::string_view text) const override { return own_->safe_cut(text); }
  bool leaves_beginning(int64_t id) const override;
  Encoding encode_with_spans(std::string_view text) const override { return own_->encode_with_spans(text); }
  std::map<std::string, int64_t> special_tokens() const override;
  StateDict state_dict() const override;

  const Tokenizer& own() const { return *own_; }

 private:
  std::string describe_unknown(std::string_view text, size_t at) const override;

  std::shared_ptr<const Tokenizer> own_;
  std::vector<std::string> names_;
};

/// The one behind the marks; one without marks is itself.
const Tokenizer& unmarked(const Tokenizer& tokenizer);

}  // namespace weft
