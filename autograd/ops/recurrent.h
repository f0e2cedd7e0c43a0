// Recurrent layers: LSTM (Hochreiter and Schmidhuber 1997; forget gate: Gers et al. 2000) and GRU (Cho et al.
// 2014), one layer in one direction, one operation over all its time. Equations, gate order and weights are
// PyTorch's:
//
//   LSTM  (i, f, g, o) = x_t W_ih^T + b_ih + h W_hh^T + b_hh
//         c' = sigmoid(f) c + sigmoid(i) tanh(g);  h' = sigmoid(o) tanh(c')
//   GRU   r = sigmoid(x_t W_ir^T + b_ir + h W_hr^T + b_hr), z likewise
//         n = tanh(x_t W_in^T + b_in + r (h W_hn^T + b_hn));  h' = (1 - z) n + z h
//
// In float32 the product with the input is one over all tokens, and each step is a product with the state and
// one pass over the gates; gradients of the weights are running sums over samples in order.
#pragma once

#include <weft/autograd/tensor.h>
#include <weft/lib/array/documents.h>

#include <cstdint>
#include <vector>

namespace weft {

enum class RecurrentCell { lstm, gru };

struct RecurrentWeights {
  Tensor ih;                  ///< (4 H, I) for an LSTM, gates i f g o; (3 H, I) for a GRU, gates r z n
  Tensor hh;                  ///< (4 H, H) or (3 H, H)
  Tensor bias_ih, bias_hh{};  ///< (4 H) or (3 H); may be undefined
};

/// What is remembered between two tokens.
struct RecurrentState {
  Tensor h{};  ///< (B, H)
  Tensor c{};  ///< (B, H), the cells of an LSTM
};

struct RecurrenceOptions {
  RecurrentState initial{};  ///< undefined: zeros
  /// Sample b has lengths[b] tokens, those after being padding; empty: all of them. Padding changes nothing:
  /// the state is held over it, and y is 0 there.
  std::vector<int64_t> lengths{};
  /// Where in each sample its documents begin: each from the initial state, with the bits that it has alone.
  DocumentBegins documents{};
  bool reverse = false;  ///< from each sample's last token to its first; y stays in the order of x
};

struct Recurrence {
  Tensor y;              ///< (B, T, H): h after each token
  RecurrentState state;  ///< after all of them
};

/// x (B, T, I). ShapeError names what does not fit, ValueError documents that do not (check_documents()).
Recurrence lstm(const Tensor& x, const RecurrentWeights& weights, const RecurrenceOptions& options = {});
Recurrence gru(const Tensor& x, const RecurrentWeights& weights, const RecurrenceOptions& options = {});

}  // namespace weft
