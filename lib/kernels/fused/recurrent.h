// Recurrent cells over all their time, float32: the products with the state step by step, everything between
// them in one pass (isa/recurrent.h). Formulas composed of small operations stand in autograd/ops/recurrent.h;
// tests hold the two together.
//
//   LSTM (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000)
//     (i, f, g, o) = xw_t + h W^T + b;  i, f, o through a sigmoid, g through tanh
//     c' = f c + i g;  h' = o tanh(c')
//   GRU (Cho et al. 2014, with the reset gate behind the product, as in cuDNN and PyTorch)
//     (r, z) = sigmoid(xw_t + h W^T + b);  n = tanh(xw_t + r (h W^T + b));  h' = (1 - z) n + z h
//
// Each row of a batch is computed as if it were alone, and each step from the state before it alone: neither
// the rows beside it nor the cut of its time into calls changes a bit.
#pragma once

#include <weft/lib/array/array.h>

#include <cstdint>
#include <span>
#include <vector>

namespace weft::kernels {

/// Which tokens a row b has: the first lengths[b], or all T where none are given. The state is held over the
/// others, and what they give is 0. In reverse, from the last token to the first.
struct TokenOrder {
  std::span<const int64_t> lengths{};
  bool reverse = false;
  /// Where in each row documents begin (lib/array/documents.h), none: each row is one. Each begins from h0 and c0, and
  /// has the bits that it has alone; what h0 and c0 are told is the sum over them, from the last one read to the first.
  std::span<const std::vector<int64_t>> documents{};
};

struct RecurrentForward {
  Array y;  ///< (B, T + 1, H), LSTM (B, T + 2, H): the state after each token; after all; LSTM: c after all
  Array gates;  ///< of each token, i f g o (B, T, 4 H) or r z n (B, T, 3 H)
  Array inner;  ///< (B, T, H): LSTM: the cells after each token; GRU: the last third of h W^T + b
};
/// xw (B, T, 4 H) or (B, T, 3 H) is x W^T + b of the input, which becomes `gates` where nobody else holds it;
/// weight (4 H, H) or (3 H, H), bias (4 H) or (3 H) or undefined; h0 and c0 (B, H). `inner` only if `keep`.
RecurrentForward lstm(Array xw, const Array& weight, const Array& bias, const Array& h0, const Array& c0,
                      const TokenOrder& order, bool keep);
RecurrentForward gru(Array xw, const Array& weight, const Array& bias, const Array& h0,
                     const TokenOrder& order, bool keep);

struct RecurrentGradients {
  Array xw;        ///< of the input's x W^T + b
  Array hw;        ///< of the state's, (B, T, 4 H) or (B, T, 3 H); the same for an LSTM
  Array h_before;  ///< (B, T, H): the state before each token, what hw is to be multiplied with for weight's
  Array h0, c0;    ///< (B, H)
};
/// From dy, the gradient of y.
RecurrentGradients lstm_grad(const RecurrentForward& forward, const Array& weight, const Array& h0,
                             const Array& c0, const Array& dy, const TokenOrder& order);
RecurrentGradients gru_grad(const RecurrentForward& forward, const Array& weight, const Array& h0,
                            const Array& dy, const TokenOrder& order);

}  // namespace weft::kernels
