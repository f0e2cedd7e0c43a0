// What the forms of attention share: where heads lie, and the problem as the kernel takes it.
#pragma once

#include <weft/autograd/ops.h>
#include <weft/autograd/ops/attention.h>
#include <weft/lib/kernels/fused/attention.h>

#include <vector>

namespace weft::detail {

/// Where the heads of an array lie: side by side in the last axis of (B, T, H D), or as an axis of (B, H, T,
/// D).
struct Layout {
  int64_t heads;
  bool side_by_side;

  int64_t tokens(const Tensor& x) const { return x.dim(side_by_side ? 1 : 2); }
  int64_t width(const Tensor& x) const { return side_by_side ? x.dim(2) / heads : x.dim(3); }

  template <class T>
  kernels::HeadView<T> view(const Shape& shape, T* data) const {
    if (side_by_side) return {data, shape[1] * shape[2], shape[2] / heads, shape[2]};
    return {data, shape[1] * shape[2] * shape[3], shape[2] * shape[3], shape[3]};
  }
  template <class T = float>
  kernels::HeadView<const T> view(const Array& x) const {
    return view(x.shape(), x.data<T>());
  }
  template <class T = float>
  kernels::HeadView<T> view_mutable(Array& x) const {
    return view(x.shape(), x.mutable_data<T>());
  }

  /// (B, H, T, D), as the composed form wants it, and back.
  Tensor apart(const Tensor& x) const {
    if (!side_by_side) return x;
    return permute(reshape(x, {x.dim(0), x.dim(1), heads, x.dim(2) / heads}), {0, 2, 1, 3});
  }
  Tensor together(const Tensor& x) const {
    if (!side_by_side) return x;
    return reshape(permute(x, {0, 2, 1, 3}), {x.dim(0), x.dim(2), x.dim(1) * x.dim(3)});
  }
};

/// Those of queries and of keys and values, which may have fewer heads.
struct Layouts {
  Layout q, kv;
};

/// The problem as the kernel takes it, with what it points to.
struct Problem {
  kernels::AttentionProblem p;
  Array allow, bias;
  std::vector<float> slopes;
  std::vector<Document> documents;

  /// Of `keys` keys; the bias is raised.
  Problem(const Layouts& at, const Tensor& q, int64_t keys, const AttentionOptions& options);
  Problem(const Problem&) = delete;
};

/// The numbers of this call's dropout.
RandomScope::Draw draw_of(const char* op, const AttentionOptions& options);
/// The bias with four axes, of which the last two are whole. ShapeError when it does not broadcast.
Tensor raised_bias(const Tensor& bias, int64_t B, int64_t H, int64_t T, int64_t S);
/// ShapeError unless q, k and v fit together.
Layouts layouts_of(const char* op, const Layout& at, const Tensor& q, const Shape& k, const Shape& v);
/// The layout of q (B, T, H D). ShapeError when the heads do not divide its width.
Layout side_by_side(const char* op, const Tensor& q, int64_t heads);
/// ShapeError unless there is a slope for each head, or none.
void check_slopes(const char* op, const AttentionOptions& options, int64_t heads);
/// scaled_dot_product_attention or multi_head_attention, as the layout says.
Tensor attention(const char* op, const Layout& queries, const Tensor& q, const Tensor& k, const Tensor& v,
                 const AttentionOptions& options);

}  // namespace weft::detail
