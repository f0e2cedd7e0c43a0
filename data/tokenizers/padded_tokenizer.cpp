#include <weft/data/tokenizers/padded_tokenizer.h>
#include <weft/lib/base/error.h>

namespace weft {

PaddedTokenizer::PaddedTokenizer(std::shared_ptr<const Tokenizer> tokenizer, int64_t size)
    : WrappedTokenizer(std::move(tokenizer), size) {}

StateDict PaddedTokenizer::state_dict() const {
  StateDict state;
  state.set("kind", kind());
  state.set("size", vocab_size());
  state.set("own", own()->state_dict());
  return state;
}

std::shared_ptr<const Tokenizer> PaddedTokenizer::from_state(const StateDict& state) {
  const StateDict& own = state.dict("own");
  if (own.text("kind") == "padded") fail<StateError>("tokenizer: is padded twice");
  try {
    return std::make_shared<PaddedTokenizer>(Tokenizer::from_state(own), state.integer("size"));
  } catch (const ValueError& error) {
    fail<StateError>("tokenizer: ", error.what());
  }
}

}  // namespace weft
