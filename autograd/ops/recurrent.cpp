#include <weft/autograd/autocast_internal.h>
#include <weft/autograd/op.h>
#include <weft/autograd/ops.h>
#include <weft/autograd/ops/composed.h>
#include <weft/autograd/ops/optional_internal.h>
#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/lib/kernels/fused/recurrent.h>
#include <weft/lib/kernels/products/matmul.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace weft {

namespace composed {

namespace {

/// Whether each sample has a token at t, bool (B, 1).
Array has_token(const std::vector<int64_t>& lengths, int64_t t) {
  Array has({static_cast<int64_t>(lengths.size()), 1}, boolean);
  std::transform(lengths.begin(), lengths.end(), has.mutable_data<bool>(), [t](int64_t n) { return t < n; });
  return has;
}

/// Where a document is read from its first token on at t, bool (B, 1).
Array begins_at(const RecurrenceOptions& options, int64_t t) {
  Array begins({static_cast<int64_t>(options.documents.size()), 1}, boolean);
  std::ranges::transform(options.documents, begins.mutable_data<bool>(),
                         [&](const std::vector<int64_t>& places) {
                           return std::ranges::binary_search(places, options.reverse ? t + 1 : t);
                         });
  return begins;
}

RecurrentState lstm_step(const Tensor& xw, const Tensor& hw, const RecurrentState& before) {
  const std::vector<Tensor> gates = split(xw + hw, before.h.dim(1), 1);
  const Tensor c = sigmoid(gates[1]) * before.c + sigmoid(gates[0]) * tanh(gates[2]);
  return {sigmoid(gates[3]) * tanh(c), c};
}

RecurrentState gru_step(const Tensor& xw, const Tensor& hw, const RecurrentState& before) {
  const int64_t H = before.h.dim(1);
  const std::vector<Tensor> x = split(xw, H, 1), h = split(hw, H, 1);
  const Tensor reset = sigmoid(x[0] + h[0]), update = sigmoid(x[1] + h[1]);
  const Tensor fresh = tanh(x[2] + reset * h[2]);
  return {fresh + update * (before.h - fresh)};
}

}  // namespace

Tensor recurrence(RecurrentCell cell, const Tensor& x, const RecurrentWeights& weights,
                  const RecurrenceOptions& options) {
  const int64_t B = x.dim(0), T = x.dim(1), H = weights.hh.dim(1), G = weights.hh.dim(0);
  const Tensor xw = linear(x, weights.ih, weights.bias_ih);
  RecurrentState state = options.initial;
  std::vector<Tensor> y;
  if (B > 0 && H > 0) y.resize(static_cast<size_t>(T));
  for (int64_t step = 0; step < static_cast<int64_t>(y.size()); ++step) {
    const int64_t t = options.reverse ? T - 1 - step : step;
    if (step > 0 && !options.documents.empty()) {
      Array begins = begins_at(options, t);
      if (!options.lengths.empty()) begins = kernels::logical_and(begins, has_token(options.lengths, t));
      state.h = where(begins, options.initial.h, state.h);
      if (state.c.defined()) state.c = where(begins, options.initial.c, state.c);
    }
    const Tensor at_t = reshape(slice(xw, 1, t, t + 1), {B, G}),
                 hw = linear(state.h, weights.hh, weights.bias_hh);
    RecurrentState after = (cell == RecurrentCell::lstm ? lstm_step : gru_step)(at_t, hw, state);
    Tensor shown = after.h;
    if (!options.lengths.empty()) {
      const Array has = has_token(options.lengths, t);
      shown = masked_fill(after.h, kernels::logical_not(has), 0);
      after.h = where(has, after.h, state.h);
      if (after.c.defined()) after.c = where(has, after.c, state.c);
    }
    y[static_cast<size_t>(t)] = shown;
    state = after;
  }
  // Of nothing at all, however many tokens long, the input's product is as good as the output.
  std::vector<Tensor> parts;
  if (T > 0) parts.push_back(B > 0 && H > 0 ? stack(y, 1) : slice(xw, 2, 0, H));
  parts.push_back(reshape(state.h, {B, 1, H}));
  if (state.c.defined()) parts.push_back(reshape(state.c, {B, 1, H}));
  return cat(parts, 1);
}

}  // namespace composed

