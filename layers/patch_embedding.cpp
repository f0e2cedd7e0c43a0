#include <weft/layers/patch_embedding.h>

namespace weft {

PatchEmbedding::PatchEmbedding(int64_t channels, int64_t patch_size, int64_t width,
                               const PatchEmbeddingOptions& options)
    : patch(patch_size) {
  if (channels < 1 || patch < 1 || width < 1)
    fail<ValueError>("PatchEmbedding: ", channels, " channels, patches of ", patch, ", width ", width,
                     ": each must be at least 1");
  const Init init = init::fan_in_uniform(channels * patch * patch);
  weight = parameter("weight", {width, channels, patch, patch}, options.weight_init.value_or(init));
  if (options.bias) bias = parameter("bias", {width}, options.bias_init.value_or(init));
}

Tensor PatchEmbedding::forward(const Tensor& x) const {
  if (x.rank() != 4 || x.dim(1) != weight.dim(1) || x.dim(2) < 1 || x.dim(3) < 1 || x.dim(2) % patch != 0 ||
      x.dim(3) % patch != 0)
    fail<ShapeError>("PatchEmbedding: x is ", x.shape(), ": needs (B, ", weight.dim(1),
                     ", H, W), H and W multiples of ", patch);
  return grouped_linear(unfold(x, {patch, patch}, {.stride = {patch, patch}}), weight, bias);
}

}  // namespace weft
