#include <weft/lib/array/documents.h>
#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/checks.h>
#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/lib/kernels/fused/recurrent.h>
#include <weft/lib/kernels/products/matmul.h>
#include <weft/lib/kernels/strides.h>
#include <weft/lib/kernels/tiles.h>
#include <weft/lib/machine/memory.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/profile/profile.h>

#include <algorithm>
#include <optional>

namespace weft::kernels {

namespace {

/// The product of one step, x (m, k) times a matrix that is the same in all steps and is packed once.
class StepProduct {
 public:
  StepProduct(int64_t m, int64_t n, int64_t k, isa::Operand b)
      : m_(m),
        n_(n),
        k_(k),
        height_(std::max<int64_t>(1, up(m, std::max<int64_t>(1, up(m, functions_.rows))))) {
    const int64_t width = functions_.columns;
    panels_ = floats(round_up(n, width) * k);
    rows_ = floats(round_up(m, height_) / height_ * k * functions_.stride);
    float* const to = data(panels_);
    parallel_for(n, width * tile_of_items(k * width), [&](int64_t begin, int64_t end) {
      functions_.pack_b(k, end - begin, {b.data + begin * b.column, b.row, b.column}, to + begin * k);
    });
  }

  /// y (m, n) = [y +] x B [+ bias]; rows of x lie x_row apart.
  void run(const float* x, int64_t x_row, float* y, bool accumulate, const float* bias) const {
    float* const a = data(rows_);
    const int64_t panels = std::max<int64_t>(1, large / (height_ * k_ + 1));
    parallel_for(m_, height_ * panels, [&](int64_t begin, int64_t end) {
      functions_.pack_a(end - begin, k_, height_, {x + begin * x_row, x_row, 1},
                        a + begin / height_ * k_ * functions_.stride);
    });
    const int64_t width = functions_.columns, tile = width * up(tile_work / 4, m_ * k_ * width);
    parallel_for(n_, tile, [&](int64_t begin, int64_t end) {
      const float* const b = data(panels_) + begin * k_;
      functions_.multiply_block({.m = m_,
                                 .n = end - begin,
                                 .k = k_,
                                 .height = height_,
                                 .a_panels = a,
                                 .a = {},
                                 .b_panels = b,
                                 .c = y + begin,
                                 .c_row = n_,
                                 .turned = false,
                                 .accumulate = accumulate,
                                 .bias = bias ? bias + begin : nullptr,
                                 .tiles_far = false,
                                 .panels_far = false,
                                 .next = {}});
    });
  }

 private:
  static std::shared_ptr<Buffer> floats(int64_t count) {
    return allocate(static_cast<size_t>(count) * sizeof(float));
  }
  static float* data(const std::shared_ptr<Buffer>& buffer) { return static_cast<float*>(buffer->data); }

  static constexpr int64_t large = int64_t{1} << 16;  ///< floats worth a thread of their own to pack
  const isa::GemmFunctions& functions_ = isa::table().gemm;
  int64_t m_, n_, k_, height_;
  std::shared_ptr<Buffer> panels_, rows_;
};

/// The extents of a recurrence over xw (B, T, gates H), and which tokens it reads when.
struct Time {
  int64_t B, T, H, gates, states;
  const TokenOrder& order;
  std::vector<char>
      begins;  ///< (B, T): whether a document's first token in the order of reading stands there

