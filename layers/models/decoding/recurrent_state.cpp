#include <weft/layers/models/check_ids_internal.h>
#include <weft/layers/models/decoding/recurrent_state.h>

#include <algorithm>
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

namespace {

/// One below the other, with zeros behind the tokens of the shorter one.
Tensor joined_rows(const Tensor& a, const Tensor& b) {
  if (!a.defined()) return a;
  const auto lengthened = [&](const Tensor& x) {
    const int64_t more = a.rank() < 3 ? 0 : std::max(a.dim(1), b.dim(1)) - x.dim(1);
    return more > 0 ? cat({x, zeros(x.shape().with(1, more), x.dtype())}, 1) : x;
  };
  return cat({lengthened(a), lengthened(b)}, 0);
}

/// Of each row.
std::vector<int64_t> lengths_of(const AdditiveAttention::Memory& memory) {
  if (!memory.lengths.empty()) return memory.lengths;
  return std::vector<int64_t>(static_cast<size_t>(memory.states.dim(0)), memory.states.dim(1));
}

}  // namespace

bool RecurrentDecoderState::join(DecoderState& of) {
  auto* const other = dynamic_cast<RecurrentDecoderState*>(&of);
  if (!other || other == this || other->states_.size() != states_.size() ||
      other->memory_.states.defined() != memory_.states.defined() ||
      !(other->states_[0].h.shape().with(0, 0) == states_[0].h.shape().with(0, 0)))
    return false;
  const NoGrad no_grad;
  if (memory_.states.defined()) {
    std::vector<int64_t> lengths = lengths_of(memory_);
    const std::vector<int64_t> more = lengths_of(other->memory_);
    lengths.insert(lengths.end(), more.begin(), more.end());
    memory_ = {joined_rows(memory_.states, other->memory_.states),
               joined_rows(memory_.keys, other->memory_.keys), std::move(lengths)};
  }
  for (size_t i = 0; i < states_.size(); ++i)
    states_[i] = {joined_rows(states_[i].h, other->states_[i].h),
                  joined_rows(states_[i].c, other->states_[i].c)};
  lengths_.insert(lengths_.end(), other->lengths_.begin(), other->lengths_.end());
  other->select({});
  return true;
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
