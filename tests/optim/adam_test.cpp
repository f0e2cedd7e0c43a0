#include <doctest/doctest.h>
#include <weft/optim/adam.h>

#include "reference.h"

namespace weft::test {

TEST_CASE("adam: ten steps equal PyTorch's") {
  using Parameters = std::vector<NamedTensor>;
  check_optimizer("AdamW", [](const Parameters& p) { return std::make_unique<AdamW>(p); });
  check_optimizer("AdamW nanoGPT", [](const Parameters& p) {
    return std::make_unique<AdamW>(p, AdamWOptions{.lr = 1e-2, .beta2 = 0.99, .weight_decay = 0.1});
  });
  check_optimizer("AdamW groups", [](const Parameters& p) {
    return std::make_unique<AdamW>(parameter_groups(p), AdamWOptions{.lr = 1e-2, .weight_decay = 0.1});
  });
  check_optimizer("Adam", [](const Parameters& p) { return std::make_unique<Adam>(p); });
  check_optimizer("Adam with decay", [](const Parameters& p) {
    return std::make_unique<Adam>(
        p, AdamOptions{.lr = 1e-2, .beta1 = 0.8, .beta2 = 0.9, .eps = 1e-3, .weight_decay = 0.1});
  });
}

TEST_CASE("adam: a parameter whose gradients begin late corrects its bias by its own steps, as PyTorch's") {
  using Parameters = std::vector<NamedTensor>;
  check_optimizer(
      "AdamW late", [](const Parameters& p) { return std::make_unique<AdamW>(p); }, 4);
  check_optimizer(
      "Adam late", [](const Parameters& p) { return std::make_unique<Adam>(p); }, 4);

  const Tensor early(Array::ones({1}, float64), true), late(Array::ones({1}, float64), true);
  AdamW optimizer({{"early", early}, {"late", late}}, {.lr = 0.125, .eps = 0, .weight_decay = 0});
  for (int64_t step = 0; step < 6; ++step) {
    for (Tensor t : {early, late}) t.zero_grad();
    Tensor(early).set_grad(Array::ones({1}, float64));
    if (step == 5) Tensor(late).set_grad(Array::full({1}, 3, float64));
    optimizer.step();
  }
  CHECK(late.value().item() == doctest::Approx(1 - 0.125).epsilon(1e-14));
}

TEST_CASE("adam: a scale on the way equals scaled gradients") {
  const std::vector<NamedTensor> once = start(float64), twice = start(float64);
  AdamW a(once), b(twice);
  set_gradients(once, 0);
  set_gradients(twice, 0);
  for (NamedTensor p : once) p.tensor.set_grad((p.tensor.grad() * 0.25).value());
  a.step();
  b.step(0.25);
  for (size_t k = 0; k < once.size(); ++k) CHECK(once[k].tensor.value().identical(twice[k].tensor.value()));
}

TEST_CASE("adam: options out of range are refused by name") {
  const std::vector<NamedTensor> p = start();
  refuses<ValueError>([&] { AdamW(p, {.lr = -1}); }, {"lr", "-1"});
  refuses<ValueError>([&] { AdamW(p, {.beta1 = 1}); }, {"beta1", "1"});
  refuses<ValueError>([&] { Adam(p, {.beta2 = -0.1}); }, {"beta2", "-0.1"});
  refuses<ValueError>([&] { Adam(p, {.eps = -1e-8}); }, {"eps", "-1e-08"});
  refuses<ValueError>([&] { AdamW(p, {.weight_decay = -0.1}); }, {"weight_decay", "-0.1"});
}

}  // namespace weft::test
