#include <weft/autograd/autocast_internal.h>
#include <weft/autograd/op.h>
#include <weft/autograd/ops.h>
#include <weft/autograd/ops/composed.h>
#include <weft/lib/kernels/fused/additive_attention.h>

namespace weft {

namespace composed {

Tensor additive_scores(const Tensor& q, const Tensor& k, const Tensor& v) {
  const int64_t B = q.dim(0), T = q.dim(1), S = k.dim(1), A = q.dim(2);
  return sum(tanh(reshape(q, {B, T, 1, A}) + reshape(k, {B, 1, S, A})) * v, {-1});
}

}  // namespace composed

Tensor additive_scores(const Tensor& given_q, const Tensor& given_k, const Tensor& given_v) {
  const Tensor q = detail::widened(given_q), k = detail::widened(given_k), v = detail::widened(given_v);
  if (q.rank() != 3 || k.rank() != 3 || v.rank() != 1 || q.dim(0) != k.dim(0) || q.dim(2) != k.dim(2) ||
      v.dim(0) != q.dim(2))
    fail<ShapeError>("additive_scores: q is ", q.shape(), ", k ", k.shape(), ", v ", v.shape(),
                     ": needs (B, T, A), (B, S, A) and (A)");
  const bool floats = q.dtype() == float32 && k.dtype() == float32 && v.dtype() == float32;
  if (!floats || q.size() == 0 || k.size() == 0) return composed::additive_scores(q, k, v);
  const auto rule = [q = save(q), k = save(k), v = save(v)](const Tensor& g,
                                                            const std::vector<bool>&) -> std::vector<Tensor> {
    if (grad_enabled())
      return composed_grad(
          [](const std::vector<Tensor>& in) { return composed::additive_scores(in[0], in[1], in[2]); },
          {q(), k(), v()}, g);
    const auto d = kernels::additive_scores_grad(q().value(), k().value(), v().value(), g.value());
    return {Tensor(d.q), Tensor(d.k), Tensor(d.v)};
  };
  return make_op("additive_scores", kernels::additive_scores(q.value(), k.value(), v.value()), {q, k, v},
                 rule);
}

}  // namespace weft
