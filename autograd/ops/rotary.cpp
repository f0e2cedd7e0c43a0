#include <weft/autograd/op.h>
#include <weft/autograd/ops/rotary.h>

#include <algorithm>

namespace weft {

namespace {

/// The gradient of a rotation is the rotation back.
Tensor turned(const Tensor& x, const Array& table, bool inverse, const Array& places = {}) {
  return make_op("rotary", kernels::rotary(x.value(), table, inverse, places),
                 {{x, [=](const Tensor& g) { return turned(g, table, !inverse, places); }}});
}

/// Of angles: they are not rounded to what they turn.
DType table_type(const Tensor& x) { return x.dtype() == bfloat16 ? float32 : x.dtype(); }

void check_heads(const Tensor& x, int64_t heads) {
  if (x.rank() != 3 || heads < 1 || x.dim(2) % heads != 0 || x.dim(2) / heads % 2 != 0)
    fail<ShapeError>("rotary: x is ", x.shape(), ", with ", heads,
                     " heads: needs (B, T, H D) with an even D");
}

}  // namespace

Tensor rotary(const Tensor& x, int64_t heads, const RotaryFrequencies& frequencies, int64_t offset) {
  check_heads(x, heads);
  // Of a batch of no samples, however many tokens they would have, no table is made.
  const int64_t tokens = x.size() == 0 ? 0 : x.dim(1);
  const Array table = kernels::rotary_table(tokens, x.dim(2) / heads, frequencies, offset, table_type(x));
  return x.size() == 0 ? x : turned(x, table, false);
}

Tensor rotary(const Tensor& x, int64_t heads, const RotaryFrequencies& frequencies,
              std::span<const int64_t> offsets) {
  check_heads(x, heads);
  if (static_cast<int64_t>(offsets.size()) != x.dim(0))
    fail<ShapeError>("rotary: ", offsets.size(), " offsets for the rows of x ", x.shape());
  const int64_t tokens = x.size() == 0 ? 0 : x.dim(1);
  const Array table = kernels::rotary_table(tokens, x.dim(2) / heads, frequencies, offsets, table_type(x));
  return x.size() == 0 ? x : turned(x, table, false);
}

Tensor rotary(const Tensor& x, int64_t heads, const RotaryFrequencies& frequencies, const Array& places) {
  check_heads(x, heads);
  if (places.shape() != Shape{x.dim(0), x.dim(1)} || places.dtype() != int64)
    fail<ShapeError>("rotary: places ", places.dtype(), " ", places.shape(), " for the tokens of x ",
                     x.shape(), ": needs int64 (B, T)");
  const std::span<const int64_t> all = places.values<int64_t>();
  const int64_t last = x.size() == 0 ? -1 : std::ranges::max(all);
  const Array table = kernels::rotary_table(last + 1, x.dim(2) / heads, frequencies, 0, table_type(x));
  return x.size() == 0 ? x : turned(x, table, false, places);
}

}  // namespace weft
