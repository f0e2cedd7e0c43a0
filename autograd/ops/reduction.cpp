#include <weft/autograd/autocast_internal.h>
#include <weft/autograd/op.h>
#include <weft/autograd/ops.h>
#include <weft/autograd/ops/reduction.h>
#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/lib/kernels/reduce.h>

#include <cmath>

namespace weft {

namespace {

/// x's shape with the reduced axes at extent 1, and the number of elements that each output gathers.
struct Reduced {
  Shape kept;
  int64_t count = 1;
};

Reduced reduced(const char* op, const Shape& shape, std::span<const int> axes) {
  Reduced result{shape};
  for (const int axis : kernels::normal_axes(op, axes, shape.rank())) {
    result.count *= shape[axis];
    result.kept = result.kept.with(axis, 1);
  }
  return result;
}

}  // namespace

Tensor sum(const Tensor& x, const Axes& axes, bool keepdim) {
  const Reduced to = reduced("sum", x.shape(), axes);
  return make_op(
      "sum", kernels::sum(x.value(), axes, keepdim),
      {{x, [from = x.shape(), to](const Tensor& g) { return expand(reshape(g, to.kept), from); }}});
}

Tensor mean(const Tensor& x, const Axes& axes, bool keepdim) {
  return sum(x, axes, keepdim) / static_cast<double>(reduced("mean", x.shape(), axes).count);
}

Tensor max(const Tensor& given, const Axes& axes, bool keepdim) {
  const Tensor x = detail::widened(given);
  const Reduced to = reduced("max", x.shape(), axes);
  return make_op(
      "max", kernels::max(x.value(), axes, keepdim),
      {{x, [x = save(x), to](const Tensor& g, const Tensor& y) {
          const Array winners =
              kernels::compare(kernels::Compare::eq, x().value(), y.value().reshape(to.kept)).to(g.dtype());
          const Tensor shares = Tensor(winners) / Tensor(kernels::sum_to(winners, to.kept));
          return shares * reshape(g, to.kept);
        }}});
}

Tensor min(const Tensor& x, const Axes& axes, bool keepdim) { return -max(-x, axes, keepdim); }

Tensor logsumexp(const Tensor& given, const Axes& axes, bool keepdim) {
  const Tensor x = detail::widened(given);
  const Array largest = kernels::max(x.value(), axes, false);
  // What is taken away and added again cancels out of the result, gradients included.
  const Array finite =
      kernels::compare(kernels::Compare::lt, kernels::unary(kernels::Unary::abs, largest), INFINITY);
  const Tensor shift(kernels::where(finite, largest, Array::scalar(0, x.dtype()))
                         .reshape(reduced("logsumexp", x.shape(), axes).kept));
  const Tensor y = log(sum(exp(x - shift), axes, true)) + shift;
  return keepdim ? y : reshape(y, largest.shape());
}

Tensor var(const Tensor& given, const Axes& axes, bool keepdim, double correction) {
  const Tensor x = detail::widened(given);
  const double count = static_cast<double>(reduced("var", x.shape(), axes).count);
  return sum(square(x - mean(x, axes, true)), axes, keepdim) / std::max(0.0, count - correction);
}

Tensor sum_to(const Tensor& x, const Shape& shape) {
  return make_op("sum_to", kernels::sum_to(x.value(), shape),
                 {{x, [from = x.shape()](const Tensor& g) { return expand(g, from); }}});
}

Array argmax(const Tensor& x, int axis, bool keepdim) { return kernels::argmax(x.value(), axis, keepdim); }

}  // namespace weft