  int64_t token(int64_t step) const { return order.reverse ? T - 1 - step : step; }
  bool has(int64_t b, int64_t t) const {
    return order.lengths.empty() || t < order.lengths[static_cast<size_t>(b)];
  }
  bool starts(int64_t b, int64_t t) const { return begins[static_cast<size_t>(b * T + t)] != 0; }
  void find_begins() {
    begins.assign(static_cast<size_t>(B * T), 0);
    for (int64_t b = 0; b < B; ++b) {
      const int64_t length = order.lengths.empty() ? T : order.lengths[static_cast<size_t>(b)];
      const auto begin = [&](int64_t t) {
        if (t >= 0 && t < length) begins[static_cast<size_t>(b * T + t)] = 1;
      };
      begin(order.reverse ? length - 1 : 0);
      if (order.documents.empty()) continue;
      for (const int64_t t : order.documents[static_cast<size_t>(b)]) begin(order.reverse ? t - 1 : t);
    }
  }
  /// Row of y (B, T + states, H), of `gates` and of `inner`.
  int64_t y(int64_t b, int64_t t) const { return (b * (T + states) + t) * H; }
  int64_t gate(int64_t b, int64_t t) const { return (b * T + t) * gates * H; }
  int64_t inner(int64_t b, int64_t t) const { return (b * T + t) * H; }
  /// What the step at t began from: the row of token before it, or that of the first state.
  const float* before(int64_t b, int64_t t, const float* rows, int64_t row_of_token,
                      const float* first) const {
    if (starts(b, t)) return first + b * H;
    return rows + (order.reverse ? H : -H) + row_of_token;
  }
  template <class F>
  void for_rows(F f) const {
    parallel_for(B, tile_of_items(8 * gates * H), [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; ++b) f(b);
    });
  }
};

Time time_of(const char* op, const Array& xw, const Array& weight, const Array& bias, const Array& h0,
             int64_t gates, int64_t states, const TokenOrder& order) {
  check_float(op, "xw", xw);
  check_same_type(op, "xw", xw, "weight", weight);
  check_same_type(op, "xw", xw, "h0", h0);
  if (bias.defined()) check_same_type(op, "xw", xw, "bias", bias);
  const bool ranks = xw.rank() == 3 && weight.rank() == 2 && h0.rank() == 2;
  const int64_t H = ranks ? weight.dim(1) : 0;
  if (!ranks || xw.dim(2) != gates * H || weight.dim(0) != gates * H || h0.shape() != Shape{xw.dim(0), H} ||
      (bias.defined() && bias.shape() != Shape{gates * H}))
    fail<ShapeError>(op, ": xw is ", xw.shape(), ", weight ", weight.shape(), ", h0 ", h0.shape(),
                     bias.defined() ? str(", bias ", bias.shape()) : "", ": needs (B, T, ", gates, " H), (",
                     gates, " H, H), (B, H) and (", gates, " H)");
  Time time{xw.dim(0), xw.dim(1), H, gates, states, order, {}};
  if (!order.lengths.empty() && static_cast<int64_t>(order.lengths.size()) != time.B)
    fail<ShapeError>(op, ": ", order.lengths.size(), " lengths for ", time.B, " samples");
  for (const int64_t length : order.lengths)
    if (length < 0 || length > time.T)
      fail<ValueError>(op, ": a length of ", length, " among ", time.T, " tokens");
  check_documents(op, {order.documents.begin(), order.documents.end()}, time.B, time.T);
  time.find_begins();
  return time;
}

KernelWork work_of(const Time& time, int products) {
  const int64_t flop = 2 * products * time.B * time.T * time.gates * time.H * time.H;
  return {flop, static_cast<int64_t>(sizeof(float)) * time.B * time.T * time.H * (2 * time.gates + 2),
          str("(", time.B, ", ", time.T, ", ", time.H, ")")};
}

/// A state (B, H) and what it is at the beginning of each document.
struct State {
  float* now;
  const float* first;
};

/// Runs cell(b, t, hw) for all tokens in order, where hw (gates H) is h W^T + bias of the row; h (B, H) is
/// the state, which the cell changes; c that of an LSTM's cells, if any.
template <class Cell>
void run_forward(const Time& time, const Array& weight, const Array& bias, Array& h, const Array& h0, State c,
                 float* y, Cell cell) {
  const auto& [B, T, H, gates, states, order, begins] = time;
  // Few steps do not repay packing; those of decoding find the weight packed (kernels/products/packed_weight.h).
  std::optional<StepProduct> product;
  if (T >= 4) product.emplace(B, gates * H, H, isa::Operand{weight.data<float>(), 1, H});
  Array by_h({B, gates * H}, float32);
  for (int64_t step = 0; step < T; ++step) {
    const int64_t t = time.token(step);
    if (!order.documents.empty()) {
      float* const own = h.mutable_data<float>();
      time.for_rows([&, H = H](int64_t b) {
        if (!time.starts(b, t)) return;
        std::copy_n(h0.data<float>() + b * H, H, own + b * H);
        if (c.now) std::copy_n(c.first + b * H, H, c.now + b * H);
      });
    }
    if (product) {
      product->run(h.data<float>(), H, by_h.mutable_data<float>(), false,
                   bias.defined() ? bias.data<float>() : nullptr);
    } else {
      by_h = linear(h, weight, bias);
    }
    const float* const hw = by_h.data<float>();
    float* const state = h.mutable_data<float>();
    time.for_rows([&, H = H, width = gates * H](int64_t b) {
      if (time.has(b, t)) {
        cell(b, t, hw + b * width);
        std::copy_n(state + b * H, H, y + time.y(b, t));
      } else {
        std::fill_n(y + time.y(b, t), H, 0.0f);
      }
    });
  }
  const float* const last = h.data<float>();
  time.for_rows([&, H = H, T = T](int64_t b) { std::copy_n(last + b * H, H, y + time.y(b, T)); });
}

/// Runs cell(b, t) for all tokens in reverse order. dh (B, H) holds the gradient of the state after the
/// token, and the cell leaves there what reaches the state before it other than through hw; dc (B, H) that of an
/// LSTM's cells, or null. At the end they are the gradients of the first states.
template <class Cell>
void run_backward(const Time& time, const Array& weight, const float* dy, const float* dhw, Array& d_state,
                  Array* d_cells, Cell cell) {
  const auto& [B, T, H, gates, states, order, begins] = time;
  float* const dh = d_state.mutable_data<float>();
  const bool many = !order.documents.empty();
  Array sums[2];  // over the documents that are done
  for (Array& sum : sums)
    if (many) sum = Array::zeros({B, H}, float32);
  const auto set_aside = [&, H = H](Array& sum, float* grad, int64_t b) {
    float* const to = sum.mutable_data<float>() + b * H;
    for (int64_t k = 0; k < H; ++k) to[k] += grad[b * H + k];
    std::fill_n(grad + b * H, H, 0.0f);
  };
  const StepProduct product(B, H, gates * H, isa::Operand{weight.data<float>(), H, 1});
  time.for_rows([&, H = H, T = T](int64_t b) { std::copy_n(dy + time.y(b, T), H, dh + b * H); });
  for (int64_t step = T - 1; step >= 0; --step) {
    const int64_t t = time.token(step);
    time.for_rows([&, H = H](int64_t b) {
      if (!time.has(b, t)) return;
      const float* const more = dy + time.y(b, t);
      for (int64_t k = 0; k < H; ++k) dh[b * H + k] += more[k];
      cell(b, t);
    });
    product.run(dhw + t * gates * H, T * gates * H, dh, true, nullptr);
    if (!many) continue;
    for (int64_t b = 0; b < B; ++b) {
      if (!time.starts(b, t)) continue;
      set_aside(sums[0], dh, b);
      if (d_cells) set_aside(sums[1], d_cells->mutable_data<float>(), b);
    }
  }
  if (!many) return;
  add_into(d_state, sums[0]);
  if (d_cells) add_into(*d_cells, sums[1]);
}

/// The state before each token; 0 where there is none.
Array states_before(const Time& time, const Array& y, const Array& h0) {
  Array before({time.B, time.T, time.H}, float32);
  float* const to = before.mutable_data<float>();
  const float *const states = y.data<float>(), *const first = h0.data<float>();
  time.for_rows([&](int64_t b) {
    for (int64_t t = 0; t < time.T; ++t) {
      float* const row = to + time.inner(b, t);
      if (time.has(b, t)) {
        std::copy_n(time.before(b, t, states, time.y(b, t), first), time.H, row);
      } else {
        std::fill_n(row, time.H, 0.0f);
      }
    }
  });
  return before;
}

Array own(Array x) { return x.unique() ? std::move(x) : x.copy(); }

}  // namespace

