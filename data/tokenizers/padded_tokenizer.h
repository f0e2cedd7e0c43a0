// A tokenizer for a model that has more ids than it: what a model of others was rounded up to. The ids behind its own
// stand for nothing.
#pragma once

#include <weft/data/tokenizers/wrapped_tokenizer.h>

#include <cstdint>
#include <memory>
#include <string>

namespace weft {

class PaddedTokenizer : public WrappedTokenizer {
 public:
  /// ValueError when `size` is less than the tokenizer has.
  PaddedTokenizer(std::shared_ptr<const Tokenizer> tokenizer, int64_t size);

  static std::shared_ptr<const Tokenizer> from_state(const StateDict& state);

  const char* kind() const override { return "padded"; }
  StateDict state_dict() const override;

 private:
  std::string decode_behind(int64_t) const override { return ""; }
};

}  // namespace weft
