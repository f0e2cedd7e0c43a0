#include <weft/data/tokenizers/padded_tokenizer.h>
#include <weft/lib/base/error.h>

namespace weft {

PaddedTokenizer::PaddedTokenizer(std::shared_ptr<const Tokenizer> tokenizer, int64_t size)
    : own_(std::move(tokenizer)), size_(size) {
  if (size < own_->vocab_size())
    fail<ValueError>("a tokenizer of ", own_->vocab_size(), " tokens does not fit into ", size, " ids");
}

std::string PaddedTokenizer::decode(int64_t id) const {
  if (id < 0 || id >= size_) fail<ValueError>("decode: id ", id, " is not in [0, ", size_, ")");
  return id < own_->vocab_size() ? own_->decode(id) : "";
}

bool PaddedTokenizer::leaves_beginning(int64_t id) const {
  return id >= own_->vocab_size() || own_->leaves_beginning(id);
}

std::vector<int64_t> PaddedTokenizer::known(std::span<const int64_t> ids) const {
  std::vector<int64_t> all;
  for (const int64_t id : ids) {
    if (id < 0 || id >= size_) fail<ValueError>("decode: id ", id, " is not in [0, ", size_, ")");
    if (id < own_->vocab_size()) all.push_back(id);
  }
  return all;
}

StateDict PaddedTokenizer::state_dict() const {
  StateDict state;
  state.set("kind", kind());
  state.set("size", size_);
  state.set("own", own_->state_dict());
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