RecurrentForward lstm(Array xw, const Array& weight, const Array& bias, const Array& h0, const Array& c0,
                      const TokenOrder& order, bool keep) {
  const Time time = time_of("lstm", xw, weight, bias, h0, 4, 2, order);
  check_same("lstm", "h0", h0, "c0", c0);
  const KernelScope profile("lstm", [&] { return work_of(time, 1); });
  const auto& [B, T, H, n_gates, n_states, n_order, n_begins] = time;
  RecurrentForward made{Array({B, T + 2, H}, float32), own(std::move(xw)), {}};
  if (keep) made.inner = Array({B, T, H}, float32);
  Array h = h0.copy(), c = c0.copy();
  float *const y = made.y.mutable_data<float>(), *const gates = made.gates.mutable_data<float>();
  float* const cells = keep ? made.inner.mutable_data<float>() : nullptr;
  float *const state = h.mutable_data<float>(), *const cell = c.mutable_data<float>();
  const auto step = isa::table().recurrent.lstm;
  run_forward(time, weight, bias, h, h0, {cell, c0.data<float>()}, y,
              [&, H = H](int64_t b, int64_t t, const float* hw) {
                step(H, gates + time.gate(b, t), hw, cell + b * H, state + b * H);
                if (cells) std::copy_n(cell + b * H, H, cells + time.inner(b, t));
              });
  time.for_rows([&, H = H, T = T](int64_t b) { std::copy_n(cell + b * H, H, y + time.y(b, T + 1)); });
  return made;
}

