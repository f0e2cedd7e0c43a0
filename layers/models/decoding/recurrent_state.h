// What a recurrent model remembers while it writes: the states of its layers, whatever it has read.
#pragma once

#include <weft/layers/additive_attention.h>
#include <weft/layers/models/model.h>
#include <weft/layers/recurrent.h>

#include <span>
#include <string>
#include <vector>

namespace weft {

class RecurrentDecoderState : public DecoderState {
 public:
  /// The states of all layers, for rows that have read nothing; `memory` is what they attend to, if anything.
  explicit RecurrentDecoderState(RecurrentStates states, AdditiveAttention::Memory memory = {});
  void select(std::span<const int64_t> rows) override;
  bool join(DecoderState& other) override;
  int64_t length(int64_t row) const override;
  int64_t rows() const override { return static_cast<int64_t>(lengths_.size()); }

  const RecurrentStates& states() const { return states_; }
  const AdditiveAttention::Memory& memory() const { return memory_; }
  /// The states after ids of which lengths[b] in row b count (empty: all T of them).
  void advance(RecurrentStates states, std::span<const int64_t> lengths, int64_t T);

  /// The state as one of this kind, for `layers` layers and ids (B, T) of which lengths count. ValueError for
  /// one of another model, ShapeError unless ids and lengths fit its rows and each row reads a token.
  static RecurrentDecoderState& of(const std::string& model, DecoderState& state, size_t layers,
                                   const Array& ids, std::span<const int64_t> lengths);

 private:
  RecurrentStates states_;
  AdditiveAttention::Memory memory_;
  std::vector<int64_t> lengths_;
};

}  // namespace weft
