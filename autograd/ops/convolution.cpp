#include <weft/autograd/autocast_internal.h>
#include <weft/autograd/op.h>
#include <weft/autograd/ops.h>
#include <weft/autograd/ops/convolution.h>
#include <weft/autograd/ops/optional_internal.h>
#include <weft/lib/kernels/fused/convolution.h>

namespace weft {

namespace {

using Size = std::array<int64_t, 2>;

kernels::Window window_of(const Size& size, const Conv2dOptions& options) {
  return {size, options.stride, options.padding, options.dilation};
}

/// x (..., groups K) as one matrix a group, (groups, N, K).
Tensor by_group(const Tensor& x, int64_t groups) {
  return permute(reshape(x, {x.shape().without(-1).size(), groups, x.dim(-1) / groups}), {1, 0, 2});
}

/// x (B, C, H, W) by a weight whose kernels have that size -> (B, O, H', W').
Tensor convolved(const char* op, const Tensor& x, const Tensor& weight, const Size& size, const Tensor& bias,
                 const Conv2dOptions& options) {
  const int64_t C = x.dim(1), O = weight.dim(0), G = options.groups;
  if (G < 1 || C % G != 0 || O % G != 0)
    fail<ValueError>(op, ": ", G, " groups do not divide the channels of x ", x.shape(),
                     " and the outputs of weight ", weight.shape());
  if (C / G != weight.dim(1))
    fail<ShapeError>(op, ": x is ", x.shape(), ", weight ", weight.shape(), ": with ", G,
                     " groups the weight's second extent must be ", C / G);
  if (bias.defined() && !(bias.shape() == Shape{O}))
    fail<ShapeError>(op, ": bias is ", bias.shape(), ", weight ", weight.shape(), ": bias must be ",
                     Shape{O});
  const Tensor patches = unfold(x, size, options);
  const Tensor y = grouped_linear(patches, weight, bias, options.groups);  // (B, L, O)
  const kernels::Window window = window_of(size, options);
  return reshape(permute(y, {0, 2, 1}),
                 {x.dim(0), O, window.places(0, x.dim(2)), window.places(1, x.dim(3))});
}

}  // namespace

Tensor unfold(const Tensor& given, const Size& size, const Conv2dOptions& options) {
  const Tensor x = detail::widened(given);
  return make_op("unfold", kernels::unfold(x.value(), window_of(size, options)),
                 {{x, [=, shape = x.shape()](const Tensor& g) { return fold(g, shape, size, options); }}});
}

Tensor fold(const Tensor& given, const Shape& shape, const Size& size, const Conv2dOptions& options) {
  const Tensor patches = detail::widened(given);
  return make_op("fold", kernels::fold(patches.value(), shape, window_of(size, options)),
                 {{patches, [=](const Tensor& g) { return unfold(g, size, options); }}});
}

Tensor grouped_linear(const Tensor& given, const Tensor& weight, const Tensor& bias, int64_t groups) {
  const Tensor x = detail::widened(given);
  Array y = kernels::grouped_linear(x.value(), weight.value(), detail::value_or_none(bias), groups);
  if (!records(x, weight, bias)) return make_op("grouped_linear", std::move(y), {});
  const auto for_x = [groups, shape = x.shape(), w = save(weight)](const Tensor& g) {
    const Tensor all = w();
    const int64_t outputs = all.dim(0) / groups, inputs = shape.dim(-1) / groups;
    const Tensor made =
        matmul(by_group(g, groups), reshape(all, {groups, outputs, inputs}));  // (groups, N, K)
    return reshape(permute(made, {1, 0, 2}), shape);
  };
  const auto for_weight = [groups, shape = weight.shape(), x = save(x)](const Tensor& g) {
    return reshape(matmul(by_group(g, groups), by_group(x(), groups), true, false), shape);
  };
  const auto into_weight = [groups, x = save(x)](const Tensor& g, Array& into, bool fresh) {
    kernels::accumulate_grouped_outer(into, g.value(), x().value(), groups, fresh);
  };
  const auto for_bias = [](const Tensor& g) { return g; };
  return make_op("grouped_linear", std::move(y),
                 {{x, for_x}, {weight, for_weight, into_weight}, {bias, for_bias}});
}

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options) {
  if (x.rank() != 4 || weight.rank() != 4)
    fail<ShapeError>("conv2d: x is ", x.shape(), ", weight ", weight.shape(),
                     ": needs (B, C, H, W) and (O, C / groups, height, width)");
  return convolved("conv2d", x, weight, {weight.dim(2), weight.dim(3)}, bias, options);
}

Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv1dOptions& options) {
  if (x.rank() != 3 || weight.rank() != 3)
    fail<ShapeError>("conv1d: x is ", x.shape(), ", weight ", weight.shape(),
                     ": needs (B, C, T) and (O, C / groups, kernel)");
  const Conv2dOptions flat{.stride = {1, options.stride},
                           .padding = {0, options.padding},
                           .dilation = {1, options.dilation},
                           .groups = options.groups};
  const Tensor picture = reshape(x, {x.dim(0), x.dim(1), 1, x.dim(2)});  // one row high
  const Tensor y = convolved("conv1d", picture, weight, {1, weight.dim(2)}, bias, flat);
  return reshape(y, {y.dim(0), y.dim(1), y.dim(3)});
}

}  // namespace weft
