#include "alerts.h"

#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

namespace weft::tools {
namespace {

constexpr double follows = 50;        ///< lines
constexpr int64_t learned_from = 30;  ///< lines

using Values = std::vector<float>;

/// The mean of values and of their distances from it, over the last ones that were taken.
class Usual {
 public:
  void take(double value) {
    ++taken_;
    const double share = std::max(1.0 / static_cast<double>(taken_), 1.0 / follows);
    const double away = std::abs(value - mean_);
    mean_ = taken_ == 1 ? value : mean_ + share * (value - mean_);
    if (taken_ > 1)
      distance_ += std::max(1.0 / static_cast<double>(taken_ - 1), 1.0 / follows) * (away - distance_);
  }
  double mean() const { return mean_; }
  double distance() const { return distance_; }
  bool known() const { return taken_ >= learned_from; }

 private:
  int64_t taken_ = 0;
  double mean_ = 0, distance_ = 0;
};

double mean_of(const Values& values, size_t begin, size_t end) {
  return std::accumulate(values.begin() + static_cast<std::ptrdiff_t>(begin),
                         values.begin() + static_cast<std::ptrdiff_t>(end), 0.0) /
         static_cast<double>(end - begin);
}

bool all_finite(const Values& values) {
  return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

std::string at(int64_t step) { return str("step ", grouped(step)); }

// --- Of updates ------------------------------------------------------------------------------------------------------

struct Spike {
  size_t line = 0, last = 0;  ///< where it begins, and its last line so far
  double top = 0, usual = 0, norm = 0, usual_norm = 0;
  double rise() const { return top / usual; }
};

Alert alert_of(const Spike& s, const Series& updates) {
  std::string text = str("The loss jumps from ", fixed(s.usual, 3), " to ", fixed(s.top, 3));
  if (std::isfinite(s.norm) && s.norm > 3 * s.usual_norm && s.usual_norm > 0)
    text += str(", with gradients of norm ", brief(s.norm), " (usually ", brief(s.usual_norm), ")");
  text +=
      ". One that comes back does little harm: a rare batch, or a step that was too large. Several call for "
      "a "
      "smaller learning_rate, a smaller grad_clip, or more warmup_iters.";
  return {Alert::Kind::spike, updates.steps()[s.line], "loss spike", text};
}

void find_spikes(const Series& updates, std::vector<Alert>& to) {
  const Values &loss = updates["loss"], &norm = updates["grad_norm"];
  constexpr size_t together = static_cast<size_t>(follows);
  std::vector<Spike> spikes;
  Usual usual, usual_norm;
  for (size_t i = 0; i < loss.size(); ++i) {
    const double now = static_cast<double>(loss[i]), norm_now = static_cast<double>(norm[i]);
    if (!std::isfinite(now)) continue;
    const bool high = usual.known() && now > usual.mean() + 8 * usual.distance() && now > 1.1 * usual.mean();
    const bool goes_on = !spikes.empty() && i - spikes.back().last <= together;
    if (high && goes_on && i - spikes.back().line > 2 * together) {
      usual = usual_norm = Usual();  // it stays up there
    } else if (high && goes_on) {
      Spike& spike = spikes.back();
      spike.last = i;
      spike.top = std::max(spike.top, now);
      if (std::isfinite(norm_now)) spike.norm = std::fmax(spike.norm, norm_now);
    } else if (high) {
      spikes.push_back({i, i, now, usual.mean(), norm_now, usual_norm.mean()});
    }
    if (high) continue;
    usual.take(now);
    if (std::isfinite(norm_now)) usual_norm.take(norm_now);
  }
  if (spikes.size() > most_spikes) {
    std::ranges::stable_sort(spikes, std::greater<>(), &Spike::rise);
    spikes.resize(most_spikes);
  }
  for (const Spike& spike : spikes) to.push_back(alert_of(spike, updates));
}

void find_not_finite(const Series& updates, std::vector<Alert>& to) {
  const Values &loss = updates["loss"], &norm = updates["grad_norm"];
  for (size_t i = 0; i < loss.size(); ++i) {
    const bool bad_loss = !std::isfinite(loss[i]);
    if (!bad_loss && !std::isinf(norm[i])) continue;
    to.push_back(
        {Alert::Kind::not_finite, updates.steps()[i], "not a finite number",
         str("The ", bad_loss ? "loss" : "norm of the gradient", " of ", at(updates.steps()[i]),
             " is NaN or infinite: what comes behind it is worth nothing. Go on from a checkpoint before "
             "it, with a smaller learning_rate or a grad_clip.")});
    return;
  }
}

/// Where the usual loss was at its best, if most of what was gained is lost at the end.
std::optional<Alert> divergence(const Series& updates) {
  const Values& loss = updates["loss"];
  Usual usual;
  double first = 0, best = 0;
  size_t best_line = 0;
  int64_t taken = 0;
  for (size_t i = 0; i < loss.size(); ++i) {
    if (!std::isfinite(loss[i])) continue;
    usual.take(static_cast<double>(loss[i]));
    if (++taken == 10) first = usual.mean();
    if (taken >= 10 && (taken == 10 || usual.mean() < best)) {
      best = usual.mean();
      best_line = i;
    }
  }
  const double now = usual.mean();
  if (!usual.known() || now < 1.2 * best || now - best < 0.5 * (first - best)) return std::nullopt;
  return Alert{Alert::Kind::divergence, updates.steps()[best_line], "divergence",
               str("Up to ", at(updates.steps()[best_line]), " the loss fell to ", fixed(best, 3),
                   "; since then it has risen to ", fixed(now, 3),
                   " and has not come back. Stop it and go on from a checkpoint before that, with a smaller "
                   "learning_rate.")};
}

std::optional<Alert> stop_at_large_gradients(const Series& updates) {
  const Values& norm = updates["grad_norm"];
  if (norm.size() < static_cast<size_t>(learned_from) + 1) return std::nullopt;
  Usual usual;
  for (size_t i = 0; i + 1 < norm.size(); ++i)
    if (std::isfinite(norm[i])) usual.take(static_cast<double>(norm[i]));
  const double last = static_cast<double>(norm.back());
  if (!usual.known() || !(last > 10 * usual.mean())) return std::nullopt;
  return Alert{Alert::Kind::divergence, updates.steps().back(), "stop at large gradients",
               str("The run stopped behind ", at(updates.steps().back()), ", whose gradients had the norm ",
                   brief(last), " (usually ", brief(usual.mean()),
                   "). Training stops by itself before an update whose numbers are not finite; a smaller "
                   "learning_rate or grad_clip may help.")};
}

// --- Of evaluations --------------------------------------------------------------------------------------------------

std::optional<Alert> overfitting(const Series& evaluations) {
  const Values &train = evaluations["train_loss"], &validation = evaluations["val_loss"];
  if (!all_finite(train) || !all_finite(validation)) return std::nullopt;
  const size_t best = static_cast<size_t>(std::ranges::min_element(validation) - validation.begin());
  const size_t count = validation.size();
  if (count < best + 4) return std::nullopt;
  const double then = static_cast<double>(validation[best]), learned = static_cast<double>(train[best]);
  const double now = mean_of(validation, count - 3, count), learned_now = mean_of(train, count - 3, count);
  if (!(now > 1.005 * then) || !(learned_now < learned)) return std::nullopt;
  const int64_t step = evaluations.steps()[best];
  return Alert{
      Alert::Kind::overfitting, step, "overfitting begins",
      str("The validation loss was lowest at ", at(step), " (", fixed(then, 3), ") and is ", fixed(now, 3),
          " now, while the training loss went on from ", fixed(learned, 3), " to ", fixed(learned_now, 3),
          ": the model learns its training data by heart. best.h5 is the one of ", at(step),
          ". More data, dropout or weight_decay help; patience ends a run here.")};
}

/// From which of these on the best has hardly fallen; nothing where it still falls.
std::optional<size_t> begin_of_plateau(const std::vector<double>& losses) {
  const size_t window = std::max<size_t>(5, losses.size() / 4);
  if (losses.size() <= window) return std::nullopt;
  const double best = *std::ranges::min_element(losses);
  const double before = *std::min_element(losses.begin(), losses.end() - static_cast<std::ptrdiff_t>(window));
  if (before - best >= 0.002 * std::abs(before)) return std::nullopt;
  const auto begin =
      std::ranges::find_if(losses, [&](double one) { return one - best < 0.002 * std::abs(one); });
  return static_cast<size_t>(begin - losses.begin());
}

std::optional<Alert> plateau(const Series& updates, const Series& evaluations) {
  const Values& rate = updates["lr"];
  const auto largest = std::ranges::max_element(rate);
  if (largest != rate.end() && std::isfinite(*largest) && rate.back() <= 0.15F * *largest)
    return std::nullopt;
  std::vector<double> losses;
  std::vector<int64_t> steps;
  if (!evaluations.empty()) {
    const Values& validation = evaluations["val_loss"];
    if (!all_finite(validation)) return std::nullopt;
    losses.assign(validation.begin(), validation.end());
    steps = evaluations.steps();
  } else {
    const Values& loss = updates["loss"];
    if (!all_finite(loss)) return std::nullopt;
    constexpr size_t parts = 20;
    for (size_t part = 0; loss.size() >= 200 && part < parts; ++part) {
      const size_t begin = part * loss.size() / parts;
      losses.push_back(mean_of(loss, begin, (part + 1) * loss.size() / parts));
      steps.push_back(updates.steps()[begin]);
    }
  }
  const auto begin = begin_of_plateau(losses);
  if (!begin) return std::nullopt;
  return Alert{
      Alert::Kind::plateau, steps[*begin], "plateau",
      str("Since ", at(steps[*begin]), " the ", evaluations.empty() ? "" : "validation ", "loss stays near ",
          fixed(*std::ranges::min_element(losses), 3),
          ", though the learning rate is still high. A schedule that lets it fall, a larger model, or other "
          "data may get further; more of the same will hardly.")};
}

}  // namespace

const char* name_of(Alert::Kind kind) {
  switch (kind) {
    case Alert::Kind::spike:
      return "spike";
    case Alert::Kind::divergence:
      return "divergence";
    case Alert::Kind::not_finite:
      return "not_finite";
    case Alert::Kind::overfitting:
      return "overfitting";
    case Alert::Kind::plateau:
      return "plateau";
  }
  return "";
}

std::vector<Alert> alerts_of(const Series& updates, const Series& evaluations, Progressing progressing) {
  std::vector<Alert> found;
  find_spikes(updates, found);
  find_not_finite(updates, found);
  std::optional<Alert> lost = divergence(updates);
  if (!lost && progressing == Progressing::stopped) lost = stop_at_large_gradients(updates);
  const std::optional<Alert> overfits = overfitting(evaluations);
  if (lost) found.push_back(*lost);
  if (overfits) found.push_back(*overfits);
  if (!lost && !overfits)
    if (const auto flat = plateau(updates, evaluations)) found.push_back(*flat);
  std::ranges::stable_sort(found, {}, &Alert::step);
  return found;
}

}  // namespace weft::tools
