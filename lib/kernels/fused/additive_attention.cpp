#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/checks.h>
#include <weft/lib/kernels/fused/additive_attention.h>
#include <weft/lib/kernels/strides.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/profile/profile.h>

#include <algorithm>

namespace weft::kernels {

namespace {

constexpr int64_t work_of_tanh = 8;  ///< of one element, for the size of tiles

void check(const char* op, const Array& q, const Array& k, const Array& v) {
  check_float(op, "q", q);
  check_same_type(op, "q", q, "k", k);
  check_same_type(op, "q", q, "v", v);
  if (q.rank() != 3 || k.rank() != 3 || v.rank() != 1 || q.dim(0) != k.dim(0) || q.dim(2) != k.dim(2) ||
      v.dim(0) != q.dim(2))
    fail<ShapeError>(op, ": q is ", q.shape(), ", k ", k.shape(), ", v ", v.shape(),
                     ": needs (B, T, A), (B, S, A) and (A)");
}

}  // namespace

Array additive_scores(const Array& q, const Array& k, const Array& v) {
  check("additive_scores", q, k, v);
  const int64_t B = q.dim(0), T = q.dim(1), S = k.dim(1), A = q.dim(2);
  Array scores({B, T, S}, float32);
  const KernelScope profile("additive_scores", 2 * scores.size() * A, q, k, v, scores);
  const float *const queries = q.data<float>(), *const keys = k.data<float>(), *const by = v.data<float>();
  float* const to = scores.mutable_data<float>();
  const auto score = isa::table().additive_attention.score;
  parallel_for(B * T, tile_of_items(work_of_tanh * S * A), [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; ++row)
      for (int64_t s = 0; s < S; ++s)
        to[row * S + s] = score(queries + row * A, keys + (row / T * S + s) * A, by, A);
  });
  return scores;
}

AdditiveScoresGradients additive_scores_grad(const Array& q, const Array& k, const Array& v,
                                             const Array& ds) {
  check("additive_scores_grad", q, k, v);
  const int64_t B = q.dim(0), T = q.dim(1), S = k.dim(1), A = q.dim(2);
  check_same_type("additive_scores_grad", "q", q, "ds", ds);
  if (ds.shape() != Shape{B, T, S})
    fail<ShapeError>("additive_scores_grad: ds is ", ds.shape(), " for q ", q.shape(), " and k ", k.shape());
  AdditiveScoresGradients d{Array::zeros(q.shape(), float32), Array::zeros(k.shape(), float32),
                            Array::zeros({B, A}, float32)};
  const KernelScope profile("additive_scores_grad", 4 * ds.size() * A, q, k, v, ds, d.q, d.k);
  const float *const queries = q.data<float>(), *const keys = k.data<float>(), *const by = v.data<float>(),
                     *const slopes = ds.data<float>();
  float *const dq = d.q.mutable_data<float>(), *const dk = d.k.mutable_data<float>(),
               *const dv = d.v.mutable_data<float>();
  const auto score_grad = isa::table().additive_attention.score_grad;
  // Columns have nothing to do with each other, so that few samples too are shared by the threads.
  constexpr int64_t block = 64;
  const int64_t blocks = (A + block - 1) / block;
  parallel_for(B * blocks, tile_of_items(work_of_tanh * T * S * block), [=](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) {
      const int64_t b = item / blocks, a = item % blocks * block, width = std::min(block, A - a);
      for (int64_t t = 0; t < T; ++t)
        for (int64_t s = 0; s < S; ++s) {
          const int64_t row = (b * T + t) * A + a, key = (b * S + s) * A + a;
          const float slope = slopes[(b * T + t) * S + s];
          if (slope != 0)
            score_grad(queries + row, keys + key, by + a, slope, dq + row, dk + key, dv + b * A + a, width);
        }
    }
  });
  return d;
}

}  // namespace weft::kernels
