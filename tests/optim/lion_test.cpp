#include <doctest/doctest.h>
#include <weft/optim/lion.h>

#include <limits>

#include "reference.h"

namespace weft::test {

TEST_CASE("lion: ten steps equal the paper's") {
  using Parameters = std::vector<NamedTensor>;
  check_optimizer("Lion", [](const Parameters& p) { return std::make_unique<Lion>(p); });
  check_optimizer("Lion with decay", [](const Parameters& p) {
    return std::make_unique<Lion>(p,
                                  LionOptions{.lr = 1e-2, .beta1 = 0.8, .beta2 = 0.95, .weight_decay = 0.3});
  });
}

TEST_CASE("lion: no direction, no step; NaN shows") {
  for (const DType dtype : {float32, float64}) {
    const Tensor w(Array::from<double>({1, -2, 3}, {3}).to(dtype), true);
    const double nan = std::numeric_limits<double>::quiet_NaN();
    Tensor(w).set_grad(Array::from<double>({0, nan, -1e-30}, {3}).to(dtype));
    Lion optimizer({{"w", w}}, {.lr = 0.5});
    optimizer.step();
    CHECK(w.value().at({0}) == 1);
    CHECK(std::isnan(w.value().at({1})));
    CHECK(w.value().at({2}) == 3.5);
  }
}

TEST_CASE("lion: options out of range are refused by name") {
  const std::vector<NamedTensor> p = start();
  refuses<ValueError>([&] { Lion(p, {.lr = -1}); }, {"lr", "-1"});
  refuses<ValueError>([&] { Lion(p, {.beta1 = 1}); }, {"Lion", "beta1", "1"});
  refuses<ValueError>([&] { Lion(p, {.beta2 = -0.1}); }, {"Lion", "beta2", "-0.1"});
}

}  // namespace weft::test
