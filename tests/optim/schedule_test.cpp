#include <doctest/doctest.h>
#include <weft/optim/schedule.h>

#include "reference.h"

namespace weft::test {

TEST_CASE("schedule: cosine with warm-up is nanoGPT's, at every step") {
  const auto expected = reference("schedules").array("cosine").values<double>();
  for (size_t k = 0; k < expected.size(); ++k) {
    CAPTURE(k);
    const double lr =
        schedule::cosine(static_cast<int64_t>(k), {.lr = 1e-3, .warmup = 10, .steps = 100, .min_lr = 1e-4});
    CHECK(lr == doctest::Approx(expected[k]).epsilon(1e-14));
  }
}

TEST_CASE("schedule: inverse square root is the paper's, whose steps count from 1") {
  const auto expected = reference("schedules").array("inverse_square_root").values<double>();
  for (size_t k = 0; k < expected.size(); ++k) {
    CAPTURE(k);
    CHECK(schedule::inverse_square_root(static_cast<int64_t>(k), 512, 40) ==
          doctest::Approx(expected[k]).epsilon(1e-14));
  }
  CHECK(schedule::inverse_square_root(5, 512, 40, 2) == 2 * schedule::inverse_square_root(5, 512, 40));
  refuses<ValueError>([] { schedule::inverse_square_root(0, 0, 40); }, {"inverse_square_root", "width 0"});
  refuses<ValueError>([] { schedule::inverse_square_root(0, 512, 0); }, {"inverse_square_root", "warmup 0"});
}

TEST_CASE("schedule: constant and linear") {
  const schedule::WarmupOptions o{.lr = 1, .warmup = 3, .steps = 13, .min_lr = 0.5};
  for (const auto f : {schedule::constant, schedule::linear, schedule::cosine}) {
    CHECK(f(0, o) == 0.25);
    CHECK(f(2, o) == 0.75);
    CHECK(f(3, o) == 1);
  }
  CHECK(schedule::constant(1000, o) == 1);
  CHECK(schedule::linear(8, o) == 0.75);
  CHECK(schedule::linear(13, o) == 0.5);
  CHECK(schedule::linear(1000, o) == 0.5);
  CHECK(schedule::cosine(13, o) == 0.5);
  CHECK(schedule::cosine(1000, o) == 0.5);
}

TEST_CASE("schedule: one cycle is PyTorch's, at every step") {
  const auto expected = reference("schedules").array("one_cycle").values<double>();
  for (size_t k = 0; k < expected.size(); ++k) {
    CAPTURE(k);
    const double lr = schedule::one_cycle(static_cast<int64_t>(k),
                                          {.lr = 1e-3, .warmup = 30, .steps = 100, .min_lr = 1e-3 / 25e4});
    CHECK(lr == doctest::Approx(expected[k]).epsilon(1e-12));
  }
  CHECK(schedule::one_cycle(0, {.lr = 1, .warmup = 1, .steps = 10}) == 1);
  CHECK(schedule::one_cycle(0, {.lr = 1, .warmup = 0, .steps = 0, .min_lr = 0.5}) == 0.5);
  CHECK(schedule::one_cycle(200, {.lr = 1, .warmup = 30, .steps = 100, .min_lr = 0.5}) == 0.5);
}

TEST_CASE("schedule: warm-up, stable, decay") {
  const schedule::WarmupOptions o{.lr = 1, .warmup = 3, .steps = 20, .min_lr = 0.5, .decay = 4};
  const auto f = schedule::warmup_stable_decay;
  CHECK(f(0, o) == 0.25);
  CHECK(f(3, o) == 1);
  CHECK(f(16, o) == 1);
  CHECK(f(18, o) == 0.75);
  CHECK(f(20, o) == 0.5);
  CHECK(f(1000, o) == 0.5);
  CHECK(f(19, {.lr = 1, .steps = 20, .decay = 0}) == 1);
  CHECK(f(5, {.lr = 1, .warmup = 3, .steps = 7, .decay = 100}) == 0.5);
}

TEST_CASE("schedule: the inverse square root of a highest rate is the paper's of a width") {
  const double lr = 1 / std::sqrt(512.0 * 40);
  for (const int64_t k : {0, 1, 38, 39, 40, 41, 1000})
    CHECK(schedule::inverse_square_root(k, {.lr = lr, .warmup = 40}) ==
          doctest::Approx(schedule::inverse_square_root(k, 512, 40)).epsilon(1e-14));
  CHECK(schedule::inverse_square_root(39, {.lr = 0.5, .warmup = 40}) == 0.5);
  CHECK(schedule::inverse_square_root(3, {.lr = 1, .warmup = 0}) == 0.5);
}

TEST_CASE("schedule: all by name") {
  for (const std::string& name : schedules().names())
    CHECK(schedules().at(name).function(7, {.lr = 1, .steps = 100}) > 0);
  CHECK(schedules().at("cosine").function(7, {.lr = 1, .steps = 100}) ==
        schedule::cosine(7, {.lr = 1, .steps = 100}));
  refuses<ValueError>([] { schedules().at("cosin"); }, {"'cosin'", "cosine"});
}

TEST_CASE("schedule: no warm-up, no decay, and a warm-up longer than the decay") {
  CHECK(schedule::cosine(0, {.lr = 1, .steps = 10}) == 1);
  CHECK(schedule::cosine(7, {.lr = 1, .warmup = 20, .steps = 5}) == doctest::Approx(8.0 / 21));
  CHECK(schedule::cosine(20, {.lr = 1, .warmup = 20, .steps = 5, .min_lr = 0.1}) == 0.1);
  CHECK(schedule::linear(0, {.lr = 1, .steps = 0, .min_lr = 0.1}) == 0.1);
}

TEST_CASE("register schedule: a user's is known by name, once, with settings of its own") {
  register_schedule("steps",
                    [](int64_t step, const schedule::WarmupOptions& o) {
                      return step < o.settings.integer("drop_at") ? o.lr : o.lr / 10;
                    },
                    {{.name = "drop_at", .value = int64_t{10}}});
  const ScheduleEntry& entry = schedules().at("steps");
  CHECK(entry.settings.at(0).name == "drop_at");
  schedule::WarmupOptions options{.lr = 1};
  options.settings.set("drop_at", int64_t{5});
  CHECK(entry.function(4, options) == 1);
  CHECK(entry.function(5, options) == 0.1);
  refuses<ValueError>([] { register_schedule("steps", schedule::cosine); }, {"'steps'", "already"});
}

}  // namespace weft::test
