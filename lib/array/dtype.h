// Element types.
#pragma once

#include <weft/lib/base/bfloat16.h>
#include <weft/lib/base/error.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

namespace weft {

enum class DType : uint8_t { float32, float64, int32, int64, boolean, bfloat16 };

inline constexpr DType float32 = DType::float32;
inline constexpr DType float64 = DType::float64;
inline constexpr DType int32 = DType::int32;
inline constexpr DType int64 = DType::int64;
inline constexpr DType boolean = DType::boolean;
/// Of activations and their gradients under Autocast (autograd/autocast.h). Whatever computes with it computes in float32
/// and rounds what it stores, once, to nearest.
inline constexpr DType bfloat16 = DType::bfloat16;

/// "float32", "float64", "int32", "int64", "bool", "bfloat16".
const char* name_of(DType dtype);
inline void append_to(std::string& text, DType dtype) { text += name_of(dtype); }
/// Bytes of one element.
size_t size_of(DType dtype);
inline bool is_floating(DType dtype) { return dtype == float32 || dtype == float64 || dtype == bfloat16; }
/// Whether it is computed with in float32.
inline bool is_single(DType dtype) { return dtype == float32 || dtype == bfloat16; }

template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, float>) return float32;
  if constexpr (std::is_same_v<T, double>) return float64;
  if constexpr (std::is_same_v<T, int32_t>) return int32;
  if constexpr (std::is_same_v<T, int64_t>) return int64;
  if constexpr (std::is_same_v<T, bool>) return boolean;
  if constexpr (std::is_same_v<T, BFloat16>) return bfloat16;
}

/// The element type of new arrays and parameters whose type is not named: float32 unless a scope says
/// otherwise.
DType default_dtype();

/// While it lives, new arrays of this thread are of `dtype`, float32 or float64, where none is named:
///   DTypeScope doubles(float64);
class DTypeScope {
 public:
  [[nodiscard]] explicit DTypeScope(DType dtype);
  ~DTypeScope();
  DTypeScope(const DTypeScope&) = delete;
  DTypeScope& operator=(const DTypeScope&) = delete;

 private:
  DType before_;
};

/// Calls f with a zero of the C++ type of a dtype that is computed in:
///   visit_floating("exp", t, [&]<class T>(T) {...})
/// TypeError that names `op` for the other types.
template <class F>
auto visit_floating(const char* op, DType dtype, F&& f) {
  switch (dtype) {
    case DType::float32:
      return f(float{});
    case DType::float64:
      return f(double{});
    default:
      fail<TypeError>(op, ": needs float32 or float64, not ", dtype);
  }
}

/// The same for all types but bfloat16, which is computed with in float32: TypeError.
template <class F>
auto visit_numbers(const char* op, DType dtype, F&& f) {
  switch (dtype) {
    case DType::int32:
      return f(int32_t{});
    case DType::int64:
      return f(int64_t{});
    case DType::boolean:
      return f(bool{});
    default:
      return visit_floating(op, dtype, f);
  }
}

/// The same for all types.
template <class F>
auto visit_dtype(DType dtype, F&& f) {
  switch (dtype) {
    case DType::bfloat16:
      return f(BFloat16{});
    case DType::float32:
      return f(float{});
    case DType::float64:
      return f(double{});
    case DType::int32:
      return f(int32_t{});
    case DType::int64:
      return f(int64_t{});
    default:
      return f(bool{});
  }
}

}  // namespace weft
