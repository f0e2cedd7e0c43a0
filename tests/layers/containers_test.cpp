#include <doctest/doctest.h>
#include <weft/layers/activation.h>
#include <weft/layers/containers.h>
#include <weft/layers/embedding.h>
#include <weft/layers/gradcheck_module.h>
#include <weft/layers/linear.h>
#include <weft/lib/array/random.h>

#include "checks.h"

namespace weft::test {

namespace {

std::string names(const Module& module) {
  std::string all;
  for (const NamedTensor& p : module.parameters()) all += p.name + " ";
  return all;
}

struct Net : Layer<Net> {
  Sequential& net;
  Net() : net(child<Sequential>("net").add<Linear>(3, 5).add<GELU>().add<Linear>(5, 2)) {}
  Tensor forward(const Tensor& x) const { return net(x); }
};

/// A layer that cannot be called, only asked to go forward.
struct Plain : Module {
  Tensor forward(const Tensor& x) const { return x * 2.0; }
};

}  // namespace

TEST_CASE("sequential: each layer is given what the one before gave, under PyTorch's paths") {
  const RandomScope random({.seed = 1});
  Net model;
  CHECK(names(model) == "net.0.weight net.0.bias net.2.weight net.2.bias ");
  const Tensor x(random_uniform({4, 3}, -1, 1, random_key(0, 1)));
  const auto& first = dynamic_cast<const Linear&>(model.net[0]);
  const auto& last = dynamic_cast<const Linear&>(model.at("net.2"));
  CHECK(model(x).value().identical(last(gelu(first(x))).value()));
  CHECK(model.net.size() == 3);
  CHECK(model.net[1].path() == "net.1");
  model.to(float64);
  CHECK(gradcheck(model, Tensor(x.value().to(float64))).failure == "");
  refuses<ValueError>([&] { model.net[3]; }, {"Sequential", "3"});
}

TEST_CASE("sequential: alone, empty, with names, ids and layers that are not called") {
  const RandomScope random({.seed = 1});
  Sequential chain;
  CHECK(chain(ones({2})).value().identical(Array::ones({2})));
  CHECK(chain.empty());
  chain.add<Embedding>(7, 4).add<Plain>().add_module<Linear>("head", 4, 2);
  CHECK(names(chain) == "0.weight head.weight head.bias ");
  const Array ids = Array::from<int64_t>({1, 2, 6}, {1, 3});
  const auto& table = dynamic_cast<const Embedding&>(chain[0]);
  const auto& head = dynamic_cast<const Linear&>(chain[2]);
  CHECK(chain(ids).value().identical(head(table(ids) * 2.0).value()));
  refuses<ValueError>([&] { chain.add_module<Plain>("head"); }, {"'head'", "twice"});
}

TEST_CASE("sequential: activations and shapes as layers") {
  const Tensor x(random_uniform({2, 3, 4}, -2, 2, random_key(0, 1)));
  const auto same = [](const Tensor& a, const Tensor& b) { return a.value().identical(b.value()); };
  CHECK(same(ReLU()(x), relu(x)));
  CHECK(same(GELU()(x), gelu(x)));
  CHECK(same(GELU(Gelu::tanh)(x), gelu(x, Gelu::tanh)));
  CHECK(same(SiLU()(x), silu(x)));
  CHECK(same(Tanh()(x), tanh(x)));
  CHECK(same(Sigmoid()(x), sigmoid(x)));
  CHECK(same(Softmax()(x), softmax(x, -1)));
  CHECK(same(Softmax(1)(x), softmax(x, 1)));
  CHECK(same(Identity()(x), x));
  CHECK(Flatten()(x).shape() == Shape{2, 12});
  CHECK(Flatten(0, 1)(x).shape() == Shape{6, 4});
}

TEST_CASE("module list: numbered children, made alike or one by one") {
  const RandomScope random({.seed = 1});
  struct Model : Module {
    ModuleList<Linear>& alike;
    ModuleList<Linear>& tower;
    Model() : alike(child<ModuleList<Linear>>("alike", 2, 3, 3)), tower(child<ModuleList<Linear>>("tower")) {
      for (int64_t width = 1; width < 4; ++width) tower.append(width, width + 1);
    }
  } model;
  CHECK(names(model) ==
        "alike.0.weight alike.0.bias alike.1.weight alike.1.bias "
        "tower.0.weight tower.0.bias tower.1.weight tower.1.bias tower.2.weight tower.2.bias ");
  Tensor x = ones({1, 1});
  for (const Linear& layer : model.tower) x = layer(x);
  CHECK(x.shape() == Shape{1, 4});
  CHECK(model.tower.size() == 3);
  CHECK(&model.tower[1] == &model.at("tower.1"));
  CHECK_FALSE(model.tower.empty());
  refuses<ValueError>([&] { model.tower[3]; }, {"ModuleList", "3"});
}

}  // namespace weft::test
