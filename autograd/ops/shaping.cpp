#include <weft/autograd/op.h>
#include <weft/autograd/ops.h>
#include <weft/autograd/ops/shaping.h>
#include <weft/lib/kernels/movement.h>

#include <algorithm>
#include <numeric>

namespace weft {

Tensor reshape(const Tensor& x, std::initializer_list<int64_t> extents) {
  return reshape(x, resolve_reshape(x.shape(), std::span(extents.begin(), extents.size())));
}

Tensor reshape(const Tensor& x, const Shape& shape) {
  return make_op("reshape", x.value().reshape(shape),
                 {{x, [from = x.shape()](const Tensor& g) { return reshape(g, from); }}});
}

Tensor view(const Tensor& x, std::initializer_list<int64_t> extents) { return reshape(x, extents); }

Tensor flatten(const Tensor& x, int first, int last) {
  if (x.rank() == 0) return reshape(x, {1});
  const int begin = normal_axis("flatten", first, x.rank()), end = normal_axis("flatten", last, x.rank());
  if (end < begin) fail<ShapeError>("flatten: axis ", last, " of ", x.shape(), " comes before axis ", first);
  std::vector<int64_t> extents(x.shape().begin(), x.shape().begin() + begin + 1);
  for (int axis = begin + 1; axis <= end; ++axis) extents.back() *= x.dim(axis);
  extents.insert(extents.end(), x.shape().begin() + end + 1, x.shape().end());
  return reshape(x, Shape(extents));
}

Tensor squeeze(const Tensor& x) {
  std::vector<int64_t> extents;
  for (const int64_t extent : x.shape())
    if (extent != 1) extents.push_back(extent);
  return reshape(x, Shape(extents));
}

Tensor squeeze(const Tensor& x, int axis) {
  const int place = normal_axis("squeeze", axis, x.rank());
  return x.dim(place) == 1 ? reshape(x, x.shape().without(place)) : x;
}

Tensor unsqueeze(const Tensor& x, int axis) {
  const int place = normal_axis("unsqueeze", axis, x.rank() + 1);
  std::vector<int64_t> extents(x.shape().begin(), x.shape().end());
  extents.insert(extents.begin() + place, 1);
  return reshape(x, Shape(extents));
}

Tensor clone(const Tensor& x) {
  return make_op("clone", x.value().copy(), {{x, [](const Tensor& g) { return g; }}});
}

Tensor permute(const Tensor& x, const Axes& order) {
  std::vector<int> axes;
  for (const int axis : std::span<const int>(order)) axes.push_back(normal_axis("permute", axis, x.rank()));
  Array y = kernels::permute(x.value(), axes);
  std::vector<int> inverse(axes.size());
  for (size_t i = 0; i < axes.size(); ++i) inverse[static_cast<size_t>(axes[i])] = static_cast<int>(i);
  return make_op("permute", std::move(y), {{x, [inverse](const Tensor& g) { return permute(g, inverse); }}});
}

Tensor transpose(const Tensor& x, int first, int second) {
  std::vector<int> order(static_cast<size_t>(x.rank()));
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[static_cast<size_t>(normal_axis("transpose", first, x.rank()))],
            order[static_cast<size_t>(normal_axis("transpose", second, x.rank()))]);
  return permute(x, order);
}

Tensor expand(const Tensor& x, const Shape& shape) {
  return make_op("expand", kernels::broadcast_to(x.value(), shape),
                 {{x, [from = x.shape()](const Tensor& g) { return sum_to(g, from); }}});
}

Tensor slice(const Tensor& x, int axis, int64_t begin, int64_t end) {
  const int place = normal_axis("slice", axis, x.rank());
  const int64_t extent = x.shape()[place];
  const int64_t first = begin < 0 ? begin + extent : begin, last = end < 0 ? end + extent : end;
  if (first < 0 || first > last || last > extent) {
    fail<ShapeError>("slice: [", begin, ", ", end, ") does not lie in axis ", axis, " of ", x.shape());
  }
  return make_op(
      "slice", kernels::slice(x.value(), place, first, last),
      {{x, [from = x.shape(), place, first](const Tensor& g) { return unslice(g, from, place, first); }}});
}

Tensor unslice(const Tensor& x, const Shape& shape, int axis, int64_t begin) {
  const int place = normal_axis("unslice", axis, shape.rank());
  const int64_t extent = x.dim(place);
  return make_op(
      "unslice", kernels::unslice(x.value(), shape, place, begin),
      {{x, [place, begin, extent](const Tensor& g) { return slice(g, place, begin, begin + extent); }}});
}

Tensor cat(const std::vector<Tensor>& parts, int axis) {
  if (parts.empty()) fail<ShapeError>("cat: no tensors to join");
  const int place = normal_axis("cat", axis, parts[0].rank());
  std::vector<Array> values;
  for (const Tensor& part : parts) values.push_back(part.value());
  Array y = kernels::cat(values, place);
  std::vector<OpInput> inputs;
  int64_t begin = 0;
  for (const Tensor& part : parts) {
    const int64_t end = begin + part.dim(place);
    inputs.push_back({part, [place, begin, end](const Tensor& g) { return slice(g, place, begin, end); }});
    begin = end;
  }
  return make_op("cat", std::move(y), inputs);
}

Tensor stack(const std::vector<Tensor>& parts, int axis) {
  if (parts.empty()) fail<ShapeError>("stack: no tensors to join");
  std::vector<Tensor> raised;
  for (const Tensor& part : parts) {
    if (!(part.shape() == parts[0].shape()))
      fail<ShapeError>("stack: shapes differ: ", parts[0].shape(), " and ", part.shape());
    raised.push_back(reshape(part, part.shape().inserted(axis, 1)));
  }
  return cat(raised, axis);
}

std::vector<Tensor> split(const Tensor& x, int64_t size, int axis) {
  if (size < 1) fail<ValueError>("split: parts of ", size, " elements");
  const int place = normal_axis("split", axis, x.rank());
  const int64_t extent = x.shape()[place];
  std::vector<Tensor> parts;
  for (int64_t begin = 0; begin < extent; begin += size) {
    parts.push_back(slice(x, place, begin, std::min(extent, begin + size)));
  }
  return parts;
}

std::vector<Tensor> chunk(const Tensor& x, int64_t parts, int axis) {
  if (parts < 1) fail<ValueError>("chunk: into ", parts, " parts");
  const int64_t extent = x.dim(normal_axis("chunk", axis, x.rank()));
  return split(x, std::max<int64_t>(1, (extent + parts - 1) / parts), axis);
}

}  // namespace weft
