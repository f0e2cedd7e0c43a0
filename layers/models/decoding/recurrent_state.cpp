#include <weft/layers/models/check_ids_internal.h>
#include <weft/layers/models/decoding/recurrent_state.h>

#include <utility>

namespace weft {

RecurrentDecoderState::RecurrentDecoderState(RecurrentStates states, AdditiveAttention::Memory memory)
    : states_(std::move(states)),
      memory_(std::move(memory)),
      lengths_(static_cast<size_t>(states_[0].h.dim(0))) {}

void RecurrentDecoderState::select(std::span<const int64_t> rows) {
  const NoGrad no_grad;
  std::vector<int64_t> lengths, of_memory;
  for (const int64_t row : rows) {
    lengths.push_back(length(row));
    if (!memory_.lengths.empty()) of_memory.push_back(memory_.lengths[static_cast<size_t>(row)]);
  }
  const Array ids = Array::from(rows, {static_cast<int64_t>(rows.size())});
  const auto chosen = [&](Tensor& x) {
    if (!x.defined()) return;
    const Tensor flat = reshape(x, {x.dim(0), x.dim(0) > 0 ? x.size() / x.dim(0) : 0});
    x = reshape(embedding(ids, flat), x.shape().with(0, ids.dim(0)));
  };
  for (RecurrentState& state : states_) {
    chosen(state.h);
    chosen(state.c);
  }
  chosen(memory_.states);
  chosen(memory_.keys);
  memory_.lengths = std::move(of_memory);
  lengths_ = std::move(lengths);
}

int64_t RecurrentDecoderState::length(int64_t row) const {
  if (row < 0 || row >= rows()) fail<ValueError>("DecoderState: there is no row ", row, " among ", rows());
  return lengths_[static_cast<size_t>(row)];
}

void RecurrentDecoderState::advance(RecurrentStates states, std::span<const int64_t> lengths, int64_t T) {
  states_ = std::move(states);
  for (size_t b = 0; b < lengths_.size(); ++b) lengths_[b] += lengths.empty() ? T : lengths[b];
}

RecurrentDecoderState& RecurrentDecoderState::of(const std::string& model, DecoderState& state, size_t layers,
                                                 const Array& ids, std::span<const int64_t> lengths) {
  auto* const own = dynamic_cast<RecurrentDecoderState*>(&state);
  if (!own || own->states_.size() != layers) fail<ValueError>(model, ": the state is of another model");
  check_next(model, ids, lengths, *own, INT64_MAX);
  return *own;
}

}  // namespace weft
