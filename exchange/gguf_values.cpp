#include <weft/exchange/gguf_internal.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/float16.h>

#include <algorithm>
#include <cmath>

namespace weft {
namespace {

constexpr int64_t block = 32;

/// What stands for `weight` in a file.
void put_float16(std::string& to, float value, float weight, const std::string& name) {
  const uint16_t half = float16_of(value);
  if (!std::isfinite(float_of_float16(half)))
    fail<ValueError>("GGUF: '", name, "' has a weight of ", weight,
                     ", beyond the largest that is kept so; float32 holds it");
  put(to, half);
}

/// Blocks of 32 as ggml's quantize_row_q8_0_ref makes them; what is too small for their factor is 0.
void put_q8_0(std::string& to, const float* values, int64_t count, const std::string& name) {
  for (int64_t begin = 0; begin < count; begin += block) {
    float most = 0;
    for (int64_t i = 0; i < block; ++i) most = std::max(most, std::fabs(values[begin + i]));
    const float factor = most / 127.0f, inverse = std::isfinite(1.0f / factor) ? 1.0f / factor : 0.0f;
    put_float16(to, factor, most, name);
    for (int64_t i = 0; i < block; ++i)
      to += static_cast<char>(static_cast<int8_t>(std::round(values[begin + i] * inverse)));
  }
}

}  // namespace

GgufTensor gguf_tensor(const Array& values, GgufType wanted) {
  if (values.rank() < 2 || wanted == GgufType::f32) return tensor_f32;
  return wanted == GgufType::q8_0 && values.dim(-1) % block == 0 ? tensor_q8_0 : tensor_f16;
}

uint64_t gguf_size(const Array& values, GgufTensor type) {
  const auto count = static_cast<uint64_t>(values.size());
  return type == tensor_f32   ? 4 * count
         : type == tensor_f16 ? 2 * count
                              : count / static_cast<uint64_t>(block) * static_cast<uint64_t>(block + 2);
}

void put_values(std::string& to, const Array& values, GgufTensor type, const std::string& name) {
  const float* const from = values.data<float>();
  if (type == tensor_f32)
    to.append(reinterpret_cast<const char*>(from), values.nbytes());
  else if (type == tensor_q8_0)
    put_q8_0(to, from, values.size(), name);
  else
    for (int64_t i = 0; i < values.size(); ++i) put_float16(to, from[i], from[i], name);
}

}  // namespace weft
