#include <doctest/doctest.h>
#include <weft/autograd/claims.h>
#include <weft/autograd/ops.h>
#include <weft/layers/containers.h>
#include <weft/layers/dropout.h>
#include <weft/layers/gradcheck_module.h>
#include <weft/layers/linear.h>
#include <weft/lib/array/random.h>

#include <optional>
#include <typeinfo>

#include "checks.h"

namespace weft::test {

namespace {

/// The layer of module.h's opening lines.
struct Gated : Layer<Gated> {
  Linear &value, &gate;
  explicit Gated(int64_t width)
      : value(child<Linear>("value", width, width)), gate(child<Linear>("gate", width, width)) {}
  Tensor forward(const Tensor& x) const { return value(x) * sigmoid(gate(x)); }
};

struct Model : Module {
  Gated &first, &second;
  Dropout& dropout;
  Tensor scale;
  BufferTensor seen;
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
  const StateDict state = model.state_dict();
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
  const StateDict before = model.state_dict();
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
  CHECK(gradcheck(layer, Tensor(random_uniform({2, 3}, -1, 1, random_key(0, 1), float64))).failure == "");
}

TEST_CASE("module: a snapshot does not follow the training, the shared state does") {
  const RandomScope random({.seed = 1});
  Model model;
  const StateDict kept = model.state_dict(), shared = model.shared_state_dict();
  CHECK(identical(kept, shared));
  {
    const NoGrad no_grad;
    model.scale.mutable_value().fill(5);
  }
  CHECK(kept.array("scale").identical(Array::ones({3})));
  CHECK(shared.array("scale").identical(Array::full({3}, 5)));
  model.load_state_dict(kept);
  CHECK(model.scale.value().identical(Array::ones({3})));
}

TEST_CASE("module: what is assigned to a buffer is what is saved") {
  const RandomScope random({.seed = 1});
  Model model;
  Tensor counts(Array::from<int64_t>({3, 4}, {2}));
  model.seen = counts;
  counts.mutable_value().fill(9);
  CHECK(model.state_dict().array("seen").identical(Array::from<int64_t>({3, 4}, {2})));
  StateDict state = model.state_dict();
  state.set("seen", Array::from<int64_t>({7, 8}, {2}));
  model.load_state_dict(state);
  CHECK(model.seen.value().identical(Array::from<int64_t>({7, 8}, {2})));
  refuses<ShapeError>([&] { model.seen = Tensor(Array::zeros({3}, int64)); }, {"buffer", "(2,)", "(3,)"});
  refuses<ShapeError>([&] { model.seen = zeros({2}); }, {"int64", "float32"});
  // Declared as a Tensor, a member would be another tensor than the one that is saved.
  static_assert(!std::is_constructible_v<Tensor, BufferTensor>);
  static_assert(std::is_constructible_v<Tensor, const BufferTensor&>);
}

TEST_CASE("module: a running mean in a buffer, and backward through what it was before") {
  struct Running : Layer<Running> {
    BufferTensor running = buffer("running", Array::ones({2}));
    Tensor forward(const Tensor& x) {
      const Tensor y = x * running;
      running = running * 0.5 + mean(x, {0}) * 0.5;
      return y;
    }
  } layer;
  const Tensor x(Array::from<float>({3, 5, 1, 1}, {2, 2}), true);
  const Tensor y = layer(x);
  CHECK(layer.state_dict().array("running").identical(Array::from<float>({1.5, 2}, {2})));
  sum(y).backward();
  CHECK(x.grad().value().identical(Array::ones({2, 2})));
  CHECK_FALSE(layer.buffers()[0].tensor.requires_grad());
}

namespace {

/// Members that are nobody's children.
struct Holds : Layer<Holds> {
  Linear up{3, 3};
  Tensor forward(const Tensor& x) const { return up(x); }
};
struct HoldsMany : Layer<HoldsMany> {
  std::vector<std::unique_ptr<Linear>> layers;
  HoldsMany() {
    for (int i = 0; i < 2; ++i) layers.push_back(std::make_unique<Linear>(3, 3));
  }
  Tensor forward(const Tensor& x) const { return (*layers[1])((*layers[0])(x)); }
};
template <class M>
struct Around : Layer<Around<M>> {
  M& inner = this->template child<M>("inner");
  Tensor forward(const Tensor& x) const { return inner(x); }
};
/// What it calls is another's.
struct Borrows : Layer<Borrows> {
  const Linear* other = nullptr;
  Linear& own = child<Linear>("own", 3, 3);
  Tensor forward(const Tensor& x) const { return own((*other)(x)); }
};

}  // namespace

TEST_CASE("module: one that is held without being a child is refused") {
  const RandomScope random({.seed = 1});
  refuses<StateError>([] { Around<Holds> model; },
                      {"Holds", "holds a Linear", "child<Linear>(\"name\", ...)", "trained nor saved"});
  refuses<StateError>([] { Around<HoldsMany> model; }, {"HoldsMany", "Linear", "ModuleList"});
  refuses<StateError>([] { Sequential().add<Holds>(); }, {"Holds", "Linear"});
  // Of the outermost module it is known when it calls one, if its parameters are wanted.
  Holds holds;
  HoldsMany many;
  const Tensor x = ones({2, 3});
  holds(x);
  holds.parameters();
  many.state_dict();
  refuses<StateError>([&] { holds(x); }, {"Holds", "calls a Linear", "child<Linear>(\"name\", ...)"});
  refuses<StateError>([&] { many(x); }, {"HoldsMany", "Linear"});
  const NoGrad no_grad;
  CHECK(holds(x).shape() == Shape{2, 3});
}

TEST_CASE("module: one that is another's, or alone, is not refused") {
  const RandomScope random({.seed = 1});
  const Tensor x = ones({2, 3});
  Linear before(3, 3);
  Borrows borrows;
  Linear after(3, 3);
  Linear frozen(3, 3);
  frozen.weight.set_requires_grad(false);
  frozen.bias.set_requires_grad(false);
  struct Small : Module {
    Linear& own = child<Linear>("own", 3, 3);
  } tree;
  borrows.parameters();
  after.parameters();
  for (const Linear* other : {&before, &after, &frozen, &tree.own, &borrows.own}) {
    borrows.other = other;
    CHECK(borrows(x).shape() == Shape{2, 3});
  }
  // Built by a constructor, and gone when it is done; or frozen, and so held on purpose.
  struct Measures : Module {
    int64_t count = Linear(3, 3).parameter_count();
    std::unique_ptr<Linear> teacher = std::make_unique<Linear>(3, 3);
    Measures() { teacher->freeze(); }
  };
  struct Outer : Module {
    Measures& inner = child<Measures>("inner");
  } outer;
  CHECK(outer.inner.count == 12);
  Linear alone(3, 3);
  CHECK(alone(x).shape() == Shape{2, 3});
}

namespace {

/// A model that is no Layer, so that its forward() is no call; each holds a Linear as it should not.
struct Root : Module {
  Linear& own = child<Linear>("own", 3, 3);
};
struct Member : Root {
  Linear held{3, 3};
  Tensor forward(const Tensor& x) { return held(own(x)); }
};
struct MemberBefore : Module {
  Linear held{3, 3};
  Linear& own = child<Linear>("own", 3, 3);
  Tensor forward(const Tensor& x) { return own(held(x)); }
};
struct Pointers : Root {
  std::vector<std::unique_ptr<Linear>> held;
  Pointers() { held.push_back(std::make_unique<Linear>(3, 3)); }
  Tensor forward(const Tensor& x) { return (*held[0])(own(x)); }
};
struct Shared : Root {
  std::shared_ptr<Linear> held = std::make_shared<Linear>(3, 3);
  Tensor forward(const Tensor& x) { return (*held)(own(x)); }
};
struct Optional : Root {
  std::optional<Linear> held;
  Optional() { held.emplace(3, 3); }
  Tensor forward(const Tensor& x) { return (*held)(own(x)); }
};
struct Mapped : Root {
  std::map<std::string, Linear> held;
  Mapped() { held.try_emplace("a", 3, 3); }
  Tensor forward(const Tensor& x) { return held.at("a")(own(x)); }
};
struct Late : Root {
  std::optional<Linear> held;
  Tensor forward(const Tensor& x) {
    if (!held) held.emplace(3, 3);
    return (*held)(own(x));
  }
};
struct Passing : Root {
  Tensor forward(const Tensor& x) { return Linear(3, 3)(own(x)); }
};
struct GivenTo : Root {
  std::unique_ptr<Linear> held = std::move(given());
  static std::unique_ptr<Linear>& given() {
    static std::unique_ptr<Linear> one;
    return one;
  }
  Tensor forward(const Tensor& x) { return (*held)(own(x)); }
};
struct LateChild : Root {
  Linear* made = nullptr;
  Tensor forward(const Tensor& x) {
    if (!made) made = &child<Linear>("made", 3, 3);
    return (*made)(own(x));
  }
};
struct PlainRoot : Root {
  Tensor held{Array::ones({3}), true};
  Tensor forward(const Tensor& x) { return own(x) * held; }
};
struct Replaced : Root {
  Tensor scale = parameter("scale", {3}, init::ones());
  Replaced() { scale = Tensor(Array::full({3}, 2), true); }
  Tensor forward(const Tensor& x) { return own(x) * scale; }
};

/// What the step of an optimizer over the model's parameters would say, the first time and then.
template <class M>
std::vector<std::string> two_steps() {
  M model;
  const std::vector<NamedTensor> optimized = model.parameters();
  std::vector<std::string> said;
  for (int64_t step = 0; step < 2; ++step) {
    sum(model.forward(ones({2, 3}))).backward();
    said.push_back(unclaimed_beside(optimized));
  }
  return said;
}

template <class M>
void told_at_once() {
  CAPTURE(typeid(M).name());
  const std::string text = two_steps<M>()[0];
  CHECK_MESSAGE(text.find("of a Linear") != std::string::npos, text);
  CHECK(text.find("child<M>(\"name\", ...)") != std::string::npos);
}

}  // namespace

TEST_CASE("module: what is held without being a child is told by the first step, in whatever it is held") {
  const RandomScope random({.seed = 1});
  told_at_once<Member>();
  told_at_once<MemberBefore>();
  told_at_once<Pointers>();
  told_at_once<Shared>();
  told_at_once<Optional>();
  told_at_once<Mapped>();
  told_at_once<Late>();
  told_at_once<Passing>();
  told_at_once<LateChild>();
  GivenTo::given() = std::make_unique<Linear>(3, 3);
  told_at_once<GivenTo>();
  // What is built by name, or as a child, is refused before.
  refuses<StateError>([] { Module::build<Member>(); }, {"Member", "holds a Linear", "child<Linear>"});
  refuses<StateError>([] { Module::build<Shared>(); }, {"Shared", "holds a Linear"});
  refuses<StateError>([] { Module::build<Optional>(); }, {"Optional", "holds a Linear"});
  refuses<StateError>([] { Module::build<Mapped>(); }, {"Mapped", "holds a Linear"});
  CHECK(Module::build<Root>()->own.path() == "own");
  // None of them can be moved or copied into another.
  static_assert(!std::is_move_constructible_v<Linear> && !std::is_move_assignable_v<Linear>);
}

TEST_CASE("module: a tensor that requires a gradient and is no parameter is told by the second step") {
  const RandomScope random({.seed = 1});
  for (const std::vector<std::string>& said : {two_steps<PlainRoot>(), two_steps<Replaced>()}) {
    CHECK(said[0] == "");
    CHECK(said[1].find("parameter(\"name\", shape, init)") != std::string::npos);
  }
}

TEST_CASE("module: a parameter takes nothing by assignment, which would be neither trained nor saved") {
  static_assert(!std::is_assignable_v<Parameter&, Tensor> &&
                !std::is_assignable_v<Parameter&, const Tensor&>);
  static_assert(!std::is_assignable_v<Parameter&, Parameter&>);  // embedding.weight, to tie a layer to it
  static_assert(!std::is_constructible_v<Parameter, Tensor>);
  static_assert(std::is_same_v<decltype(Linear::weight), Parameter>);
  const RandomScope random({.seed = 1});
  struct Twice : Module {
    Parameter scale = parameter("scale", {3}, init::ones());
    void again() { scale = parameter("again", {3}, init::ones()); }
  } module;
  refuses<StateError>([&] { module.again(); }, {"parameter", "(3,)", "already"});
  {
    const NoGrad no_grad;
    module.scale.mutable_value().fill(5);
  }
  CHECK(module.state_dict().array("scale").identical(Array::full({3}, 5)));
}

TEST_CASE("module: freeze forgets the gradients that are there") {
  const RandomScope random({.seed = 1});
  Linear layer(3, 3);
  sum(layer(ones({2, 3}))).backward();
  layer.freeze();
  CHECK_FALSE(layer.weight.grad().defined());
}

TEST_CASE("module: what somebody has asked for, or is frozen, is not told") {
  const RandomScope random({.seed = 1});
  Member model, head_alone;
  model.held.parameters();
  const std::vector<NamedTensor> all = model.parameters();
  sum(model.forward(ones({2, 3}))).backward();
  CHECK(unclaimed_beside(all) == "");
  // An optimizer of a part leaves the rest as it is on purpose.
  struct Whole : Module {
    Linear &body = child<Linear>("body", 3, 3), &head = child<Linear>("head", 3, 3);
  } whole;
  const std::vector<NamedTensor> head = whole.head.parameters();
  sum(whole.head(whole.body(ones({2, 3})))).backward();
  CHECK(unclaimed_beside(head) == "");
  head_alone.held.freeze();
  const std::vector<NamedTensor> own = head_alone.parameters();
  sum(head_alone.forward(ones({2, 3}))).backward();
  CHECK(unclaimed_beside(own) == "");
}

TEST_CASE("a profile names layers by their paths, and parts of them") {
  struct Part : Layer<Part> {
    void forward() const { const LayerScope layer = profile_scope("loss"); }
  };
  struct Whole : Layer<Whole> {
    Part& part = child<Part>("blocks.0");
    Dropout& none = child<Dropout>("none", 0.0);
    const Tensor x = ones({2});
    void forward() const {
      const LayerScope head = profile_scope("head");
      part();
      none(x);
    }
  } const model;
  start_profile();
  model();
  std::vector<std::string> names;
  for (const ProfileEvent& event : stop_profile().events) names.emplace_back(event.layer);
  CHECK(names == std::vector<std::string>{"head", "blocks.0", "blocks.0.loss"});
}

}  // namespace weft::test
