// A second copy of a weight, in the order in which products of few rows read it.
//
// In y = x W^T each element of W is used once for every row of x. With one row, as in decoding, the product
// is as fast as W can be read: in streams of neighbouring outputs, k after k, at the rate of the memory; in
// W's own order, whose outputs lie apart, at a half of it or less.
#pragma once

#include <weft/lib/array/array.h>

#include <memory>
#include <span>

namespace weft::kernels {

/// Rows of x up to which a product may ask for it.
inline constexpr int64_t few_rows = 16;

/// The streams of W (O, I), float32, of GemmFunctions::pack_streams; null where they do not pay: W is
/// small, this is the first such product with these values, or they were packed under another shape. They are
/// kept beside the values, and dropped when those change. Any thread may call it.
std::shared_ptr<const Buffer> packed_weight(const Array& weight);

/// y (m, O) = x (m, I) W^T [+ bias].
struct FewRowsProduct {
  int64_t outputs;
  const Buffer& streams;  ///< of W
  float* y;
  const float* bias;  ///< or null
};

/// Products of the same x, m at most few_rows, in one loop; the bits are those of gemm.
void multiply_few_rows(int64_t m, int64_t inputs, const float* x, std::span<const FewRowsProduct> products);

}  // namespace weft::kernels
