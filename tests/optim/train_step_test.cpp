#include <doctest/doctest.h>
#include <weft/lib/profile/profile.h>
#include <weft/optim/adam.h>
#include <weft/optim/sgd.h>
#include <weft/optim/train_step.h>

#include <limits>

#include "reference.h"

namespace weft::test {

TEST_CASE("train step: divides by the count, clips, updates at the rate given, and forgets the gradients") {
  const Tensor w(Array::from<double>({1, 1}, {2}), true);
  SGD optimizer({{"w", w}}, {.lr = 100});
  Tensor(w).set_grad(Array::from<double>({30, 40}, {2}));
  CHECK(train_step(optimizer, {.lr = 0.5, .count = 10}) == doctest::Approx(5));
  CHECK(w.value().at({0}) == doctest::Approx(1 - 0.5 * 3));
  CHECK_FALSE(w.grad().defined());
  Tensor(w).set_grad(Array::from<double>({30, 40}, {2}));
  CHECK(train_step(optimizer, {.lr = 1, .count = 10, .max_norm = 2.5}) == doctest::Approx(5));
  CHECK(w.value().at({1}) == doctest::Approx(1 - 0.5 * 4 - 2).epsilon(1e-6));
}

TEST_CASE("train step: a gradient that is not finite stops before the update, and is named") {
  const std::vector<NamedTensor> p = start(), before = start();
  AdamW optimizer(p);
  set_gradients(p, 0);
  NamedTensor bias = p[1];
  Array broken = bias.tensor.grad().value().copy();
  broken.mutable_data<float>()[3] = std::numeric_limits<float>::quiet_NaN();
  bias.tensor.set_grad(broken);
  refuses<NumericError>([&] { train_step(optimizer, {}); }, {"train_step", "'bias'", "nothing was updated"});
  CHECK(optimizer.steps() == 0);
  CHECK(p[0].tensor.value().identical(before[0].tensor.value()));
  CHECK(optimizer.state_dict().dict("m").empty());
}

TEST_CASE("train step: a batch of no rows has no mean") {
  AdamW optimizer(start());
  refuses<ValueError>([&] { train_step(optimizer, {.count = 0}); }, {"train_step", "0"});
}

TEST_CASE("train step: a profile sees the phase, and an update for each parameter's layer") {
  const Tensor weight(Array::ones({2}), true), scale(Array::ones({2}), true);
  for (Tensor t : {weight, scale}) t.set_grad(Array::ones({2}));
  SGD optimizer({{"blocks.0.up.weight", weight}, {"scale", scale}});
  start_profile();
  train_step(optimizer, {});
  std::vector<std::string> updates;
  for (const ProfileEvent& event : stop_profile().events) {
    CHECK(event.phase == "optimizer");
    if (event.kind == ProfileEvent::Kind::op) updates.push_back(str(event.name, " ", event.layer));
  }
  CHECK(updates == std::vector<std::string>{"update blocks.0.up", "update "});
}

}  // namespace weft::test
