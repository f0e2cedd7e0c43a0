#include <weft/lib/base/math.h>
#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/checks.h>
#include <weft/lib/kernels/floats.h>
#include <weft/lib/kernels/fused/fused.h>
#include <weft/lib/kernels/scratch.h>
#include <weft/lib/kernels/strides.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/profile/profile.h>

namespace weft::kernels {

namespace {

void check(const char* op, const Array& logits, const Array& targets, int64_t ignore_index,
           double smoothing) {
  check_single(op, "logits", logits);
  if (targets.dtype() != int64) fail<TypeError>(op, ": targets must be int64, not ", targets.dtype());
  if (logits.rank() != 2 || targets.shape() != Shape{logits.dim(0)})
    fail<ShapeError>(op, ": needs logits (N, V) and targets (N): logits is ", logits.shape(), ", targets is ",
                     targets.shape());
  if (!(smoothing >= 0 && smoothing <= 1))
    fail<ValueError>(op, ": label smoothing must be in [0, 1], not ", smoothing);
  const int64_t* target = targets.data<int64_t>();
  for (int64_t n = 0; n < targets.size(); ++n)
    if (target[n] != ignore_index && (target[n] < 0 || target[n] >= logits.dim(1)))
      fail<ValueError>(op, ": target ", target[n], " at row ", n, " is not in [0, ", logits.dim(1),
                       ") nor ignore_index ", ignore_index);
}

}  // namespace

CrossEntropyResult cross_entropy(const Array& logits, const Array& targets, int64_t ignore_index,
                                 double smoothing) {
  check("cross_entropy", logits, targets, ignore_index, smoothing);
  const int64_t N = logits.dim(0), V = logits.dim(1);
  CrossEntropyResult result{Array({N}, float32), Array({N}, float32), 0, 0};
  const KernelScope profile("cross_entropy", 0, logits, targets);
  const FloatReader x(logits);
  const Scratch scratch(x.narrow() ? V : 0);
  const int64_t* target = targets.data<int64_t>();
  float *losses = result.losses.mutable_data<float>(), *lses = result.lse.mutable_data<float>();
  const isa::RowFunctions& rows = isa::table().rows;
  parallel_for(N, tile_of_items(V), [&](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; ++n) {
      const float* row = x.at(n * V, V, scratch.here());
      float largest = 0, exp_sum = 0;
      rows.max_and_exp_sum(row, V, &largest, &exp_sum);
      const double log_sum = math::log(exp_sum);
      lses[n] = static_cast<float>(largest + log_sum);
      losses[n] = 0;
      if (target[n] == ignore_index) continue;
      // From the largest logit, not from lse, whose rounding would show in small losses.
      const auto loss_of = [&](double logit) { return (largest - logit) + log_sum; };
      double loss = (1 - smoothing) * loss_of(row[target[n]]);
      if (smoothing > 0)
        loss += smoothing * loss_of(static_cast<double>(rows.sum(row, V)) / static_cast<double>(V));
      losses[n] = static_cast<float>(loss);
    }
  });
  for (int64_t n = 0; n < N; ++n) {
    if (target[n] == ignore_index) continue;
    result.sum += losses[n];
    ++result.count;
  }
  return result;
}

Array cross_entropy_grad(Array logits, const Array& targets, const Array& lse, int64_t ignore_index,
                         double smoothing, double scale) {
  check("cross_entropy_grad", logits, targets, ignore_index, smoothing);
  check_float("cross_entropy_grad", "lse", lse);
  if (lse.shape() != targets.shape())
    fail<ShapeError>("cross_entropy_grad: lse must be ", targets.shape(), ", not ", lse.shape());
  const int64_t N = logits.dim(0), V = logits.dim(1);
  Array grad = logits.unique() ? logits : Array(logits.shape(), logits.dtype());
  const KernelScope profile("cross_entropy_grad", 0, logits, targets, grad);
  const FloatReader x(logits);
  const FloatWriter to(grad);
  const Scratch scratch(x.narrow() ? V : 0);
  const float* lses = lse.data<float>();
  const int64_t* target = targets.data<int64_t>();
  const auto row_grad = isa::table().rows.cross_entropy_grad;
  const auto uniform = static_cast<float>(smoothing / static_cast<double>(V));
  const auto factor = static_cast<float>(scale), of_target = static_cast<float>((1 - smoothing) * scale);
  parallel_for(N, tile_of_items(V), [&](int64_t begin, int64_t end) {
    float* const room = scratch.here();
    for (int64_t n = begin; n < end; ++n) {
      float* const row = to.at(n * V, room);
      if (target[n] == ignore_index) {
        for (int64_t v = 0; v < V; ++v) row[v] = 0;
      } else {
        row_grad(x.at(n * V, V, room), lses[n], uniform, factor, row, V);
        row[target[n]] -= of_target;
      }
      to.put(n * V, V, row);
    }
  });
  return grad;
}

}  // namespace weft::kernels
