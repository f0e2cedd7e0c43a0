// Matrix products.
//
// Float is our own kernel: each output element is one chain of fused multiply-adds in k order that begins
// from the value already there (0, or what has been gathered so far). Nothing then changes a bit of it: not
// blocking, packing, threads or vector width; a row alone equals the same row in a block, and a batch in
// pieces the batch at once. Double goes to BLAS through xtensor-blas: good to rounding, not to the bit.
#pragma once

#include <weft/lib/array/array.h>

#include <cstdint>
#include <span>
#include <vector>

// bfloat16: a product of which a factor is of that type is of it. Factors of float32 are rounded to it; sums are float32
// and go over pairs of k, in each of which the second comes first: for k = 0, 2, ... a[k + 1] b[k + 1] and then a[k] b[k]
// are added by a fused multiply-add, k that is odd filled up with zeros, and subnormal factors and sums count as 0. That is
// what a lane of vdpbf16ps computes, so that it has the same bits with and without that instruction. The result is rounded
// once, to bfloat16; a gradient gathered in float32 is not.

namespace weft::kernels {

/// A matrix in memory: element (i, j) at data[i * row + j * column], one of the strides being 1.
template <class T>
struct MatrixView {
  const T* data;
  int64_t row, column;
};

/// C (m, n) = [C +] A (m, k) B (k, n); C's rows lie c_row apart. With `bias` (n values, float only, may be
/// null) the chain of an element ends with one addition of bias[j]. A large C that is not `read_soon` goes around the
/// caches.
void gemm(int64_t m, int64_t n, int64_t k, MatrixView<float> a, MatrixView<float> b, float* c, int64_t c_row,
          bool accumulate, const float* bias = nullptr, bool read_soon = true);
void gemm(int64_t m, int64_t n, int64_t k, MatrixView<double> a, MatrixView<double> b, double* c,
          int64_t c_row, bool accumulate);

/// The same of bfloat16 values, or of floats that are rounded to them.
struct NarrowView {
  const void* data;
  int64_t row, column;
  bool floats;
};
void gemm_in_pairs(int64_t m, int64_t n, int64_t k, NarrowView a, NarrowView b, float* c, int64_t c_row,
                   bool accumulate);
void gemm_in_pairs(int64_t m, int64_t n, int64_t k, NarrowView a, NarrowView b, BFloat16* c, int64_t c_row,
                   const float* bias = nullptr);

/// a (..., m, k) times b (..., k, n); with transpose_a, a is (..., k, m), with transpose_b, b is (..., n, k).
/// Leading axes broadcast. In bfloat16, several products by several matrices are those of float32, rounded. One-axis operands as in PyTorch are the caller's work: both ranks are at least 2.
Array matmul(const Array& a, const Array& b, bool transpose_a = false, bool transpose_b = false);

/// y (N, O) = x (N, I) w (O, I)^T + bias (O), x and y with any leading axes; `bias` may be undefined. Of x in bfloat16
/// weight and bias are float32.
Array linear(const Array& x, const Array& weight, const Array& bias);

struct LinearWeights {
  const Array &weight, &bias;
};
/// linear() of the same x by each of the weights, with its bits. Few rows, as in decoding, go through all
/// weights in one loop.
std::vector<Array> linears(const Array& x, std::span<const LinearWeights> weights);
/// into (O, I) += dy^T x, the chain over all rows going on from `into`, or beginning where that is `fresh`
/// and holds nothing. Leading axes of dy and x are one; in bfloat16, where `into` is float32, the pairs begin anew with
/// each sample, axis 0.
void accumulate_outer(Array& into, const Array& dy, const Array& x, bool fresh = false);

}  // namespace weft::kernels
