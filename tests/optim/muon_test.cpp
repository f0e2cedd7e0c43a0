#include <doctest/doctest.h>
#include <weft/optim/muon.h>

#include "reference.h"

namespace weft::test {

TEST_CASE("muon: ten steps equal PyTorch's Muon on the matrix, and AdamW on the vector") {
  using Parameters = std::vector<NamedTensor>;
  check_optimizer("Muon",
                  [](const Parameters& p) { return std::make_unique<Muon>(p, MuonOptions{.lr = 1e-2}); });
  check_optimizer("Muon original", [](const Parameters& p) {
    return std::make_unique<Muon>(p, MuonOptions{.lr = 1e-2,
                                                 .weight_decay = 0,
                                                 .momentum = 0.8,
                                                 .nesterov = false,
                                                 .ns_steps = 3,
                                                 .match_rms_adamw = false});
  });
}

TEST_CASE("muon: AdamW's part counts the steps of each parameter, as PyTorch's") {
  check_optimizer(
      "Muon late",
      [](const std::vector<NamedTensor>& p) { return std::make_unique<Muon>(p, MuonOptions{.lr = 1e-2}); },
      4);
}

TEST_CASE("muon: the orthogonalized matrix is PyTorch's, wide and tall, and nearly orthogonal") {
  const StateDict& expected = reference("orthogonalized");
  for (const std::string name : {"wide", "tall"}) {
    for (const DType dtype : {float32, float64}) {
      const Array found = orthogonalized(expected.array(name).to(dtype));
      CHECK(difference(found, expected.array(name + " result"), dtype == float32 ? 1e-5 : 1e-12) == "");
    }
  }
  const Tensor x(orthogonalized(expected.array("wide")));
  const Tensor gram = matmul(x, transpose(x, 0, 1));
  for (int64_t i = 0; i < 4; ++i) CHECK(gram.value().at({i, i}) == doctest::Approx(1).epsilon(0.5));
  CHECK(orthogonalized(Array::zeros({3, 2})).identical(Array::zeros({3, 2})));
  CHECK(orthogonalized(Array::zeros({0, 2})).shape() == Shape{0, 2});
}

TEST_CASE("muon: matrices of the patterns, and what is no matrix, have AdamW's state") {
  const auto made = [](const Shape& shape) {
    Tensor t(Array::ones(shape), true);
    t.set_grad(Array::ones(shape));
    return t;
  };
  Muon optimizer({{"token_embedding.weight", made({4, 2})},
                  {"blocks.0.up.weight", made({4, 2})},
                  {"blocks.0.up.bias", made({4})},
                  {"patches.weight", made({4, 3, 2, 2})},
                  {"head.weight", made({4, 2})}});
  optimizer.step();
  const StateDict state = optimizer.state_dict();
  CHECK(state.dict("momentum").keys() == std::vector<std::string>{"blocks.0.up.weight"});
  CHECK(state.dict("m").keys() == std::vector<std::string>{"blocks.0.up.bias", "head.weight",
                                                           "patches.weight", "token_embedding.weight"});
  CHECK(state.dict("v").size() == 4);
  optimizer.load_state_dict(state);
  CHECK(identical(optimizer.state_dict(), state));
  Muon other({{"blocks.0.up.weight", made({4, 2})}}, {.adamw = {"*up*"}});
  refuses<StateError>([&] { other.load_state_dict(state); }, {"'momentum'", "blocks.0.up.weight"});
}

TEST_CASE("muon: a pattern that no parameter has is refused, but for those of the default") {
  const std::vector<NamedTensor> p = start();
  Muon defaults(p);
  refuses<ValueError>(
      [&] {
        Muon(p, {.adamw = {"weight", "embeding"}});
      },
      {"adamw", "'embeding'", "weight, bias"});
}

TEST_CASE("muon: options out of range are refused by name") {
  const std::vector<NamedTensor> p = start();
  refuses<ValueError>([&] { Muon(p, {.momentum = 1}); }, {"Muon", "momentum", "1"});
  refuses<ValueError>([&] { Muon(p, {.ns_steps = 100}); }, {"Muon", "ns_steps", "100"});
  refuses<ValueError>([&] { Muon(p, {.beta2 = 1}); }, {"Muon", "beta2", "1"});
}

}  // namespace weft::test
