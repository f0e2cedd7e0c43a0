#include <weft/autograd/autocast_internal.h>
#include <weft/autograd/op.h>
#include <weft/autograd/ops.h>
#include <weft/autograd/ops/composed.h>
#include <weft/autograd/ops/loss.h>
#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/lib/kernels/fused/fused.h>

namespace weft {

namespace composed {

Tensor cross_entropy_rows(const Tensor& logits, const Array& targets, int64_t ignore_index,
                          double label_smoothing) {
  const Array ignored = kernels::compare(kernels::Compare::eq, targets, static_cast<double>(ignore_index));
  const Array index = kernels::where(ignored, Array::scalar(0, int64), targets).reshape({targets.size(), 1});
  const Tensor log_p = composed::log_softmax(logits);
  Tensor rows = -reshape(gather(log_p, 1, index), {targets.size()});
  if (label_smoothing != 0.0) rows = rows * (1.0 - label_smoothing) - mean(log_p, {-1}) * label_smoothing;
  return masked_fill(rows, ignored, 0.0);
}

}  // namespace composed

namespace {

/// Targets are shares of the classes.
Loss cross_entropy_of_shares(const Tensor& logits, const Array& targets, double smoothing) {
  if (logits.shape() != targets.shape())
    fail<ShapeError>("cross_entropy: logits are ", logits.shape(), ", floating targets ", targets.shape(),
                     ": needs the same shape");
  const int64_t V = logits.dim(-1), N = V == 0 ? 0 : logits.size() / V;
  const Tensor log_p = log_softmax(reshape(logits, {N, V}));
  Tensor rows = -sum(log_p * Tensor(targets.to(log_p.dtype()).reshape({N, V})), {-1});
  if (smoothing != 0.0) rows = rows * (1.0 - smoothing) - mean(log_p, {-1}) * smoothing;
  return {sum(rows), N, rows.value()};
}

int64_t count_checked(const Array& targets, int64_t classes, int64_t ignore_index) {
  int64_t count = 0;
  const auto values = targets.values<int64_t>();
  for (size_t n = 0; n < values.size(); ++n) {
    if (values[n] == ignore_index) continue;
    if (values[n] < 0 || values[n] >= classes) {
      fail<ValueError>("cross_entropy: target ", values[n], " of row ", n, " is not one of ", classes,
                       " classes");
    }
    ++count;
  }
  return count;
}

}  // namespace

Tensor Loss::mean() const {
  if (count == 0) fail<ValueError>("loss: no row took part, so it has no mean");
  return sum / static_cast<double>(count);
}

void LossMeter::add(const Loss& loss) {
  const Array rows = loss.rows.to(float64);
  for (const double row : rows.values<double>()) sum_ += row;
  count_ += loss.count;
  counted_ = counted_ && loss.right >= 0;
  right_ += loss.right;
}

std::optional<double> LossMeter::accuracy() const {
  if (!counted_ || count_ == 0) return {};
  return static_cast<double>(right_) / static_cast<double>(count_);
}

double LossMeter::mean() const {
  if (count_ == 0) fail<ValueError>("loss: no row took part, so it has no mean");
  return sum_ / static_cast<double>(count_);
}

Loss cross_entropy(const Tensor& logits, const Array& targets, CrossEntropyOptions options) {
  if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1)) {
    fail<ValueError>("cross_entropy: label_smoothing ", options.label_smoothing, " is not between 0 and 1");
  }
  if (is_floating(targets.dtype()) && logits.rank() > 0)
    return cross_entropy_of_shares(logits, targets, options.label_smoothing);
  if (logits.rank() < 1 || !(logits.shape().without(-1) == targets.shape())) {
    fail<ShapeError>("cross_entropy: logits are ", logits.shape(), ", targets ", targets.shape(),
                     ": needs (..., V) and (...)");
  }
  const int64_t N = targets.size(), V = logits.dim(-1), ignore = options.ignore_index;
  const double smoothing = options.label_smoothing;
  const Tensor flat = reshape(logits, Shape{N, V});
  const Array labels = targets.reshape({N});
  if (!is_single(logits.dtype()) || logits.size() == 0) {
    const int64_t count = count_checked(labels, V, ignore);
    const Tensor rows = composed::cross_entropy_rows(detail::widened(flat), labels, ignore, smoothing);
    return {sum(rows), count, rows.value()};
  }
  const kernels::CrossEntropyResult forward = kernels::cross_entropy(flat.value(), labels, ignore, smoothing);
  const auto rule = [=, x = save(flat), lse = forward.lse](const Tensor& g) {
    if (grad_enabled()) {
      return composed_grad(
          [=](const std::vector<Tensor>& in) {
            return sum(composed::cross_entropy_rows(detail::widened(in[0]), labels, ignore, smoothing));
          },
          {x()}, g)[0];
    }
    return Tensor(kernels::cross_entropy_grad(x.consume(), labels, lse, ignore, smoothing, g.item()));
  };
  return {make_op("cross_entropy", Array::scalar(forward.sum, float32), {{flat, rule}}), forward.count,
          forward.losses};
}

Tensor mse_loss(const Tensor& x, const Tensor& target) {
  if (x.shape() != target.shape())
    fail<ShapeError>("mse_loss: x is ", x.shape(), ", the target ", target.shape());
  return mean(square(x - target));
}

}  // namespace weft
