// Each alert has a curve that raises it, and one near it that does not.
#include <doctest/doctest.h>
#include <weft/tools/board/alerts.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

namespace weft::tools {
namespace {

using Kind = Alert::Kind;
using Of = std::function<double(int64_t line)>;

/// Between -1 and 1, without a pattern, the same each time.
double noise(int64_t i) {
  uint64_t x = static_cast<uint64_t>(i) * 0x9e3779b97f4a7c15ULL + 1;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return 2 * static_cast<double>((x ^ (x >> 31)) >> 11) / 9007199254740992.0 - 1;
}

double falling(int64_t i) { return 2 + 2 / std::sqrt(1 + static_cast<double>(i) / 20) + 0.05 * noise(i); }
double one(int64_t) { return 1; }

/// Of lines 10 updates apart.
Series updates(int64_t lines, const Of& loss, const Of& rate = one, const Of& norm = one) {
  Series series({"loss", "lr", "grad_norm", "tokens_per_second", "memory_bytes"});
  for (int64_t i = 0; i < lines; ++i)
    series.add(10 * i, untold, static_cast<double>(i),
               std::vector<double>{loss(i), rate(i), norm(i) * (1 + 0.1 * noise(i + 7)), untold, untold});
  return series;
}

/// 100 updates apart.
Series evaluations(const std::vector<double>& train, const std::vector<double>& validation) {
  Series series({"train_loss", "val_loss", "val_accuracy", "val_bits_per_byte"});
  for (size_t i = 0; i < train.size(); ++i)
    series.add(static_cast<int64_t>(100 * i), untold, untold,
               std::vector<double>{train[i], validation[i], untold, untold});
  return series;
}

std::vector<Kind> kinds(const std::vector<Alert>& alerts) {
  std::vector<Kind> all;
  for (const Alert& alert : alerts) all.push_back(alert.kind);
  return all;
}

std::vector<Alert> of_updates(const Series& series, Progressing progressing = Progressing::yes) {
  return alerts_of(series, evaluations({}, {}), progressing);
}
std::vector<Alert> of_evaluations(const std::vector<double>& train, const std::vector<double>& validation,
                                  const Of& rate = one) {
  return alerts_of(updates(150, falling, rate), evaluations(train, validation), Progressing::yes);
}

/// n numbers.
std::vector<double> values(int n, const std::function<double(int)>& of) {
  std::vector<double> all;
  for (int i = 0; i < n; ++i) all.push_back(of(i));
  return all;
}

}  // namespace

TEST_CASE("alerts: a loss that falls and trembles raises none") {
  CHECK(of_updates(updates(600, falling)).empty());
  CHECK(of_updates(updates(0, falling)).empty());
  CHECK(of_updates(updates(1, falling)).empty());
  const auto train = values(20, [](int i) { return 1.5 + 2.0 / (i + 1); });
  CHECK(of_evaluations(train, train).empty());
}

TEST_CASE("alerts: a spike of one line, and of several that belong together") {
  const auto spiked = [](double height, int64_t width) {
    return updates(
        500, [=](int64_t i) { return falling(i) + (i >= 300 && i < 300 + width ? height : 0); }, one,
        [](int64_t i) { return i == 300 ? 9.0 : 1.0; });
  };
  for (const int64_t width : {1, 5, 20}) {
    const auto alerts = of_updates(spiked(1.5, width));
    REQUIRE(alerts.size() == 1);
    CHECK(alerts[0].kind == Kind::spike);
    CHECK(alerts[0].step == 3000);
    CHECK(alerts[0].text.find("gradients of norm") != std::string::npos);
  }
  CHECK(of_updates(spiked(0.12, 1)).empty());  // within what is usual
  CHECK(of_updates(spiked(-1.5, 1)).empty());
  // Two apart are two.
  const auto two =
      of_updates(updates(600, [](int64_t i) { return falling(i) + (i == 300 || i == 500 ? 2 : 0); }));
  CHECK(std::ranges::count(kinds(two), Kind::spike) == 2);
}

TEST_CASE("alerts: of many spikes the highest, by step") {
  const auto alerts = of_updates(updates(6000, [](int64_t i) {
    return falling(i) + (i > 0 && i % 100 == 0 ? static_cast<double>(i) / 1000 : 0);
  }));
  CHECK(alerts.size() == most_spikes);
  CHECK(alerts.front().step == 40'000);
  CHECK(alerts.back().step == 59'000);
}

TEST_CASE("alerts: a loss that rises and stays up has diverged; one that comes back has not") {
  const auto risen = [](int64_t back) {
    return updates(600, [=](int64_t i) {
      return i < 400 || i >= back ? falling(i) : falling(400) + 0.02 * static_cast<double>(i - 400);
    });
  };
  const auto diverged = of_updates(risen(600));
  CHECK(std::ranges::count(kinds(diverged), Kind::divergence) == 1);
  for (const Alert& alert : diverged)
    if (alert.kind == Kind::divergence) CHECK(std::abs(alert.step - 4000) < 300);
  CHECK(std::ranges::count(kinds(of_updates(risen(450))), Kind::divergence) == 0);
  // One that never learned.
  const auto never =
      of_updates(updates(300, [](int64_t i) { return 4 + 0.01 * static_cast<double>(i) + 0.05 * noise(i); }));
  CHECK(std::ranges::count(kinds(never), Kind::divergence) == 1);
  // Losing a little of what was learned is no divergence.
  const auto lost = of_updates(updates(600, [](int64_t i) { return falling(i) + (i < 400 ? 0 : 0.1); }));
  CHECK(std::ranges::count(kinds(lost), Kind::divergence) == 0);
}

TEST_CASE("alerts: numbers that are not finite, and a stop right behind large gradients") {
  const auto with = [](double loss, double norm) {
    return updates(
        100, [=](int64_t i) { return i == 60 ? loss : falling(i); }, one,
        [=](int64_t i) { return i == 60 ? norm : 1; });
  };
  const double nan = static_cast<double>(NAN), infinity = static_cast<double>(INFINITY);
  for (const Series& series : {with(nan, 1), with(infinity, 1), with(2, infinity)}) {
    const auto alerts = of_updates(series);
    REQUIRE(alerts.size() == 1);
    CHECK(alerts[0].kind == Kind::not_finite);
    CHECK(alerts[0].step == 600);
  }
  CHECK(of_updates(with(falling(60), 1)).empty());
  // A log that tells no norms.
  CHECK(of_updates(updates(100, falling, one, [](int64_t) { return untold; })).empty());

  const auto ends_with = [](double norm) {
    return updates(100, falling, one, [=](int64_t i) { return i == 99 ? norm : 1; });
  };
  CHECK(kinds(of_updates(ends_with(30), Progressing::stopped)) == std::vector{Kind::divergence});
  CHECK(of_updates(ends_with(30), Progressing::yes).empty());
  CHECK(of_updates(ends_with(30), Progressing::finished).empty());
  CHECK(of_updates(ends_with(5), Progressing::stopped).empty());
}

TEST_CASE("alerts: overfitting begins where validation turns while training goes on") {
  const auto train = values(20, [](int i) { return 1 + 2.0 / (i + 1); });
  const auto turns = [](double slope) {
    return values(20, [=](int i) { return 1.2 + 2.0 / (std::min(i, 8) + 1) + slope * std::max(0, i - 8); });
  };
  const auto alerts = of_evaluations(train, turns(0.02));
  REQUIRE(kinds(alerts) == std::vector{Kind::overfitting});
  CHECK(alerts[0].step == 800);
  // It falls on.
  CHECK(of_evaluations(train, values(20, [](int i) { return 1.2 + 2.0 / (i + 1); })).empty());
  // Both rise: no overfitting.
  const auto rises =
      values(20, [](int i) { return 1 + 2.0 / (std::min(i, 8) + 1) + 0.02 * std::max(0, i - 8); });
  CHECK(std::ranges::count(kinds(of_evaluations(rises, turns(0.02))), Kind::overfitting) == 0);
  // By a hair.
  CHECK(std::ranges::count(kinds(of_evaluations(train, turns(0.0002))), Kind::overfitting) == 0);
  // Two evaluations are too few.
  const std::vector<double> short_train(train.begin(), train.begin() + 11);
  const auto all = turns(0.1);
  CHECK(of_evaluations(short_train, std::vector<double>(all.begin(), all.begin() + 11)).empty());
}

TEST_CASE(
    "alerts: a plateau while the rate is high; none where it has fallen, or where the loss falls still") {
  const auto flat = values(24, [](int i) { return 1.5 + (i < 10 ? 2.0 / (i + 1) : 0.2 - 1e-4 * i); });
  const auto alerts = of_evaluations(flat, flat);
  REQUIRE(kinds(alerts) == std::vector{Kind::plateau});
  CHECK(alerts[0].step >= 900);
  CHECK(alerts[0].step <= 1100);
  CHECK(of_evaluations(flat, flat, [](int64_t i) { return i < 100 ? 1 : 0.1; }).empty());
  CHECK(kinds(of_evaluations(flat, flat, [](int64_t i) { return i < 100 ? 1 : 0.2; })) ==
        std::vector{Kind::plateau});
  const auto falls = values(24, [](int i) { return 1.5 + (i < 10 ? 2.0 / (i + 1) : 0.2 - 4e-3 * (i - 10)); });
  CHECK(of_evaluations(falls, falls).empty());
  // Without evaluations, by the updates.
  const auto level = [](int64_t lines) {
    return of_updates(updates(
        lines, [](int64_t i) { return 2 + 2 * std::exp(-static_cast<double>(i) / 20) + 0.01 * noise(i); }));
  };
  CHECK(kinds(level(400)) == std::vector{Kind::plateau});
  CHECK(level(199).empty());
}

TEST_CASE("alerts: evaluations that are not finite stop nothing") {
  auto losses = values(20, [](int i) { return 1 + 2.0 / (i + 1); });
  losses[0] = losses[7] = losses[19] = static_cast<double>(NAN);
  CHECK(of_evaluations(losses, losses).empty());
}

}  // namespace weft::tools
