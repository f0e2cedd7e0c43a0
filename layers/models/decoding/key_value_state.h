// What a transformer remembers while it writes: the keys and values of its layers.
#pragma once

#include <weft/autograd/ops/attention.h>
#include <weft/layers/containers.h>
#include <weft/layers/models/model.h>
#include <weft/layers/transformer.h>

#include <span>
#include <vector>

namespace weft {

class KeyValueState : public DecoderState {
 public:
  /// `rows` rows that have read nothing, for `layers` layers. ValueError for a negative number of rows.
  KeyValueState(int64_t rows, int64_t layers);
  void select(std::span<const int64_t> rows) override;
  /// Not with rows that have read nothing.
  bool join(DecoderState& other) override;
  int64_t length(int64_t row) const override;
  int64_t rows() const override { return static_cast<int64_t>(lengths_.size()); }

  /// Of rows that have read nothing but `memory` (B, S, C), of which lengths[b] tokens count (empty: all).
  static std::unique_ptr<KeyValueState> answering(const ModuleList<DecoderBlock>& blocks,
                                                  const Tensor& memory, const std::vector<int64_t>& lengths);

  /// Tokens that each row has read, which is where the next one stands.
  const std::vector<int64_t>& lengths() const { return lengths_; }
  /// Tokens that the longest row has read.
  int64_t longest() const;
  /// Whether all rows have read as many.
  bool same_length() const;

  /// One a layer: of the tokens read so far, and of an encoder's output (empty without one).
  std::vector<KeyValueCache> caches, memory;

 private:
  friend class DecodingStep;
  std::vector<int64_t> lengths_;
};

/// One call of GenerativeModel::next on such a state:
///   const DecodingStep step("GPT", ids, lengths, state, blocks.size(), context());
///   ... step.state, step.lengths ...
///   x = step.last_tokens(x);
class DecodingStep {
 public:
  /// ShapeError unless ids are (B, T) for the state's rows, the lengths B numbers from 1 to T or none at all,
  /// and no row goes beyond the context; ValueError for a state of another model. `model` names it.
  DecodingStep(const char* model, const Array& ids, std::span<const int64_t> lengths, DecoderState& state,
               size_t layers, int64_t context);
  /// The last token that counts of each row: x (B, T, C) -> (B, C).
  Tensor last_tokens(const Tensor& x) const;
  /// Tokens that the longest row will have read after this step.
  int64_t longest() const;
  /// ValueError, naming the model, when the state has no encoder's output to look at.
  void needs_memory(const char* model) const;
  /// To be called when all layers have read: the rows are as much longer from now on.
  void finish() const;

  KeyValueState& state;
  const std::span<const int64_t> lengths;  ///< tokens of each row, empty when all count

 private:
  const int64_t tokens_;
};

}  // namespace weft
