// A tokenizer for a model that has more ids than it: what a model of others was rounded up to. The ids behind its own
// stand for nothing.
#pragma once

#include <weft/data/text/tokenizer.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

class PaddedTokenizer : public Tokenizer {
 public:
  /// ValueError when `size` is less than the tokenizer has.
  PaddedTokenizer(std::shared_ptr<const Tokenizer> tokenizer, int64_t size);

  static std::shared_ptr<const Tokenizer> from_state(const StateDict& state);

  const char* kind() const override { return "padded"; }
  int64_t vocab_size() const override { return size_; }
  size_t append_ids(std::string_view text, std::vector<int64_t>& ids) const override {
    return own_->append_ids(text, ids);
  }
  /// Of an id that stands for nothing, nothing.
  std::string decode(int64_t id) const override;
  std::string decode(std::span<const int64_t> ids) const override { return own_->decode(known(ids)); }
  int64_t count_characters(std::span<const int64_t> ids) const override {
    return own_->count_characters(known(ids));
  }
  bool reads_pieces() const override { return own_->reads_pieces(); }
  bool leaves_beginning(int64_t id) const override;
  Encoding encode_with_spans(std::string_view text) const override { return own_->encode_with_spans(text); }
  std::map<std::string, int64_t> special_tokens() const override { return own_->special_tokens(); }
  using Tokenizer::encode_special;
  std::vector<int64_t> encode_special(std::string_view text, const AroundText& around) const override {
    return own_->encode_special(text, around);
  }
  StateDict state_dict() const override;

  const Tokenizer& own() const { return *own_; }

 private:
  std::vector<int64_t> known(std::span<const int64_t> ids) const;

  std::shared_ptr<const Tokenizer> own_;
  int64_t size_;
};

}  // namespace weft
