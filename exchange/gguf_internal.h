// How GGUF keeps numbers. Internal to exchange.
#pragma once

#include <weft/exchange/gguf.h>

#include <cstdint>
#include <cstring>
#include <string>

namespace weft {

/// Types of tensors in a file.
enum GgufTensor : uint32_t { tensor_f32 = 0, tensor_f16 = 1, tensor_q8_0 = 8 };

/// A number as it lies in memory, the lowest byte first.
template <class T>
void put(std::string& to, T value) {
  char raw[sizeof(T)];
  std::memcpy(raw, &value, sizeof(T));
  to.append(raw, sizeof(T));
}

/// How an array of float32 is kept where that type is wanted.
GgufTensor gguf_tensor(const Array& values, GgufType wanted);
uint64_t gguf_size(const Array& values, GgufTensor type);
/// ValueError that names the tensor for a number that is beyond those of the type.
void put_values(std::string& to, const Array& values, GgufTensor type, const std::string& name);

}  // namespace weft
