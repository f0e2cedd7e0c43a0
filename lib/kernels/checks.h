// Checks that several kernels make of their arguments.
#pragma once

#include <weft/lib/array/array.h>
#include <weft/lib/base/error.h>

#include <limits>

namespace weft::kernels {

/// TypeError, naming `op` and both, unless the element types are the same.
inline void check_same_type(const char* op, const char* a_name, const Array& a, const char* b_name,
                            const Array& b) {
  if (a.dtype() != b.dtype())
    fail<TypeError>(op, ": element types differ: ", a_name, " is ", a.dtype(), ", ", b_name, " is ",
                    b.dtype());
}

/// ShapeError, naming `op` and both, unless the shapes are the same.
inline void check_same_shape(const char* op, const char* a_name, const Array& a, const char* b_name,
                             const Array& b) {
  if (a.shape() != b.shape())
    fail<ShapeError>(op, ": shapes differ: ", a_name, " is ", a.shape(), ", ", b_name, " is ", b.shape());
}

/// ShapeError or TypeError, naming `op` and both, unless shape and element type are the same.
inline void check_same(const char* op, const char* a_name, const Array& a, const char* b_name,
                       const Array& b) {
  check_same_shape(op, a_name, a, b_name, b);
  check_same_type(op, a_name, a, b_name, b);
}

/// TypeError, naming `op`, unless x is float32: the fused kernels know no other.
inline void check_float(const char* op, const char* name, const Array& x) {
  if (x.dtype() != float32) fail<TypeError>(op, ": ", name, " must be float32, not ", x.dtype());
}

/// TypeError, naming `op`, unless x is computed with in float32.
inline void check_single(const char* op, const char* name, const Array& x) {
  if (!is_single(x.dtype())) fail<TypeError>(op, ": ", name, " must be float32 or bfloat16, not ", x.dtype());
}

/// The rows of an array: its last axis, and the product of the others.
struct Rows {
  int64_t count, length;
};
/// ShapeError, naming `op`, for a scalar.
inline Rows rows_of(const char* op, const Array& x) {
  if (x.rank() == 0) fail<ShapeError>(op, ": needs at least one axis: x is ", x.shape());
  const int64_t length = x.dim(-1);
  return {length == 0 ? x.shape().without(x.rank() - 1).size() : x.size() / length, length};
}

/// Whether `value` is a whole number that the integer type T holds.
template <class T>
bool fits(double value) {
  constexpr double end = -static_cast<double>(std::numeric_limits<T>::lowest());
  return value >= -end && value < end && value == static_cast<double>(static_cast<T>(value));
}

}  // namespace weft::kernels
