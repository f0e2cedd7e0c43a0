#include <weft/layers/conv.h>

#include <algorithm>

namespace weft {

namespace {

/// The options, once the sizes are known to fit them.
template <class Options>
Options checked(const char* layer, int64_t channels, int64_t outputs, int64_t kernel,
                const Options& options) {
  if (channels < 1 || outputs < 1 || kernel < 1)
    fail<ValueError>(layer, ": ", channels, " channels, ", outputs, " outputs, a kernel of ", kernel,
                     ": each must be at least 1");
  if (options.groups < 1 || channels % options.groups != 0 || outputs % options.groups != 0)
    fail<ValueError>(layer, ": ", options.groups, " groups do not divide ", channels, " channels and ",
                     outputs, " outputs");
  return options;
}

}  // namespace

Conv1d::Conv1d(int64_t channels, int64_t outputs, int64_t kernel, const Conv1dOptions& given, bool with_bias)
    : options(checked("Conv1d", channels, outputs, kernel, given)) {
  const Init init = init::fan_in_uniform(channels / options.groups * kernel);
  weight = parameter("weight", {outputs, channels / options.groups, kernel}, init);
  if (with_bias) bias = parameter("bias", {outputs}, init);
}

Conv2d::Conv2d(int64_t channels, int64_t outputs, const std::array<int64_t, 2>& kernel,
               const Conv2dOptions& given, bool with_bias)
    : options(checked("Conv2d", channels, outputs, std::min(kernel[0], kernel[1]), given)) {
  const Init init = init::fan_in_uniform(channels / options.groups * kernel[0] * kernel[1]);
  weight = parameter("weight", {outputs, channels / options.groups, kernel[0], kernel[1]}, init);
  if (with_bias) bias = parameter("bias", {outputs}, init);
}

}  // namespace weft
