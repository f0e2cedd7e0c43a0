#include <weft/data/scores/scores.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <numeric>

namespace weft {

Confusion::Confusion(int64_t classes) : classes_(classes) {
  if (classes < 1) fail<ValueError>("Confusion: needs at least 1 class, not ", classes);
  counts_.resize(static_cast<size_t>(classes * classes));
}

void Confusion::add(std::span<const int64_t> predictions, std::span<const int64_t> targets) {
  if (predictions.size() != targets.size())
    fail<ValueError>("Confusion: ", predictions.size(), " predictions for ", targets.size(), " targets");
  const auto known = [&](int64_t one) { return one >= 0 && one < classes_; };
  for (size_t i = 0; i < targets.size(); ++i)
    if (targets[i] != Batch::ignored && !(known(predictions[i]) && known(targets[i])))
      fail<ValueError>("Confusion: prediction ", predictions[i], " for target ", targets[i], " of ", classes_,
                       " classes");
  for (size_t i = 0; i < targets.size(); ++i)
    if (targets[i] != Batch::ignored) ++counts_[static_cast<size_t>(targets[i] * classes_ + predictions[i])];
}

int64_t Confusion::total() const { return std::accumulate(counts_.begin(), counts_.end(), int64_t{0}); }

int64_t Confusion::count(int64_t target, int64_t prediction) const {
  if (target < 0 || target >= classes_ || prediction < 0 || prediction >= classes_)
    fail<ValueError>("Confusion: no count of prediction ", prediction, " for target ", target, " of ",
                     classes_, " classes");
  return counts_[static_cast<size_t>(target * classes_ + prediction)];
}

double Confusion::accuracy() const {
  int64_t right = 0;
  for (int64_t one = 0; one < classes_; ++one) right += count(one, one);
  return right == 0 ? 0.0 : static_cast<double>(right) / static_cast<double>(total());
}

Confusion::Hits Confusion::hits(int64_t one) const {
  Hits hits{.both = count(one, one)};
  for (int64_t other = 0; other < classes_; ++other) {
    hits.target += count(one, other);
    hits.prediction += count(other, one);
  }
  return hits;
}

template <class Score>
double Confusion::mean(Score score) const {
  double sum = 0;
  int64_t occur = 0;
  for (int64_t one = 0; one < classes_; ++one) {
    const Hits found = hits(one);
    if (found.target + found.prediction == 0) continue;
    sum += score(found);
    ++occur;
  }
  return occur == 0 ? 0.0 : sum / static_cast<double>(occur);
}

double Confusion::f1(int64_t positive) const {
  const Hits found = hits(positive);
  const int64_t all = found.target + found.prediction;
  return all == 0 ? 0.0 : static_cast<double>(2 * found.both) / static_cast<double>(all);
}

double Confusion::macro_f1() const {
  return mean([](const Hits& one) {
    return static_cast<double>(2 * one.both) / static_cast<double>(one.target + one.prediction);
  });
}

double Confusion::mean_iou() const {
  return mean([](const Hits& one) {
    return static_cast<double>(one.both) / static_cast<double>(one.target + one.prediction - one.both);
  });
}

}  // namespace weft
