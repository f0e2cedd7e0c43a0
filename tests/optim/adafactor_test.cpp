#include <doctest/doctest.h>
#include <weft/optim/adafactor.h>

#include <limits>

#include "reference.h"

namespace weft::test {

TEST_CASE("adafactor: ten steps equal PyTorch's") {
  using Parameters = std::vector<NamedTensor>;
  check_optimizer("Adafactor", [](const Parameters& p) {
    return std::make_unique<Adafactor>(p, AdafactorOptions{.eps1 = 1e-7});
  });
  check_optimizer("Adafactor with decay", [](const Parameters& p) {
    return std::make_unique<Adafactor>(
        p, AdafactorOptions{
               .lr = 0.3, .beta2_decay = -0.6, .eps1 = 1e-4, .eps2 = 1e-2, .d = 1.5, .weight_decay = 0.1});
  });
}

TEST_CASE("adafactor: a parameter whose gradients begin late counts its own steps, as PyTorch's") {
  check_optimizer(
      "Adafactor late",
      [](const std::vector<NamedTensor>& p) {
        return std::make_unique<Adafactor>(p, AdafactorOptions{.eps1 = 1e-7});
      },
      4);
}

TEST_CASE("adafactor: eps1 of 0 is the type's own") {
  const std::vector<NamedTensor> one = start(), two = start();
  Adafactor own(one), given(two, {.eps1 = static_cast<double>(std::numeric_limits<float>::epsilon())});
  for (const std::vector<NamedTensor>* parameters : {&one, &two}) set_gradients(*parameters, 7);
  own.step();
  given.step();
  for (size_t k = 0; k < one.size(); ++k) CHECK(one[k].tensor.value().identical(two[k].tensor.value()));
}

TEST_CASE("adafactor: a matrix keeps a mean for each row and column, and its state is held to these shapes") {
  const std::vector<NamedTensor> p = start();
  const Tensor stack(Array::ones({3, 4, 2}), true);
  Adafactor optimizer({p[0], p[1], {"stack", stack}});
  set_gradients(p, 0);
  Tensor(stack).set_grad(Array::ones({3, 4, 2}));
  optimizer.step();
  const StateDict state = optimizer.state_dict();
  CHECK(state.dict("row").array("weight").shape() == Shape{5, 1});
  CHECK(state.dict("column").array("weight").shape() == Shape{1, 7});
  CHECK(state.dict("variance").keys() == std::vector<std::string>{"bias"});
  CHECK(state.dict("row").array("stack").shape() == Shape{3, 4, 1});
  CHECK(state.dict("column").array("stack").shape() == Shape{3, 1, 2});
  Adafactor again({p[1], {"stack", stack}, p[0]});
  again.load_state_dict(state);
  CHECK(identical(again.state_dict(), state));

  StateDict wrong = state, rows = state.dict("row"), missing = state;
  rows.set("weight", Array::zeros({5, 7}));
  wrong.set("row", rows);
  refuses<StateError>([&] { again.load_state_dict(wrong); }, {"'row'", "weight", "(5, 1)", "(5, 7)"});
  missing.set("column", StateDict());
  refuses<StateError>([&] { again.load_state_dict(missing); }, {"not complete"});
  CHECK(identical(again.state_dict(), state));
}

TEST_CASE("adafactor: parameters without elements, and of one") {
  const Tensor none(Array::zeros({0, 3}), true), one(Array::ones({1, 1}), true),
      scalar(Array::ones({}), true);
  Adafactor optimizer({{"none", none}, {"one", one}, {"scalar", scalar}});
  for (const Tensor& t : {none, one, scalar}) Tensor(t).set_grad(Array::ones(t.shape()));
  optimizer.step();
  CHECK(one.value().at({0, 0}) == doctest::Approx(0.99));
  CHECK(scalar.value().item() == doctest::Approx(0.99));
}

TEST_CASE("adafactor: NaN in a gradient shows in its row and column") {
  for (const DType dtype : {float32, float64}) {
    const Tensor w(Array::ones({3, 5}, dtype), true);
    Array grad = Array::ones({3, 5}, float64);
    grad.mutable_data<double>()[7] = std::numeric_limits<double>::quiet_NaN();
    Tensor(w).set_grad(grad.to(dtype));
    Adafactor optimizer({{"w", w}});
    optimizer.step();
    CHECK(std::isnan(w.value().at({1, 0})));
    CHECK(std::isnan(w.value().at({0, 2})));
  }
}

TEST_CASE("adafactor: options out of range are refused by name") {
  const std::vector<NamedTensor> p = start();
  refuses<ValueError>([&] { Adafactor(p, {.beta2_decay = 0.1}); }, {"Adafactor", "beta2_decay", "0.1"});
  refuses<ValueError>([&] { Adafactor(p, {.eps1 = -1}); }, {"Adafactor", "eps1", "-1"});
  refuses<ValueError>([&] { Adafactor(p, {.eps2 = -1}); }, {"Adafactor", "eps2", "-1"});
  refuses<ValueError>([&] { Adafactor(p, {.d = 0.5}); }, {"Adafactor", "d = 0.5"});
}

}  // namespace weft::test
