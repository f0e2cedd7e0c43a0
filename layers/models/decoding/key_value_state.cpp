#include <weft/autograd/ops.h>
#include <weft/layers/models/check_ids_internal.h>
#include <weft/layers/models/decoding/key_value_state.h>

#include <algorithm>

namespace weft {

KeyValueState::KeyValueState(int64_t rows, int64_t layers) : caches(static_cast<size_t>(layers)) {
  if (rows < 0) fail<ValueError>("KeyValueState: ", rows, " rows");
  lengths_.assign(static_cast<size_t>(rows), 0);
}

std::unique_ptr<KeyValueState> KeyValueState::answering(const ModuleList<DecoderBlock>& blocks,
                                                        const Tensor& memory,
                                                        const std::vector<int64_t>& lengths) {
  auto state = std::make_unique<KeyValueState>(memory.dim(0), static_cast<int64_t>(blocks.size()));
  for (const DecoderBlock& block : blocks)
    state->memory.push_back(block.cross_attention.remember(memory, lengths));
  return state;
}

void KeyValueState::select(std::span<const int64_t> rows) {
  std::vector<int64_t> lengths;
  for (const int64_t row : rows) lengths.push_back(length(row));
  for (std::vector<KeyValueCache>* layers : {&caches, &memory})
    for (KeyValueCache& layer : *layers) layer.select(rows);
  lengths_ = std::move(lengths);
}

bool KeyValueState::join(DecoderState& of) {
  auto* const other = dynamic_cast<KeyValueState*>(&of);
  if (!other || other == this || other->caches.size() != caches.size() ||
      other->memory.size() != memory.size())
    return false;
  for (const KeyValueState* const one : {this, other})
    if (std::ranges::count(one->lengths_, 0) > 0) return false;
  for (const auto layers : {&KeyValueState::caches, &KeyValueState::memory})
    for (size_t i = 0; i < (this->*layers).size(); ++i) (this->*layers)[i].join((other->*layers)[i]);
  lengths_.insert(lengths_.end(), other->lengths_.begin(), other->lengths_.end());
  other->select({});
  return true;
}

int64_t KeyValueState::length(int64_t row) const {
  if (row < 0 || row >= rows()) fail<ValueError>("DecoderState: there is no row ", row, " among ", rows());
  return lengths_[static_cast<size_t>(row)];
}

int64_t KeyValueState::longest() const {
  return lengths_.empty() ? 0 : *std::max_element(lengths_.begin(), lengths_.end());
}

bool KeyValueState::same_length() const {
  return lengths_.empty() || std::equal(lengths_.begin() + 1, lengths_.end(), lengths_.begin());
}

namespace {

KeyValueState& state_of(const char* model, DecoderState& state, size_t layers) {
  auto* const own = dynamic_cast<KeyValueState*>(&state);
  if (!own || own->caches.size() != layers)
    fail<ValueError>(model, ": the state is of another model",
                     own ? str(": it has ", own->caches.size(), " layers, not ", layers) : "");
  return *own;
}

}  // namespace

DecodingStep::DecodingStep(const char* model, const Array& ids, std::span<const int64_t> given,
                           DecoderState& of, size_t layers, int64_t context)
    : state(state_of(model, of, layers)), lengths(given), tokens_(ids.rank() == 2 ? ids.dim(1) : 0) {
  check_next(model, ids, lengths, state, context);
}

void DecodingStep::needs_memory(const char* model) const {
  if (state.memory.size() != state.caches.size())
    fail<ValueError>(model, ": the state has read no sequence to answer: start() from one");
}

Tensor DecodingStep::last_tokens(const Tensor& x) const { return weft::last_tokens("decoding", x, lengths); }

int64_t DecodingStep::longest() const {
  int64_t most = 0;
  for (size_t b = 0; b < state.lengths_.size(); ++b)
    most = std::max(most, state.lengths_[b] + (lengths.empty() ? tokens_ : lengths[b]));
  return most;
}

void DecodingStep::finish() const {
  for (size_t b = 0; b < state.lengths_.size(); ++b)
    state.lengths_[b] += lengths.empty() ? tokens_ : lengths[b];
}

}  // namespace weft
