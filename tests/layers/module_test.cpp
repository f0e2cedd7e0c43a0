#include <doctest/doctest.h>
#include <weft/autograd/gradcheck.h>
#include <weft/autograd/ops.h>
#include <weft/layers/dropout.h>
#include <weft/layers/linear.h>
#include <weft/lib/array/random.h>

#include "checks.h"

namespace weft::test {

namespace {

/// The layer of module.h's opening lines.
struct Gated : Module {
  Linear &value, &gate;
  explicit Gated(int64_t width)
      : value(child<Linear>("value", width, width)), gate(child<Linear>("gate", width, width)) {}
  Tensor forward(const Tensor& x) { return value(x) * sigmoid(gate(x)); }
};

struct Model : Module {
  Gated &first, &second;
  Dropout& dropout;
  Tensor scale, seen;
  Model()
      : first(child<Gated>("blocks.0", 3)),
        second(child<Gated>("blocks.1", 3)),
        dropout(child<Dropout>("dropout", 0.5)),
        scale(parameter("scale", {3}, init::ones())),
        seen(buffer("seen", Array::zeros({2}, int64))) {}
  void take(const std::string& name) { parameter(name, {1}, init::zeros()); }
};

Model& made() {
  static const std::unique_ptr<Model> model = [] {
    const RandomScope random({.seed = 1});
    return std::make_unique<Model>();
  }();
  return *model;
}

std::vector<std::string> names(const std::vector<NamedTensor>& tensors) {
  std::vector<std::string> all;
  for (const auto& [name, tensor] : tensors) all.push_back(name);
  return all;
}

StateDict copied(const StateDict& state) {
  StateDict copy;
  for (const std::string& key : state.keys()) copy.set(key, state.array(key).copy());
  return copy;
}

}  // namespace

TEST_CASE("module: names make paths, parameters stand in order of creation") {
  const std::vector<std::string> expected = {"scale",
                                             "blocks.0.value.weight",
                                             "blocks.0.value.bias",
                                             "blocks.0.gate.weight",
                                             "blocks.0.gate.bias",
                                             "blocks.1.value.weight",
                                             "blocks.1.value.bias",
                                             "blocks.1.gate.weight",
                                             "blocks.1.gate.bias"};
  Model& model = made();
  CHECK(names(model.parameters()) == expected);
  CHECK(names(model.buffers()) == std::vector<std::string>{"seen"});
  CHECK(model.first.gate.path() == "blocks.0.gate");
  CHECK(model.path() == "");
  CHECK(&model.at("blocks.1.value") == &model.second.value);
  CHECK(&model.at("") == &model);
  refuses<ValueError>([&] { model.at("blocks.2"); }, {"blocks.2", "blocks.0", "blocks.1", "dropout"});
}

TEST_CASE("module: parameters are counted, frozen ones apart") {
  Model& model = made();
  CHECK(model.parameter_count() == 4 * 12 + 3);
  model.first.freeze();
  CHECK(model.parameter_count() == 4 * 12 + 3);
  CHECK(model.parameter_count(false) == 2 * 12 + 3);
  sum(model.second.forward(model.first.forward(ones({2, 3})))).backward();
  CHECK_FALSE(model.first.value.weight.grad().defined());
  CHECK(model.second.value.weight.grad().defined());
  model.first.freeze(false);
  CHECK(model.parameter_count(false) == 4 * 12 + 3);
  model.zero_grad();
  CHECK_FALSE(model.second.value.weight.grad().defined());
}

TEST_CASE("module: train and eval reach all below") {
  Model& model = made();
  CHECK(model.training());
  model.eval();
  CHECK_FALSE(model.dropout.training());
  CHECK_FALSE(model.first.gate.training());
  model.train();
  CHECK(model.first.gate.training());
}

TEST_CASE("module: names that are taken, empty or hold a slash") {
  const RandomScope random({.seed = 1});
  Model model;
  refuses<ValueError>([&] { model.take("scale"); }, {"'scale'", "twice"});
  refuses<ValueError>([&] { model.take("seen"); }, {"'seen'"});
  refuses<ValueError>([&] { model.take("dropout"); }, {"'dropout'"});
  refuses<ValueError>([&] { model.take(""); }, {"''"});
  refuses<ValueError>([&] { model.take("a/b"); }, {"'a/b'"});
}

TEST_CASE("module: state goes out and comes back bit for bit") {
  Model& model = made();
  const StateDict state = copied(model.state_dict());
  CHECK(state.size() == 10);
  {
    const NoGrad no_grad;
    for (auto& [name, tensor] : model.parameters()) tensor.mutable_value().fill(0);
  }
  CHECK_FALSE(identical(model.state_dict(), state));
  model.load_state_dict(state);
  CHECK(identical(model.state_dict(), state));
}

TEST_CASE("module: a state that does not fit is refused with three lists, and changes nothing") {
  Model& model = made();
  const StateDict before = copied(model.state_dict());
  StateDict wrong;
  for (const std::string& key : before.keys()) {
    if (key == "blocks.0.gate.bias") continue;
    wrong.set(key, Array::ones(before.array(key).shape(), before.array(key).dtype()));
  }
  wrong.set("scale", Array::ones({4}));
  wrong.set("blocks.1.gate.bias", Array::ones({3}, float64));
  wrong.set("extra.weight", Array::ones({1}));
  refuses<StateError>([&] { model.load_state_dict(wrong); },
                      {"missing", "blocks.0.gate.bias", "not wanted", "extra.weight", "scale", "(3,)", "(4,)",
                       "float32", "float64"});
  CHECK(identical(model.state_dict(), before));
}

TEST_CASE("module: load_matching takes what fits and reports the rest") {
  Model& model = made();
  StateDict some;
  some.set("scale", Array::full({3}, 7));
  some.set("blocks.0.gate.bias", Array::ones({5}));
  some.set("head.weight", Array::ones({1}));
  const Array bias = model.first.gate.bias.value().copy();
  const LoadReport report = model.load_matching(some);
  CHECK(model.scale.value().identical(Array::full({3}, 7)));
  CHECK(model.first.gate.bias.value().identical(bias));
  CHECK(report.missing.size() == 8);
  CHECK(report.unexpected == std::vector<std::string>{"head.weight"});
  REQUIRE(report.mismatched.size() == 1);
  CHECK(report.mismatched[0].find("blocks.0.gate.bias") != std::string::npos);
}

TEST_CASE("module: a model in double, and back") {
  const RandomScope random({.seed = 1});
  Model model;
  model.to(float64);
  CHECK(model.first.value.weight.dtype() == float64);
  CHECK(model.seen.dtype() == int64);
  CHECK(model.first.forward(ones({2, 3}, float64)).dtype() == float64);
  model.to(float32);
  CHECK(model.first.value.weight.dtype() == float32);
  refuses<TypeError>([&] { model.to(int64); }, {"to", "int64"});
}

TEST_CASE("module: a layer of one's own passes gradcheck in one line") {
  const RandomScope random({.seed = 1});
  Gated layer(3);
  layer.to(float64);
  std::vector<Tensor> inputs = {Tensor(random_uniform({2, 3}, -1, 1, random_key(0, 1), float64), true)};
  for (const auto& [name, tensor] : layer.parameters()) inputs.push_back(tensor);
  CHECK(gradcheck([&](const std::vector<Tensor>& in) { return layer.forward(in[0]); }, inputs).failure == "");
}

TEST_CASE("a profile names layers by their paths, and parts of them") {
  struct Part : Module {
    void forward(const char* part) const { const LayerScope layer = profile_scope(part); }
  };
  struct Whole : Module {
    Part& part;
    Whole() : part(child<Part>("blocks.0")) {}
    void forward() const {
      const LayerScope layer = profile_scope(), head = profile_scope("head");
      part.forward("");
      part.forward("loss");
    }
  } const model;
  start_profile();
  model.forward();
  std::vector<std::string> names;
  for (const ProfileEvent& event : stop_profile().events) names.emplace_back(event.layer);
  CHECK(names == std::vector<std::string>{"head", "blocks.0", "blocks.0.loss"});
}

}  // namespace weft::test