RecurrentForward gru(Array xw, const Array& weight, const Array& bias, const Array& h0,
                     const TokenOrder& order, bool keep) {
  const Time time = time_of("gru", xw, weight, bias, h0, 3, 1, order);
  const KernelScope profile("gru", [&] { return work_of(time, 1); });
  const auto& [B, T, H, n_gates, n_states, n_order, n_begins] = time;
  RecurrentForward made{Array({B, T + 1, H}, float32), own(std::move(xw)), {}};
  if (keep) made.inner = Array({B, T, H}, float32);
  Array h = h0.copy();
  float *const y = made.y.mutable_data<float>(), *const gates = made.gates.mutable_data<float>();
  float* const products = keep ? made.inner.mutable_data<float>() : nullptr;
  float* const state = h.mutable_data<float>();
  const auto step = isa::table().recurrent.gru;
  run_forward(time, weight, bias, h, h0, {}, y, [&, H = H](int64_t b, int64_t t, const float* hw) {
    step(H, gates + time.gate(b, t), hw, state + b * H);
    if (products) std::copy_n(hw + 2 * H, H, products + time.inner(b, t));
  });
  return made;
}

RecurrentGradients lstm_grad(const RecurrentForward& forward, const Array& weight, const Array& h0,
                             const Array& c0, const Array& dy, const TokenOrder& order) {
  const Time time = time_of("lstm_grad", forward.gates, weight, {}, h0, 4, 2, order);
  check_same("lstm_grad", "h0", h0, "c0", c0);
  check_same("lstm_grad", "y", forward.y, "dy", dy);
  const KernelScope profile("lstm_grad", [&] { return work_of(time, 1); });
  const auto& [B, T, H, n_gates, n_states, n_order, n_begins] = time;
  Array dgates = Array::zeros(forward.gates.shape(), float32), dh({B, H}, float32), dc({B, H}, float32);
  const float *const gates = forward.gates.data<float>(), *const cells = forward.inner.data<float>();
  const float *const first = c0.data<float>(), *const from = dy.data<float>();
  float *const to = dgates.mutable_data<float>(), *const d_state = dh.mutable_data<float>(),
               *const d_cell = dc.mutable_data<float>();
  time.for_rows([&, H = H, T = T](int64_t b) { std::copy_n(from + time.y(b, T + 1), H, d_cell + b * H); });
  const auto step = isa::table().recurrent.lstm_grad;
  run_backward(time, weight, from, to, dh, &dc, [&, H = H](int64_t b, int64_t t) {
    const int64_t at = time.inner(b, t), gate = time.gate(b, t);
    step(H, gates + gate, time.before(b, t, cells, at, first), cells + at, d_state + b * H, d_cell + b * H,
         to + gate);
    std::fill_n(d_state + b * H, H, 0.0f);
  });
  return {dgates, dgates, states_before(time, forward.y, h0), dh, dc};
}

RecurrentGradients gru_grad(const RecurrentForward& forward, const Array& weight, const Array& h0,
                            const Array& dy, const TokenOrder& order) {
  const Time time = time_of("gru_grad", forward.gates, weight, {}, h0, 3, 1, order);
  check_same("gru_grad", "y", forward.y, "dy", dy);
  const KernelScope profile("gru_grad", [&] { return work_of(time, 1); });
  const auto& [B, T, H, n_gates, n_states, n_order, n_begins] = time;
  Array dgates = Array::zeros(forward.gates.shape(), float32),
        dhw = Array::zeros(forward.gates.shape(), float32);
  Array dh({B, H}, float32);
  const float *const gates = forward.gates.data<float>(), *const products = forward.inner.data<float>();
  const float *const states = forward.y.data<float>(), *const first = h0.data<float>();
  float *const to = dgates.mutable_data<float>(), *const to_h = dhw.mutable_data<float>(),
               *const d_state = dh.mutable_data<float>();
  const auto step = isa::table().recurrent.gru_grad;
  run_backward(time, weight, dy.data<float>(), to_h, dh, nullptr, [&, H = H](int64_t b, int64_t t) {
    const int64_t gate = time.gate(b, t);
    step(H, gates + gate, products + time.inner(b, t), time.before(b, t, states, time.y(b, t), first),
         d_state + b * H, to + gate, to_h + gate);
  });
  return {dgates, dhw, states_before(time, forward.y, h0), dh, {}};
}

}  // namespace weft::kernels
