#include <weft/autograd/op.h>
#include <weft/autograd/ops/indexing.h>
#include <weft/lib/kernels/movement.h>

namespace weft {

namespace {

/// Zeros of `shape` with the rows of x added at `ids`.
Tensor embedding_grad(const Tensor& x, const Array& ids, const Shape& shape) {
  Array y = Array::zeros(shape, x.dtype() == bfloat16 ? float32 : x.dtype());
  kernels::add_rows(y, ids, x.value());
  return make_op("embedding_grad", std::move(y), {{x, [ids](const Tensor& g) { return embedding(ids, g); }}});
}

}  // namespace

Tensor embedding(const Array& ids, const Tensor& weight) {
  return make_op("embedding", kernels::take_rows(weight.value(), ids),
                 {{weight,
                   [ids, shape = weight.shape()](const Tensor& g) { return embedding_grad(g, ids, shape); },
                   {},
                   ids}});
}

Tensor gather(const Tensor& x, int axis, const Array& index) {
  return make_op(
      "gather", kernels::gather(x.value(), axis, index),
      {{x, [from = x.shape(), axis, index](const Tensor& g) { return scatter_add(g, from, axis, index); }}});
}

Tensor scatter_add(const Tensor& x, const Shape& shape, int axis, const Array& index) {
  return make_op("scatter_add", kernels::scatter_add(x.value(), shape, axis, index),
                 {{x, [axis, index](const Tensor& g) { return gather(g, axis, index); }}});
}

}  // namespace weft
