// A tokenizer with ids behind those of another.
#pragma once

#include <weft/data/text/tokenizer.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// Reads and writes text as the other does; what the ids behind stand for, a derived class says.
class WrappedTokenizer : public Tokenizer {
 public:
  int64_t vocab_size() const override { return size_; }
  size_t append_ids(std::string_view text, std::vector<int64_t>& ids) const override {
    return own_->append_ids(text, ids);
  }
  std::string decode(int64_t id) const override;
  std::string decode(std::span<const int64_t> ids) const override;
  int64_t count_characters(std::span<const int64_t> ids) const override;
  bool reads_pieces() const override { return own_->reads_pieces(); }
  size_t safe_cut(std::string_view text) const override { return own_->safe_cut(text); }
  bool leaves_beginning(int64_t id) const override;
  Encoding encode_with_spans(std::string_view text) const override { return own_->encode_with_spans(text); }
  std::map<std::string, int64_t> special_tokens() const override { return own_->special_tokens(); }
  using Tokenizer::encode_special;
  std::vector<int64_t> encode_special(std::string_view text, const AroundText& around) const override {
    return own_->encode_special(text, around);
  }

  const std::shared_ptr<const Tokenizer>& own() const { return own_; }

 protected:
  /// ValueError when `size` is less than the other has.
  WrappedTokenizer(std::shared_ptr<const Tokenizer> own, int64_t size);

 private:
  /// What an id in [own()->vocab_size(), vocab_size()) is written as.
  virtual std::string decode_behind(int64_t id) const = 0;

  std::shared_ptr<const Tokenizer> own_;
  int64_t size_;
};

}  // namespace weft
