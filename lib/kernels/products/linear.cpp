#include <weft/lib/base/error.h>
#include <weft/lib/kernels/movement.h>
#include <weft/lib/kernels/products/factors_internal.h>
#include <weft/lib/kernels/products/matmul.h>
#include <weft/lib/kernels/products/packed_weight.h>
#include <weft/lib/profile/profile.h>

#include <algorithm>
#include <type_traits>

namespace weft::kernels {
namespace {

void add_rows(Array& y, const Array& bias) {
  const int64_t n = bias.size();
  double* const out = y.mutable_data<double>();
  const double* const add = bias.data<double>();
  for (int64_t i = 0; i < y.size(); ++i) out[i] += add[i % n];
}

void check_linear(const Array& x, const Array& weight, const Array& bias) {
  if (x.rank() < 1 || weight.rank() != 2 || x.dim(-1) != weight.dim(1))
    fail<ShapeError>("linear: x (..., I) and weight (O, I) do not fit: x is ", x.shape(), ", weight is ",
                     weight.shape());
  const int64_t outputs = weight.dim(0);
  if (bias.defined() && bias.shape() != Shape{outputs})
    fail<ShapeError>("linear: bias must be ", Shape{outputs}, " for weight ", weight.shape(), ", not ",
                     bias.shape());
  check_types("linear", x, weight);
  if (!bias.defined()) return;
  if (x.dtype() != bfloat16) return check_types("linear", x, bias);
  if (bias.dtype() != float32)
    fail<TypeError>("linear: x is bfloat16, bias ", bias.dtype(), ": bias must be float32");
}

Array result_of_linear(const Array& x, const Array& weight) {
  return Array(x.shape().with(x.rank() - 1, weight.dim(0)), in_pairs(x, weight) ? bfloat16 : x.dtype());
}

/// Of the weight, when y has few rows and it is worth it; else null.
std::shared_ptr<const Buffer> streams_for(const Array& y, const Array& weight) {
  const bool few = y.dtype() == float32 && y.size() > 0 && y.size() <= few_rows * weight.dim(0);
  return few ? packed_weight(weight) : nullptr;
}

FewRowsProduct few_rows_product(Array& y, const Buffer& streams, const Array& bias) {
  return {y.dim(-1), streams, y.mutable_data<float>(), bias.defined() ? bias.data<float>() : nullptr};
}

/// `streams` of the weight, or null.
void linear_into(Array& y, const Array& x, const Array& weight, const Array& bias, const Buffer* streams) {
  if (y.size() == 0) return;
  const int64_t outputs = weight.dim(0), inputs = weight.dim(1), rows = y.size() / outputs;
  if (y.dtype() == bfloat16)
    return gemm_in_pairs(rows, outputs, inputs, narrow_matrix(x, inputs, false),
                         narrow_matrix(weight, inputs, true), y.mutable_data<BFloat16>(), outputs,
                         bias.defined() ? bias.data<float>() : nullptr);
  if (streams) {
    const FewRowsProduct products[] = {few_rows_product(y, *streams, bias)};
    return multiply_few_rows(rows, inputs, x.data<float>(), products);
  }
  visit_floating("linear", x.dtype(), [&]<class T>(T) {
    const MatrixView<T> left{x.data<T>(), inputs, 1}, right{weight.data<T>(), 1, inputs};
    if constexpr (std::is_same_v<T, float>) {
      gemm(rows, outputs, inputs, left, right, y.mutable_data<T>(), outputs, false,
           bias.defined() ? bias.data<T>() : nullptr);
    } else {
      gemm(rows, outputs, inputs, left, right, y.mutable_data<T>(), outputs, false);
      if (bias.defined()) add_rows(y, bias);
    }
  });
}

}  // namespace

Array linear(const Array& x, const Array& weight, const Array& bias) {
  check_linear(x, weight, bias);
  Array y = result_of_linear(x, weight);
  const KernelScope profile("linear", 2 * y.size() * x.dim(-1), x, weight, bias, y);
  linear_into(y, x, weight, bias, streams_for(y, weight).get());
  return y;
}

std::vector<Array> linears(const Array& x, std::span<const LinearWeights> weights) {
  std::vector<Array> results;
  std::vector<std::shared_ptr<const Buffer>> streams;
  for (const auto& [weight, bias] : weights) {
    check_linear(x, weight, bias);
    results.push_back(result_of_linear(x, weight));
    streams.push_back(streams_for(results.back(), weight));
  }
  const KernelScope profile("linear", [&] {
    const auto bytes = [](const Array& a) { return a.size() * static_cast<int64_t>(size_of(a.dtype())); };
    KernelWork work{0, bytes(x), str(x.shape())};
    for (size_t i = 0; i < weights.size(); ++i) {
      work.flop += 2 * results[i].size() * x.dim(-1);
      work.bytes += bytes(weights[i].weight) + bytes(results[i]);
      if (weights[i].bias.defined()) work.bytes += bytes(weights[i].bias);
      work.shapes += str(" ", weights[i].weight.shape());
    }
    return work;
  });
  if (!streams.empty() && std::find(streams.begin(), streams.end(), nullptr) == streams.end()) {
    std::vector<FewRowsProduct> products;
    for (size_t i = 0; i < weights.size(); ++i)
      products.push_back(few_rows_product(results[i], *streams[i], weights[i].bias));
    multiply_few_rows(x.size() / x.dim(-1), x.dim(-1), x.data<float>(), products);
  } else {
    for (size_t i = 0; i < weights.size(); ++i)
      linear_into(results[i], x, weights[i].weight, weights[i].bias, streams[i].get());
  }
  return results;
}

namespace {

/// x (B, ..., C) with a token of zeros behind each sample whose tokens are odd, so that the next begins a pair.
Array in_whole_pairs(const Array& x) {
  const int64_t samples = x.rank() > 1 ? x.dim(0) : 1,
                tokens = x.size() / std::max<int64_t>(1, samples * x.dim(-1));
  if (samples < 2 || tokens % 2 == 0) return x;
  return unslice(x.reshape({samples, tokens, x.dim(-1)}), {samples, tokens + 1, x.dim(-1)}, 1, 0);
}

}  // namespace

void accumulate_outer(Array& into, const Array& dy, const Array& x, bool fresh) {
  const bool ranks = into.rank() == 2 && dy.rank() >= 1 && dy.rank() == x.rank();
  if (!ranks || dy.dim(-1) != into.dim(0) || x.dim(-1) != into.dim(1) ||
      dy.shape().without(-1) != x.shape().without(-1)) {
    fail<ShapeError>("accumulate_outer: into (O, I), dy (..., O) and x (..., I) do not fit: into is ",
                     into.shape(), ", dy is ", dy.shape(), ", x is ", x.shape());
  }
  check_types("accumulate_outer", dy, x);
  const bool pairs = in_pairs(dy, x);
  if (into.dtype() != (pairs ? float32 : x.dtype()))
    fail<TypeError>("accumulate_outer: dy is ", dy.dtype(), ", x ", x.dtype(), ": into must not be ",
                    into.dtype());
  const int64_t outputs = into.dim(0), inputs = into.dim(1);
  const KernelScope profile("accumulate_outer", 2 * dy.size() * inputs, dy, x, into, into);
  if (into.size() == 0) return;
  if (pairs) {
    const Array left = in_whole_pairs(dy), right = in_whole_pairs(x);
    return gemm_in_pairs(outputs, inputs, left.size() / outputs, narrow_matrix(left, outputs, true),
                         narrow_matrix(right, inputs, false), into.mutable_data<float>(), inputs, !fresh);
  }
  visit_floating("accumulate_outer", x.dtype(), [&]<class T>(T) {
    const MatrixView<T> left{dy.data<T>(), 1, outputs}, right{x.data<T>(), inputs, 1};
    const int64_t rows = dy.size() / outputs;
    if constexpr (std::is_same_v<T, float>) {
      gemm(outputs, inputs, rows, left, right, into.mutable_data<T>(), inputs, !fresh, nullptr, false);
    } else {
      gemm(outputs, inputs, rows, left, right, into.mutable_data<T>(), inputs, !fresh);
    }
  });
}

}  // namespace weft::kernels
