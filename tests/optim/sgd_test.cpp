#include <doctest/doctest.h>
#include <weft/optim/sgd.h>

#include "reference.h"

namespace weft::test {

TEST_CASE("sgd: ten steps equal PyTorch's") {
  const auto with = [](SGDOptions options) {
    return [options](const std::vector<NamedTensor>& p) { return std::make_unique<SGD>(p, options); };
  };
  check_optimizer("SGD", with({.lr = 1e-2}));
  check_optimizer("SGD with decay", with({.lr = 1e-2, .weight_decay = 0.1}));
  check_optimizer("SGD with momentum", with({.lr = 1e-2, .momentum = 0.9, .weight_decay = 0.1}));
  check_optimizer("SGD with Nesterov", with({.lr = 1e-2, .momentum = 0.9, .nesterov = true}));
}

TEST_CASE("sgd: without momentum there is no state") {
  const std::vector<NamedTensor> p = start();
  SGD optimizer(p);
  set_gradients(p, 0);
  optimizer.step();
  const StateDict state = optimizer.state_dict();
  CHECK(state.dict("momentum").empty());
  optimizer.load_state_dict(state);
  CHECK(optimizer.steps() == 1);
}

TEST_CASE("sgd: options out of range are refused by name") {
  const std::vector<NamedTensor> p = start();
  refuses<ValueError>([&] { SGD(p, {.lr = -1}); }, {"lr", "-1"});
  refuses<ValueError>([&] { SGD(p, {.momentum = -0.5}); }, {"momentum", "-0.5"});
  refuses<ValueError>([&] { SGD(p, {.weight_decay = -0.5}); }, {"weight_decay", "-0.5"});
  refuses<ValueError>([&] { SGD(p, {.nesterov = true}); }, {"nesterov", "momentum"});
}

}  // namespace weft::test
