#include <weft/autograd/op.h>
#include <weft/autograd/ops/dropout.h>
#include <weft/lib/kernels/elementwise/elementwise.h>

namespace weft {

namespace {

Tensor dropped(const Tensor& x, double p, const RandomScope::Draw& draw) {
  const auto value = [p, draw](const Array& of) {
    return kernels::dropout(of, p, draw.key, draw.first_sample);
  };
  const Tensor y =
      make_op("dropout", value(x.value()), {{x, [p, draw](const Tensor& g) { return dropped(g, p, draw); }}});
  return remake_by(y, [value, x = save(x)] { return value(x().value()); });
}

}  // namespace

Tensor dropout(const Tensor& x, double p, std::string_view stream, bool training) {
  if (!(p >= 0 && p < 1)) fail<ValueError>("dropout: the probability ", p, " is not in [0, 1)");
  if (!training || p == 0) return x;
  return dropped(x, p, RandomScope::next("dropout", stream));
}

}  // namespace weft
