#include <doctest/doctest.h>
#include <weft/autograd/ops.h>
#include <weft/lib/profile/profile.h>
#include <weft/optim/adam.h>
#include <weft/optim/sgd.h>
#include <weft/optim/train_step.h>

#include <limits>

#include "reference.h"

namespace weft::test {

namespace {

/// A loss of `rows` rows whose gradient in w is `gradient` times each.
Loss loss_of(const Tensor& w, const std::vector<double>& gradient, int64_t rows = 1) {
  const auto n = static_cast<int64_t>(gradient.size());
  const Tensor sum = weft::sum(w * Tensor(Array::from(gradient, {n})));
  return {.sum = sum * static_cast<double>(rows), .count = rows, .rows = Array::zeros({rows}, float64)};
}

}  // namespace

TEST_CASE(
    "train step: divides by the rows of all micro-batches, clips, updates at the rate given, and forgets") {
  const Tensor w(Array::from<double>({1, 1}, {2}), true);
  SGD optimizer({{"w", w}}, {.lr = 100});
  TrainStep step(optimizer);
  step.backward(4, [&] { return loss_of(w, {3, 4}, 4); });
  step.backward(6, [&] { return loss_of(w, {3, 4}, 6); });
  CHECK(step.samples() == 10);
  CHECK(step.rows() == 10);
  CHECK(step.finish({.lr = 0.5}) == doctest::Approx(5));
  CHECK(w.value().at({0}) == doctest::Approx(1 - 0.5 * 3));
  CHECK_FALSE(w.grad().defined());
  step.backward(1, [&] { return loss_of(w, {3, 4}); });
  CHECK(step.finish({.lr = 1, .max_norm = 2.5}) == doctest::Approx(5));
  CHECK(w.value().at({1}) == doctest::Approx(1 - 0.5 * 4 - 2).epsilon(1e-6));
}

TEST_CASE("train step: a loss that none of the optimizer's parameters is part of is refused") {
  const Tensor w(Array::from<double>({1, 1}, {2}), true), other(Array::from<double>({1, 1}, {2}), true);
  SGD optimizer({{"w", w}});
  TrainStep step(optimizer);
  step.backward(1, [&] { return loss_of(other, {3, 4}); });
  refuses<StateError>([&] { step.finish({}); },
                      {"TrainStep", "none of the optimizer's 1 parameters", "another model"});
  CHECK(optimizer.steps() == 0);
}

TEST_CASE("train step: micro-batches draw the random numbers of their own samples") {
  const Tensor w(Array::ones({6, 5}), true);
  SGD optimizer({{"w", w}});
  const auto masks = [&](const std::vector<int64_t>& cuts) {
    std::vector<Array> parts;
    TrainStep step(optimizer, {.seed = 7, .step = 3});
    int64_t begin = 0;
    for (const int64_t rows : cuts) {
      step.backward(rows, [&] {
        const Tensor kept = dropout(slice(w, 0, begin, begin + rows), 0.5, "d");
        parts.push_back(kept.value());
        return Loss{.sum = sum(kept), .count = rows, .rows = Array::zeros({rows})};
      });
      begin += rows;
    }
    step.finish({.lr = 0});
    std::vector<Tensor> tensors(parts.begin(), parts.end());
    return cat(tensors, 0).value();
  };
  const Array whole = masks({6});
  CHECK(masks({2, 4}).identical(whole));
  CHECK(masks({1, 1, 1, 3}).identical(whole));
}

TEST_CASE("train step: a gradient that is not finite stops before the update, and is named") {
  const std::vector<NamedTensor> p = start(), before = start();
  AdamW optimizer(p);
  TrainStep step(optimizer);
  step.backward(1, [&] { return Loss{.sum = sum(p[0].tensor), .count = 1, .rows = Array::zeros({1})}; });
  NamedTensor bias = p[1];
  bias.tensor.set_grad(Array::full(bias.tensor.shape(), std::numeric_limits<double>::quiet_NaN(), float32));
  refuses<NumericError>([&] { step.finish({}); }, {"TrainStep", "'bias'", "nothing was updated"});
  CHECK(optimizer.steps() == 0);
  CHECK(p[0].tensor.value().identical(before[0].tensor.value()));
  CHECK(optimizer.state_dict().dict("m").empty());
}

TEST_CASE("train step: what would divide twice, or by nothing, is refused") {
  const Tensor w(Array::from<double>({1, 1}, {2}), true);
  SGD optimizer({{"w", w}});
  loss_of(w, {3, 4}).mean().backward();
  refuses<StateError>([&] { TrainStep step(optimizer); }, {"'w'", "has a gradient already", "zero_grad()"});
  optimizer.zero_grad();
  TrainStep step(optimizer);
  refuses<StateError>([&] { step.finish({}); }, {"no loss was added"});
  refuses<ValueError>([&] { step.backward(0, [&] { return loss_of(w, {3, 4}); }); }, {"0 samples"});
  const double infinite = std::numeric_limits<double>::infinity();
  refuses<NumericError>(
      [&] {
        step.backward(
            1, [&] { return Loss{.sum = sum(w), .count = 1, .rows = Array::full({1}, infinite, float64)}; });
      },
      {"infinite"});
}

TEST_CASE("train step: a profile sees the phase, and an update for each parameter's layer") {
  const Tensor weight(Array::ones({2}), true), scale(Array::ones({2}), true);
  SGD optimizer({{"blocks.0.up.weight", weight}, {"scale", scale}});
  TrainStep step(optimizer);
  step.backward(1, [&] { return Loss{.sum = sum(weight * scale), .count = 1, .rows = Array::zeros({1})}; });
  start_profile();
  step.finish({});
  std::vector<std::string> updates;
  for (const ProfileEvent& event : stop_profile().events) {
    CHECK(event.phase == "optimizer");
    if (event.kind == ProfileEvent::Kind::op) updates.push_back(str(event.name, " ", event.layer));
  }
  CHECK(updates == std::vector<std::string>{"update blocks.0.up", "update "});
}

}  // namespace weft::test
