#include <weft/exchange/gguf_internal.h>
#include <weft/lib/base/float16.h>

#include <algorithm>
#include <cmath>

namespace weft {
namespace {

constexpr int64_t block = 32;

/// Blocks of 32 as ggml's quantize_row_q8_0_ref makes them.
void put_q8_0(std::string& to, const float* values, int64_t count) {
  for (int64_t begin = 0; begin < count; begin += block) {
    float most = 0;
    for (int64_t i = 0; i < block; ++i) most = std::max(most, std::fabs(values[begin + i]));
    const float factor = most / 127.0f, inverse = factor != 0 ? 1.0f / factor : 0.0f;
    put(to, float16_of(factor));
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

void put_values(std::string& to, const Array& values, GgufTensor type) {
  const float* const from = values.data<float>();
  if (type == tensor_f32)
    to.append(reinterpret_cast<const char*>(from), values.nbytes());
  else if (type == tensor_q8_0)
    put_q8_0(to, from, values.size());
  else
    for (int64_t i = 0; i < values.size(); ++i) put(to, float16_of(from[i]));
}

}  // namespace weft
