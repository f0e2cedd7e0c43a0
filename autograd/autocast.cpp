#include <weft/autograd/autocast_internal.h>
#include <weft/autograd/op.h>

#include <utility>

namespace weft {

namespace {
thread_local DType current = float32;
}

Autocast::Autocast(DType dtype) : before_(current) {
  if (!is_single(dtype)) fail<TypeError>("Autocast: needs bfloat16 or float32, not ", dtype);
  current = dtype;
}
Autocast::~Autocast() { current = before_; }

DType autocast_dtype() { return current; }

Tensor to(const Tensor& x, DType dtype) {
  if (x.dtype() == dtype) return x;
  if (!is_floating(dtype)) return Tensor(x.value().to(dtype));
  return make_op("to", x.value().to(dtype),
                 {{x, [from = x.dtype()](const Tensor& g) { return to(g, from); }}});
}

Tensor detail::autocast(const Tensor& x) {
  return x.defined() && x.dtype() == float32 && current == bfloat16 ? to(x, bfloat16) : x;
}

Tensor detail::widened(const Tensor& x) { return x.defined() && x.dtype() == bfloat16 ? to(x, float32) : x; }

}  // namespace weft
