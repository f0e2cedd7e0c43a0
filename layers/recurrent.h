// LSTM and GRU of several layers, in one direction or both: torch.nn.LSTM and torch.nn.GRU with batch_first,
// parameter by parameter. The equations stand in autograd/recurrent.h.
#pragma once

#include <weft/autograd/ops.h>
#include <weft/layers/layer.h>

#include <cstdint>
#include <vector>

namespace weft {

struct RecurrentOptions {
  int64_t layers = 1;
  bool bias = true;
  double dropout = 0.0;        ///< of what one layer gives to the next, in training
  bool bidirectional = false;  ///< each layer reads forwards and backwards; y is both side by side
};

/// The states of all layers and directions: layer k is entry k, or 2 k forwards and 2 k + 1 backwards.
using RecurrentStates = std::vector<RecurrentState>;

struct RecurrentOutput {
  Tensor y;                ///< (B, T, H), of both directions (B, T, 2 H)
  RecurrentStates states;  ///< after the last token; backwards, after the first
};

/// Parameters of layer k: weight_ih_lk (G H, I), weight_hh_lk (G H, H), bias_ih_lk and bias_hh_lk (G H), G
/// being 4 for an LSTM and 3 for a GRU; backwards the same with _reverse. First values: uniform within
/// 1 / sqrt(H).
class Recurrent : public Layer<Recurrent> {
 public:
  /// ValueError unless inputs, width (H) and layers are at least 1, and 0 <= dropout < 1.
  Recurrent(RecurrentCell cell, int64_t inputs, int64_t width, const RecurrentOptions& options = {});

  /// x (B, T, I), of which lengths[b] tokens of sample b count (empty: all); `initial` empty: zeros. Padding
  /// changes nothing: states are held over it, and y is 0 there. DocumentBegins (lib/array/documents.h) begin from the
  /// initial states each.
  RecurrentOutput forward(const Tensor& x, const std::vector<int64_t>& lengths = {},
                          const RecurrentStates& initial = {}, const DocumentBegins& documents = {}) const;
  /// Zeros for B samples.
  RecurrentStates zero_states(int64_t B) const;

  const RecurrentCell cell;
  const int64_t width;
  const RecurrentOptions options;
  std::vector<RecurrentWeights> weights;  ///< in the order of RecurrentStates

 private:
  int64_t directions() const { return options.bidirectional ? 2 : 1; }
};

struct LSTM : Recurrent {
  LSTM(int64_t inputs, int64_t units, const RecurrentOptions& given = {})
      : Recurrent(RecurrentCell::lstm, inputs, units, given) {}
};

struct GRU : Recurrent {
  GRU(int64_t inputs, int64_t units, const RecurrentOptions& given = {})
      : Recurrent(RecurrentCell::gru, inputs, units, given) {}
};

}  // namespace weft
