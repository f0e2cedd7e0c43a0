#include <weft/autograd/autocast_internal.h>
#include <weft/autograd/int8_internal.h>
#include <weft/autograd/op.h>
#include <weft/autograd/ops.h>
#include <weft/autograd/ops/optional_internal.h>
#include <weft/autograd/ops/product.h>
#include <weft/lib/kernels/products/matmul.h>
#include <weft/lib/kernels/reduce.h>

#include <algorithm>
#include <utility>

namespace weft {

namespace {

/// All axes but the last as one.
Tensor rows_of(const Tensor& x) { return reshape(x, Shape{x.shape().without(-1).size(), x.dim(-1)}); }

/// The gradients of C = op(A) op(B), op transposing where its flag says so, are products again.
Rule rule_for_a(const Tensor& a, const Tensor& b, bool ta, bool tb) {
  return [a = save(a), b = save(b), ta, tb](const Tensor& g) {
    return ta ? matmul(b(), g, tb, true) : matmul(g, b(), false, !tb);
  };
}

Rule rule_for_b(const Tensor& a, bool ta, bool tb) {
  return [a = save(a), ta, tb](const Tensor& g) {
    return tb ? matmul(g, a(), true, ta) : matmul(a(), g, !ta, false);
  };
}

/// linears() by weights of which each is integers.
std::vector<Array> int8_linears(const Tensor& x, std::span<const LinearWeights> weights) {
  std::vector<kernels::Int8LinearWeights> values;
  std::vector<Array> biases;
  for (const LinearWeights& w : weights) {
    if (records(x, w.bias))
      fail<StateError>("linear: x is ", x.shape(),
                       "; beside a weight in int8 nothing has a gradient: use NoGrad");
    biases.push_back(detail::value_or_none(w.bias));
  }
  for (size_t i = 0; i < weights.size(); ++i) values.push_back({*int8_of(weights[i].weight), biases[i]});
  return kernels::linears(x.value(), values);
}

}  // namespace

Tensor matmul(const Tensor& left, const Tensor& right, bool transpose_a, bool transpose_b) {
  const bool one = left.rank() == 2 || right.rank() == 2;  // of several, the sums would be those of float32
  const Tensor a = one ? detail::autocast(left) : left, b = one ? detail::autocast(right) : right;
  if (a.rank() > 2 && b.rank() == 2 && !transpose_a) {
    // One product over all rows: no gradient of b per batch entry.
    const int64_t columns = b.dim(transpose_b ? 0 : 1);
    if (a.dim(-1) != b.dim(transpose_b ? 1 : 0)) {
      fail<ShapeError>("matmul: inner dimensions differ: a is ", a.shape(), ", b is ", b.shape(),
                       transpose_b ? " transposed" : "");
    }
    return reshape(matmul(rows_of(a), b, false, transpose_b), a.shape().with(-1, columns));
  }
  AccumulateRule accumulate;
  if (a.rank() == 2 && b.rank() == 2 && !transpose_a && !transpose_b) {
    accumulate = [a = save(a)](const Tensor& g, Array& into, bool fresh) {
      kernels::accumulate_outer(into, a().value(), g.value(), fresh);
    };
  }
  return make_op("matmul", kernels::matmul(a.value(), b.value(), transpose_a, transpose_b),
                 {{a, rule_for_a(a, b, transpose_a, transpose_b)},
                  {b, rule_for_b(a, transpose_a, transpose_b), accumulate}});
}

Tensor matmul(const Tensor& a, const Tensor& b) {
  if (a.rank() == 0 || b.rank() == 0)
    fail<ShapeError>("matmul: needs at least one axis: a is ", a.shape(), ", b is ", b.shape());
  const int64_t inner_b = b.rank() == 1 ? b.dim(0) : b.dim(-2);
  if (a.dim(-1) != inner_b)
    fail<ShapeError>("matmul: inner dimensions differ: a is ", a.shape(), ", b is ", b.shape());
  if (a.rank() > 1 && b.rank() > 1) return matmul(a, b, false, false);
  const Tensor left = a.rank() == 1 ? reshape(a, {1, a.dim(0)}) : a;
  const Tensor right = b.rank() == 1 ? reshape(b, {b.dim(0), 1}) : b;
  const Tensor y = matmul(left, right, false, false);
  Shape shape = y.shape();
  if (b.rank() == 1) shape = shape.without(-1);
  if (a.rank() == 1) shape = shape.without(b.rank() == 1 ? -1 : -2);
  return reshape(y, shape);
}

Tensor linear(const Tensor& given, const Tensor& weight, const Tensor& bias) {
  const Tensor x = detail::autocast(given);
  if (is_int8(weight)) {
    const LinearWeights by[] = {{weight, bias}};
    return make_op("linear", std::move(int8_linears(x, by)[0]), {});
  }
  if (weight.rank() != 2 || x.rank() < 1 || x.dim(-1) != weight.dim(1)) {
    fail<ShapeError>("linear: x is ", x.shape(), ", weight ", weight.shape(),
                     ": x must end in the weight's second extent");
  }
  if (bias.defined() && !(bias.shape() == Shape{weight.dim(0)})) {
    fail<ShapeError>("linear: bias is ", bias.shape(), ", weight ", weight.shape(), ": bias must be (",
                     weight.dim(0), ",)");
  }
  Array y = kernels::linear(x.value(), weight.value(), detail::value_or_none(bias));
  if (!records(x, weight, bias)) return make_op("linear", std::move(y), {});
  const auto for_x = [w = save(weight)](const Tensor& g) { return matmul(g, w()); };
  const auto for_weight = [x = save(x)](const Tensor& g) {
    return matmul(rows_of(g), rows_of(x()), true, false);
  };
  const auto into_weight = [x = save(x)](const Tensor& g, Array& into, bool fresh) {
    kernels::accumulate_outer(into, g.value(), x().value(), fresh);
  };
  const auto for_bias = [](const Tensor& g) { return g; };
  return make_op("linear", std::move(y), {{x, for_x}, {weight, for_weight, into_weight}, {bias, for_bias}});
}

std::vector<Tensor> linears(const Tensor& given, std::initializer_list<LinearWeights> weights) {
  const Tensor x = detail::autocast(given);
  std::vector<Tensor> results;
  const auto integers =
      std::count_if(weights.begin(), weights.end(), [](const LinearWeights& w) { return is_int8(w.weight); });
  if (integers > 0 && integers == std::ssize(weights)) {
    for (Array& y : int8_linears(x, std::span(weights.begin(), weights.size())))
      results.push_back(make_op("linear", std::move(y), {}));
    return results;
  }
  const bool recorded = std::any_of(weights.begin(), weights.end(),
                                    [&](const LinearWeights& w) { return records(x, w.weight, w.bias); });
  if (recorded || integers > 0) {
    for (const LinearWeights& w : weights) results.push_back(linear(x, w.weight, w.bias));
    return results;
  }
  const Array none;
  std::vector<kernels::LinearWeights> values;
  for (const LinearWeights& w : weights)
    values.push_back({w.weight.value(), w.bias.defined() ? w.bias.value() : none});
  for (Array& y : kernels::linears(x.value(), values)) results.push_back(make_op("linear", std::move(y), {}));
  return results;
}

}  // namespace weft
