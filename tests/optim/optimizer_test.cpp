#include <doctest/doctest.h>
#include <weft/optim/adam.h>
#include <weft/optim/sgd.h>

#include <algorithm>

#include "reference.h"

namespace weft::test {

namespace {

void steps(Optimizer& optimizer, const std::vector<NamedTensor>& parameters, int64_t begin, int64_t end) {
  for (int64_t step = begin; step < end; ++step) {
    set_gradients(parameters, step);
    optimizer.step();
  }
}

bool same_values(const std::vector<NamedTensor>& a, const std::vector<NamedTensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), [](const NamedTensor& x, const NamedTensor& y) {
    return x.tensor.value().identical(y.tensor.value());
  });
}

StateDict parts(const char* slot, const StateDict& arrays) {
  StateDict state;
  state.set("step", 3);
  for (const char* name : {"m", "v"}) state.set(name, std::string(name) == slot ? arrays : StateDict());
  return state;
}

}  // namespace

TEST_CASE("optimizer: the state by name brings a second one to the same bits, in any order of parameters") {
  const std::vector<NamedTensor> one = start(), two = start();
  AdamW whole(one);
  steps(whole, one, 0, 10);

  AdamW first(two);
  steps(first, two, 0, 4);
  const StateDict state = first.state_dict();
  AdamW second(std::vector<NamedTensor>{two[1], two[0]});
  second.load_state_dict(state);
  CHECK(identical(second.state_dict(), state));
  steps(second, two, 4, 10);
  CHECK(second.steps() == 10);
  CHECK(same_values(one, two));
  CHECK(identical(second.state_dict(), whole.state_dict()));
}

TEST_CASE("optimizer: a parameter without a gradient stays, and has no state") {
  const std::vector<NamedTensor> p = start(), before = start();
  AdamW optimizer(p);
  NamedTensor weight = p[0];
  weight.tensor.set_grad(Array::ones(weight.tensor.shape()));
  optimizer.step();
  CHECK(p[1].tensor.value().identical(before[1].tensor.value()));
  CHECK_FALSE(p[0].tensor.value().identical(before[0].tensor.value()));
  CHECK(optimizer.state_dict().dict("m").keys() == std::vector<std::string>{"weight"});
}

TEST_CASE("optimizer: a rate and a weight decay for all, which each group scales") {
  const Tensor one(Array::ones({1}), true), two(Array::ones({1}), true);
  SGD optimizer(std::vector<ParameterGroup>{{{{"one", one}}}, {{{"two", two}}, 0.5, 0.25}},
                {.lr = 100, .weight_decay = 2});
  optimizer.set_lr(0.125);
  CHECK(optimizer.lr() == 0.125);
  for (Tensor t : {one, two}) t.set_grad(Array::ones({1}));
  optimizer.step();
  CHECK(one.value().item() == 1 - 0.125 * (1 + 2));
  CHECK(two.value().item() == 1 - 0.0625 * (1 + 0.5));
  refuses<ValueError>([&] { optimizer.set_lr(-1); }, {"lr", "-1"});
  refuses<ValueError>([&] { optimizer.set_lr(std::nan("")); }, {"lr", "nan"});
  refuses<ValueError>([&] { SGD(std::vector<ParameterGroup>{{{{"one", one}}, -1}}); }, {"lr_scale", "-1"});
  refuses<ValueError>(
      [&] {
        SGD(std::vector<ParameterGroup>{{{{"one", one}}, 1, -1}});
      },
      {"weight_decay_scale", "-1"});
}

TEST_CASE("optimizer: zero_grad forgets all gradients") {
  const std::vector<NamedTensor> p = start();
  AdamW optimizer(p);
  set_gradients(p, 0);
  optimizer.zero_grad();
  for (const auto& [name, tensor] : p) CHECK_FALSE(tensor.grad().defined());
}

TEST_CASE("optimizer: a state that does not fit is refused with the names, and changes nothing") {
  const std::vector<NamedTensor> p = start();
  AdamW optimizer(p);
  steps(optimizer, p, 0, 2);
  const StateDict before = optimizer.state_dict();
  StateDict wrong_shape, unknown, alone;
  wrong_shape.set("weight", Array::zeros({7, 5}));
  unknown.set("scale", Array::zeros({7}));
  alone.set("bias", Array::zeros({7}));
  refuses<StateError>([&] { optimizer.load_state_dict(parts("m", wrong_shape)); },
                      {"'m'", "weight", "(5, 7)", "(7, 5)"});
  refuses<StateError>([&] { optimizer.load_state_dict(parts("v", unknown)); }, {"'v'", "scale"});
  refuses<StateError>([&] { optimizer.load_state_dict(parts("m", alone)); }, {"'bias'", "not complete"});
  refuses<StateError>([&] { optimizer.load_state_dict(StateDict()); }, {"step"});
  SGD other(p);
  refuses<StateError>([&] { other.load_state_dict(before); }, {"momentum"});
  CHECK(optimizer.steps() == 2);
  CHECK(identical(optimizer.state_dict(), before));
}

TEST_CASE("optimizer: parameters are given once, and are leaves") {
  const std::vector<NamedTensor> p = start();
  refuses<ValueError>([&] { AdamW({p[0], p[1], p[0]}); }, {"'weight'", "twice"});
  refuses<StateError>([&] { AdamW({{"product", p[0].tensor * 2.0}}); }, {"'product'", "mul"});
}

}  // namespace weft::test
