#include <weft/lib/base/math.h>
#include <weft/lib/kernels/fused/ctc.h>
#include <weft/lib/machine/parallel.h>

#include <algorithm>
#include <limits>
#include <vector>

namespace weft::kernels {
namespace {

constexpr double none = -std::numeric_limits<double>::infinity();

/// One row: log-probabilities (T, V), and its labels with a blank before, between and behind them.
struct Row {
  std::vector<double> log_p = {};
  std::vector<int64_t> labels = {};
  int64_t T = 0, V = 0;
  int64_t blank = 0;

  int64_t S() const { return std::ssize(labels); }
  double at(int64_t t, int64_t s) const {
    return log_p[static_cast<size_t>(t * V + labels[static_cast<size_t>(s)])];
  }
  /// Whether a path may come from two places before: over a blank between two different labels.
  bool skips(int64_t s) const {
    const auto i = static_cast<size_t>(s);
    return s >= 2 && labels[i] != blank && labels[i] != labels[i - 2];
  }
};

template <class T>
Row row_of(const CtcProblem& problem, int64_t b) {
  const int64_t frames = problem.logits.dim(1), V = problem.logits.dim(2),
                U = std::ssize(problem.targets) / std::max<int64_t>(1, problem.logits.dim(0));
  Row row{.T = problem.lengths[static_cast<size_t>(b)], .V = V, .blank = problem.blank};
  row.log_p.resize(static_cast<size_t>(row.T * V));
  const T* x = problem.logits.data<T>() + b * frames * V;
  for (int64_t t = 0; t < row.T; ++t, x += V) {
    double* const to = row.log_p.data() + t * V;
    const double largest = *std::max_element(x, x + V);
    double sum = 0;
    for (int64_t v = 0; v < V; ++v) sum += math::exp(x[v] - largest);
    const double lse = largest + math::log(sum);
    for (int64_t v = 0; v < V; ++v) to[v] = x[v] - lse;
  }
  row.labels.push_back(problem.blank);
  for (int64_t u = 0; u < problem.target_sizes[static_cast<size_t>(b)]; ++u) {
    row.labels.push_back(problem.targets[static_cast<size_t>(b * U + u)]);
    row.labels.push_back(problem.blank);
  }
  return row;
}

/// log alpha (T, S): of all paths that are at label s in frame t.
std::vector<double> forward(const Row& row) {
  const int64_t S = row.S();
  std::vector<double> alpha(static_cast<size_t>(row.T * S), none);
  for (int64_t t = 0; t < row.T; ++t) {
    double* const now = alpha.data() + t * S;
    const double* const before = now - S;
    // Whoever is further back has too few frames left.
    for (int64_t s = std::max<int64_t>(0, S - 2 * (row.T - t)); s < std::min(S, 2 * (t + 1)); ++s) {
      double sum = none;
      if (t == 0) {
        sum = 0;
      } else {
        sum = before[s];
        if (s >= 1) sum = log_add_exp(sum, before[s - 1]);
        if (row.skips(s)) sum = log_add_exp(sum, before[s - 2]);
      }
      now[s] = sum + row.at(t, s);
    }
  }
  return alpha;
}

/// log beta (T, S): of all ways from label s behind frame t to the end.
std::vector<double> backward(const Row& row) {
  const int64_t S = row.S();
  std::vector<double> beta(static_cast<size_t>(row.T * S), none);
  for (int64_t t = row.T; t-- > 0;) {
    double* const now = beta.data() + t * S;
    const double* const after = now + S;
    for (int64_t s = std::max<int64_t>(0, S - 2 * (row.T - t)); s < std::min(S, 2 * (t + 1)); ++s) {
      if (t == row.T - 1) {
        now[s] = 0;
        continue;
      }
      const auto from = [&](int64_t next) { return after[next] + row.at(t + 1, next); };
      double sum = from(s);
      if (s + 1 < S) sum = log_add_exp(sum, from(s + 1));
      if (s + 2 < S && row.skips(s + 2)) sum = log_add_exp(sum, from(s + 2));
      now[s] = sum;
    }
  }
  return beta;
}

double log_probability(const Row& row, const std::vector<double>& alpha) {
  const int64_t S = row.S();
  if (row.T == 0) return S == 1 ? 0 : none;
  const double* const last = alpha.data() + (row.T - 1) * S;
  return S == 1 ? last[0] : log_add_exp(last[S - 1], last[S - 2]);
}

template <class T>
void write_gradient(const CtcProblem& problem, int64_t b, double scale, T* to) {
  const Row row = row_of<T>(problem, b);
  const int64_t S = row.S(), V = row.V;
  const std::vector<double> alpha = forward(row), beta = backward(row);
  const double whole = log_probability(row, alpha);
  if (whole == none) return;
  std::vector<double> said(static_cast<size_t>(V));
  for (int64_t t = 0; t < row.T; ++t) {
    std::ranges::fill(said, 0.0);
    for (int64_t s = 0; s < S; ++s) {
      const auto i = static_cast<size_t>(t * S + s);
      if (alpha[i] != none && beta[i] != none)
        said[static_cast<size_t>(row.labels[static_cast<size_t>(s)])] +=
            math::exp(alpha[i] + beta[i] - whole);
    }
    for (int64_t v = 0; v < V; ++v)
      to[t * V + v] = static_cast<T>(
          scale * (math::exp(row.log_p[static_cast<size_t>(t * V + v)]) - said[static_cast<size_t>(v)]));
  }
}

}  // namespace

double log_add_exp(double a, double b) {
  if (a < b) std::swap(a, b);
  return b == none ? a : a + math::log1p(math::exp(b - a));
}

Array ctc_loss(const CtcProblem& problem) {
  const int64_t B = problem.logits.dim(0);
  Array losses({B}, float64);
  double* const to = losses.mutable_data<double>();
  parallel_for(B, 1, [&](int64_t b, int64_t) {
    const Row row =
        problem.logits.dtype() == float32 ? row_of<float>(problem, b) : row_of<double>(problem, b);
    to[b] = -log_probability(row, forward(row));
  });
  return losses;
}

Array ctc_loss_grad(const CtcProblem& problem, std::span<const double> scales) {
  const Array& x = problem.logits;
  Array dx = Array::zeros(x.shape(), x.dtype());
  const int64_t B = x.dim(0), size = x.dim(1) * x.dim(2);
  const auto run = [&](auto* to) {
    parallel_for(B, 1, [&](int64_t b, int64_t) {
      write_gradient(problem, b, scales[static_cast<size_t>(b)], to + b * size);
    });
  };
  if (x.dtype() == float32)
    run(dx.mutable_data<float>());
  else
    run(dx.mutable_data<double>());
  return dx;
}

}  // namespace weft::kernels
