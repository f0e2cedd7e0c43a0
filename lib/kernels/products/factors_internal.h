// Factors of products: which types meet, and how they lie.
#pragma once

#include <weft/lib/array/array.h>
#include <weft/lib/base/error.h>
#include <weft/lib/kernels/products/matmul.h>

#include <cstdint>

namespace weft::kernels {

/// Whether their product is one of bfloat16.
inline bool in_pairs(const Array& a, const Array& b) {
  return (a.dtype() == bfloat16 && is_single(b.dtype())) || (b.dtype() == bfloat16 && is_single(a.dtype()));
}

/// TypeError for such as are not multiplied.
inline void check_types(const char* op, const Array& a, const Array& b) {
  if (a.dtype() != b.dtype() && !in_pairs(a, b))
    fail<TypeError>(op, ": element types differ: ", a.dtype(), " and ", b.dtype());
}

/// x as a matrix of so many columns, or its transpose.
inline NarrowView narrow_matrix(const Array& x, int64_t columns, bool transpose) {
  const bool floats = x.dtype() == float32;
  return transpose ? NarrowView{x.bytes(), 1, columns, floats} : NarrowView{x.bytes(), columns, 1, floats};
}

}  // namespace weft::kernels
