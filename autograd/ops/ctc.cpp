#include <weft/autograd/autocast_internal.h>
#include <weft/autograd/op.h>
#include <weft/autograd/ops.h>
#include <weft/autograd/ops/composed.h>
#include <weft/lib/kernels/fused/ctc.h>

#include <algorithm>
#include <limits>
#include <memory>

namespace weft {
namespace {

/// What stands for -infinity in sums of logarithms, whose gradients it would make NaN.
constexpr double none = -1e30;

struct CtcTargets {
  std::vector<int64_t> lengths = {}, labels = {}, sizes = {};
  int64_t blank = 0;

  kernels::CtcProblem problem(Array logits) const {
    return {.logits = std::move(logits),
            .lengths = lengths,
            .targets = labels,
            .target_sizes = sizes,
            .blank = blank};
  }
};

CtcTargets checked(const Tensor& logits, const Array& targets, const std::vector<int64_t>& lengths,
                   int64_t blank) {
  if (logits.rank() != 3 || targets.rank() != 2 || logits.dim(0) != targets.dim(0) ||
      (!lengths.empty() && std::ssize(lengths) != logits.dim(0)))
    fail<ShapeError>("ctc_loss: logits are ", logits.shape(), ", targets ", targets.shape(), ", with ",
                     lengths.size(), " lengths: needs (B, T, V), (B, U) and none or B");
  const int64_t B = logits.dim(0), T = logits.dim(1), V = logits.dim(2), U = targets.dim(1);
  if (blank < 0 || blank >= V)
    fail<ValueError>("ctc_loss: the blank ", blank, " is not one of ", V, " classes");
  CtcTargets all{.lengths = lengths.empty() ? std::vector<int64_t>(static_cast<size_t>(B), T) : lengths,
                 .blank = blank};
  for (const int64_t length : all.lengths)
    if (length < 0 || length > T)
      fail<ValueError>("ctc_loss: a row of ", length, " frames, and the logits have ", T);
  const auto values = targets.values<int64_t>();
  all.labels.assign(values.begin(), values.end());
  for (int64_t b = 0; b < B; ++b) {
    const auto row = values.subspan(static_cast<size_t>(b * U), static_cast<size_t>(U));
    const auto end = std::ranges::find(row, int64_t{-100});
    all.sizes.push_back(end - row.begin());
    for (const int64_t label : std::span(row.begin(), end))
      if (label < 0 || label >= V || label == blank)
        fail<ValueError>("ctc_loss: the label ", label, " of row ", b, " is ",
                         label == blank ? "the blank" : str("not one of ", V, " classes"));
    if (std::ranges::any_of(std::span(end, row.end()), [](int64_t label) { return label != -100; }))
      fail<ValueError>("ctc_loss: row ", b, " has a label behind one that is ignored");
  }
  return all;
}

Tensor shifted(const Tensor& x, int64_t by) {
  const int64_t B = x.dim(0), S = x.dim(1);
  const Tensor first(Array::full({B, std::min(by, S)}, none, x.dtype()));
  return S <= by ? first : cat({first, slice(x, 1, 0, S - by)}, 1);
}

/// log(exp(a) + exp(b)), where either may stand for -infinity.
Tensor add_logs(const Tensor& a, const Tensor& b) {
  const int64_t B = a.dim(0), S = a.dim(1);
  return reshape(logsumexp(cat({reshape(a, {B, S, 1}), reshape(b, {B, S, 1})}, 2), {2}), {B, S});
}

}  // namespace

namespace composed {

Tensor ctc_rows(const Tensor& logits, const Array& targets, const std::vector<int64_t>& given,
                int64_t blank) {
  const CtcTargets all = checked(logits, targets, given, blank);
  const int64_t B = logits.dim(0), T = logits.dim(1), U = targets.dim(1), S = 2 * U + 1;
  const DType type = logits.dtype();
  Array labels = Array::full({B, 1, S}, static_cast<double>(blank), int64),
        skips = Array::full({B, S}, none, float64), start = Array::full({B, S}, none, float64),
        ends = Array::full({B, S}, none, float64);
  for (int64_t b = 0; b < B; ++b) {
    int64_t* const row = labels.mutable_data<int64_t>() + b * S;
    const int64_t size = all.sizes[static_cast<size_t>(b)];
    for (int64_t u = 0; u < size; ++u) row[2 * u + 1] = all.labels[static_cast<size_t>(b * U + u)];
    for (int64_t s = 3; s < S; s += 2)
      if (row[s] != row[s - 2] && row[s] != blank) skips.mutable_data<double>()[b * S + s] = 0;
    for (int64_t s = 0; s < std::min<int64_t>(2, S); ++s) start.mutable_data<double>()[b * S + s] = 0;
    for (int64_t s = std::max<int64_t>(0, 2 * size - 1); s <= 2 * size; ++s)
      ends.mutable_data<double>()[b * S + s] = 0;
  }
  const Tensor log_p = composed::log_softmax(logits), over(skips.to(type));
  Tensor alpha;
  for (int64_t t = 0; t < T; ++t) {
    const Tensor frame = reshape(gather(slice(log_p, 1, t, t + 1), 2, labels), {B, S});
    if (t == 0) {
      alpha = frame + Tensor(start.to(type));
      continue;
    }
    const Tensor next = add_logs(add_logs(alpha, shifted(alpha, 1)), shifted(alpha, 2) + over) + frame;
    Array counts = Array::zeros({B, 1}, boolean);
    for (int64_t b = 0; b < B; ++b) counts.mutable_data<bool>()[b] = t < all.lengths[static_cast<size_t>(b)];
    alpha = where(counts, next, alpha);
  }
  return -logsumexp(alpha + Tensor(ends.to(type)), {1});
}

}  // namespace composed

Loss ctc_loss(const Tensor& given, const Array& targets, const std::vector<int64_t>& lengths,
              CtcLossOptions options) {
  const Tensor logits = detail::widened(given);
  const auto all = std::make_shared<const CtcTargets>(checked(logits, targets, lengths, options.blank));
  Array rows = kernels::ctc_loss(all->problem(logits.value()));
  double* const values = rows.mutable_data<double>();
  double sum = 0;
  int64_t count = 0;
  for (int64_t b = 0; b < rows.size(); ++b) {
    if (options.zero_infinity && values[b] == std::numeric_limits<double>::infinity()) {
      values[b] = 0;
      continue;
    }
    sum += values[b];
    count += std::max<int64_t>(1, all->sizes[static_cast<size_t>(b)]);
  }
  const auto rule = [all, targets, blank = options.blank, x = save(logits)](const Tensor& g) {
    if (grad_enabled()) {
      return composed_grad(
          [&](const std::vector<Tensor>& in) {
            return weft::sum(composed::ctc_rows(in[0], targets, all->lengths, blank));
          },
          {x()}, g)[0];
    }
    const std::vector<double> scales(all->sizes.size(), g.item());
    return Tensor(kernels::ctc_loss_grad(all->problem(x().value()), scales));
  };
  return {make_op("ctc_loss", Array::scalar(sum, logits.dtype()), {{logits, rule}}), count, rows};
}

}  // namespace weft