namespace {

using kernels::TokenOrder;

/// The inputs, in the order of `Kept::inputs`.
enum Input : size_t { of_x, of_ih, of_hh, of_bias_ih, of_bias_hh, of_h0, of_c0 };

const char* name_of(RecurrentCell cell) { return cell == RecurrentCell::lstm ? "lstm" : "gru"; }

/// What backward needs.
struct Kept {
  RecurrentCell cell;
  RecurrenceOptions options;  // without the state
  std::vector<Saved> inputs;
  kernels::RecurrentForward forward;
  // The rules of one pass share the gradients, which the first that is asked computes.
  std::optional<Tensor> seed;
  kernels::RecurrentGradients found;

  TokenOrder order() const { return {options.lengths, options.reverse, options.documents}; }
  Array input(Input which) const { return detail::value_or_none(inputs[which]()); }

  const kernels::RecurrentGradients& grads(const Tensor& g) {
    if (!seed || seed->state() != g.state()) {
      found = cell == RecurrentCell::lstm
                  ? kernels::lstm_grad(forward, input(of_hh), input(of_h0), input(of_c0), g.value(), order())
                  : kernels::gru_grad(forward, input(of_hh), input(of_h0), g.value(), order());
      seed = g;
    }
    return found;
  }

  /// The same as a graph.
  Tensor composed_grads(const Tensor& g, Input which) const {
    std::vector<Tensor> in;
    for (const Saved& saved : inputs) in.push_back(saved());
    const auto formula = [this](const std::vector<Tensor>& from) {
      RecurrenceOptions all = options;
      all.initial = {from[of_h0], from[of_c0]};
      return composed::recurrence(cell, from[of_x],
                                  {from[of_ih], from[of_hh], from[of_bias_ih], from[of_bias_hh]}, all);
    };
    return composed_grad(formula, in, g)[which];
  }
};

/// A rule that is a graph when one is asked for, and else `fast`.
template <class F>
Rule rule_for(const std::shared_ptr<Kept>& kept, Input which, F fast) {
  return [kept, which, fast](const Tensor& g) {
    return grad_enabled() ? kept->composed_grads(g, which) : fast(kept->grads(g));
  };
}

/// d weight = d product^T factor over all tokens in order, `product` and `factor` picked from the gradients.
template <class Product, class Factor>
OpInput weight_input(const Tensor& weight, const std::shared_ptr<Kept>& kept, Input which, Product product,
                     Factor factor) {
  const auto into = [kept, product, factor](const Tensor& g, Array& total, bool fresh) {
    const kernels::RecurrentGradients& grads = kept->grads(g);
    kernels::accumulate_outer(total, product(grads), factor(grads), fresh);
  };
  const auto rule = rule_for(kept, which, [=, shape = weight.shape()](const auto& grads) {
    Array total(shape, float32);
    kernels::accumulate_outer(total, product(grads), factor(grads), true);
    return Tensor(total);
  });
  return {weight, rule, into};
}

Tensor fused(RecurrentCell cell, const Tensor& x, const RecurrentWeights& weights,
             const RecurrenceOptions& options) {
  using Gradients = kernels::RecurrentGradients;
  const auto& [ih, hh, bias_ih, bias_hh] = weights;
  const auto& [h0, c0] = options.initial;
  const char* const op = name_of(cell);
  const TokenOrder order{options.lengths, options.reverse, options.documents};
  const bool keep = records(x, ih, hh, bias_ih, bias_hh, h0, c0);
  Array xw = kernels::linear(x.value(), ih.value(), detail::value_or_none(bias_ih));
  kernels::RecurrentForward forward =
      cell == RecurrentCell::lstm
          ? kernels::lstm(std::move(xw), hh.value(), detail::value_or_none(bias_hh), h0.value(), c0.value(),
                          order, keep)
          : kernels::gru(std::move(xw), hh.value(), detail::value_or_none(bias_hh), h0.value(), order, keep);
  const Array y = forward.y;
  if (!keep) return make_op(op, y, {});

  const auto kept = std::make_shared<Kept>(Kept{cell, options, {}, std::move(forward), {}, {}});
  kept->options.initial = {};
  for (const Tensor& input : {x, ih, hh, bias_ih, bias_hh, h0, c0}) kept->inputs.push_back(save(input));
  const auto xw_of = [](const Gradients& grads) { return grads.xw; };
  const auto hw_of = [](const Gradients& grads) { return grads.hw; };
  const auto x_rule = rule_for(kept, of_x, [kept = kept.get()](const Gradients& grads) {
    return matmul(Tensor(grads.xw), Tensor(kept->input(of_ih)));
  });
  return make_op(
      op, y,
      {weight_input(ih, kept, of_ih, xw_of,
                    [kept = kept.get()](const Gradients&) { return kept->input(of_x); }),
       weight_input(hh, kept, of_hh, hw_of, [](const Gradients& grads) { return grads.h_before; }),
       {bias_ih, rule_for(kept, of_bias_ih, [](const Gradients& grads) { return Tensor(grads.xw); })},
       {bias_hh, rule_for(kept, of_bias_hh, [](const Gradients& grads) { return Tensor(grads.hw); })},
       {h0, rule_for(kept, of_h0, [](const Gradients& grads) { return Tensor(grads.h0); })},
       {c0, rule_for(kept, of_c0, [](const Gradients& grads) { return Tensor(grads.c0); })},
       {x, x_rule}});
}

void check_shapes(const char* op, int64_t gates, const Tensor& x, const RecurrentWeights& weights,
                  const RecurrenceOptions& options) {
  const auto& [ih, hh, bias_ih, bias_hh] = weights;
  const bool ranks = x.rank() == 3 && ih.rank() == 2 && hh.rank() == 2;
  if (!ranks || hh.dim(0) != gates * hh.dim(1) || ih.dim(0) != hh.dim(0) || ih.dim(1) != x.dim(2))
    fail<ShapeError>(op, ": x is ", x.shape(), ", weight ih ", ih.shape(), ", hh ", hh.shape(),
                     ": needs (B, T, I), (", gates, " H, I) and (", gates, " H, H)");
  for (const Tensor& bias : {bias_ih, bias_hh})
    if (bias.defined() && !(bias.shape() == Shape{hh.dim(0)}))
      fail<ShapeError>(op, ": a bias is ", bias.shape(), ", weight hh ", hh.shape(), ": the bias must be ",
                       Shape{hh.dim(0)});
  const Shape state{x.dim(0), hh.dim(1)};
  for (const Tensor& given : {options.initial.h, options.initial.c})
    if (given.defined() && !(given.shape() == state))
      fail<ShapeError>(op, ": an initial state is ", given.shape(), " for x ", x.shape(), " and weight hh ",
                       hh.shape(), ": it must be ", state);
  if (!options.lengths.empty() && static_cast<int64_t>(options.lengths.size()) != x.dim(0))
    fail<ShapeError>(op, ": ", options.lengths.size(), " lengths for x ", x.shape());
  for (size_t b = 0; b < options.lengths.size(); ++b)
    if (options.lengths[b] < 0 || options.lengths[b] > x.dim(1))
      fail<ValueError>(op, ": the length ", options.lengths[b], " of sample ", b, " is not in [0, ", x.dim(1),
                       "]");
  check_documents(op, options.documents, x.dim(0), x.dim(1));
}

Recurrence run(RecurrentCell cell, const Tensor& given, const RecurrentWeights& weights,
               RecurrenceOptions options) {
  const Autocast in_float(float32);
  const Tensor x = detail::widened(given);
  for (Tensor* const state : {&options.initial.h, &options.initial.c}) *state = detail::widened(*state);
  const bool has_cells = cell == RecurrentCell::lstm;
  check_shapes(name_of(cell), has_cells ? 4 : 3, x, weights, options);
  if (!has_cells && options.initial.c.defined())
    fail<ValueError>("gru: the initial state has cells: a GRU has none");
  const int64_t B = x.dim(0), T = x.dim(1), H = weights.hh.dim(1);
  Tensor &h = options.initial.h, &c = options.initial.c;
  if (!h.defined()) h = zeros({B, H}, x.dtype());
  if (has_cells && !c.defined()) c = zeros({B, H}, x.dtype());
  const auto is_float = [](const Tensor& t) { return !t.defined() || t.dtype() == float32; };
  const bool floats = is_float(x) && is_float(weights.ih) && is_float(weights.hh) &&
                      is_float(weights.bias_ih) && is_float(weights.bias_hh) && is_float(h) && is_float(c);
  const Tensor y = floats && x.size() > 0 && H > 0 ? fused(cell, x, weights, options)
                                                   : composed::recurrence(cell, x, weights, options);
  const auto last = [&](int64_t place) { return reshape(slice(y, 1, place, place + 1), {B, H}); };
  return {slice(y, 1, 0, T), {last(T), has_cells ? last(T + 1) : Tensor()}};
}

}  // namespace

Recurrence lstm(const Tensor& x, const RecurrentWeights& weights, const RecurrenceOptions& options) {
  return run(RecurrentCell::lstm, x, weights, options);
}

Recurrence gru(const Tensor& x, const RecurrentWeights& weights, const RecurrenceOptions& options) {
  return run(RecurrentCell::gru, x, weights, options);
}

}  // namespace weft
