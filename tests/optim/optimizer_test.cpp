#include <doctest/doctest.h>
#include <weft/optim/adam.h>
#include <weft/optim/make_optimizer.h>
#include <weft/optim/sgd.h>

#include <algorithm>

#include "reference.h"

namespace weft::test {

namespace {

/// Before other tests add theirs.
const std::vector<std::string> ours = optimizers().names();

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

template <class Value>
void set(StateDict& state, const std::string& key, const Value& value) {
  if constexpr (std::is_same_v<Value, std::shared_ptr<StateDict>>) {
    state.set(key, *value);
  } else {
    state.set(key, value);
  }
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

TEST_CASE("optimizer: a parameter that begins late moves as with a fresh optimizer, bit for bit") {
  for (const std::string& name : ours) {
    CAPTURE(name);
    const std::vector<NamedTensor> p = start(), alone = start();
    const auto fresh = make_optimizer(name, {{alone}});
    auto optimizer = make_optimizer(name, {{p}});
    const auto step = [&](int64_t number, bool late) {
      set_gradients(p, number);
      if (!late) Tensor(p[1].tensor).zero_grad();
      optimizer->step();
    };
    for (int64_t k = 0; k < 3; ++k) step(k, false);
    // What has taken part in all steps, and what has not begun, is in the state as it ever was.
    // Only one without slots, as sgd without momentum, must say that a parameter has not begun.
    const StateDict begun = optimizer->state_dict();
    const bool slots = std::ranges::any_of(begun.entries(), [](const auto& entry) {
      const auto* const below = std::get_if<std::shared_ptr<StateDict>>(&entry.second);
      return below && entry.first != "counts" && (*below)->contains("weight");
    });
    CHECK(begun.contains("counts") == !slots);
    for (int64_t k = 3; k < 6; ++k) {
      set_gradients(alone, k);
      fresh->step();
      step(k, true);
      CHECK(p[1].tensor.value().identical(alone[1].tensor.value()));
      // Through its state, too.
      const StateDict state = optimizer->state_dict();
      CHECK(state.dict("counts").keys() == std::vector<std::string>{"bias"});
      CHECK(state.dict("counts").integer("bias") == k - 2);
      optimizer = make_optimizer(name, {{p}});
      k == 3 ? optimizer->load_state_dict(state) : static_cast<void>(optimizer->load_matching(state));
      CHECK(identical(optimizer->state_dict(), state));
    }
    // A state without counts, as all were, is of parameters that have taken part in every step.
    const StateDict now = fresh->state_dict();
    StateDict old;
    for (const auto& [key, value] : now.entries())
      if (key != "counts") std::visit([&](const auto& v) { set(old, key, v); }, value);
    const auto resumed = make_optimizer(name, {{alone}});
    resumed->load_state_dict(old);
    CHECK(identical(resumed->state_dict(), old));
  }
}

TEST_CASE("optimizer: counts of steps that cannot be are refused, and what is begun anew counts from 0") {
  const std::vector<NamedTensor> p = start();
  AdamW optimizer(p);
  steps(optimizer, p, 0, 3);
  const StateDict before = optimizer.state_dict();
  const auto counting = [&](const char* name, int64_t count) {
    StateDict state = before, counts;
    counts.set(name, count);
    state.set("counts", counts);
    return state;
  };
  const auto both = [&](const StateDict& state, const std::vector<std::string>& texts) {
    refuses<StateError>([&] { optimizer.load_state_dict(state); }, texts);
    refuses<StateError>([&] { optimizer.load_matching(state); }, texts);
  };
  both(counting("bias", -1), {"-1 steps of 'bias'", "[0, 3]"});
  both(counting("bias", 4), {"4 steps of 'bias'", "[0, 3]"});
  both(counting("bias", -1), {"'bias'"});
  refuses<StateError>([&] { optimizer.load_state_dict(counting("scale", 1)); }, {"no state", "scale"});
  StateDict text = before;
  text.set("counts", "three");
  both(text, {"'counts'", "text"});
  StateDict other = before;
  other.set("momentum", StateDict());
  both(other, {"momentum", "another optimizer than adamw"});
  CHECK(identical(optimizer.state_dict(), before));

  const Tensor head(Array::ones({2}), true), wide(Array::ones({8}), true);
  AdamW next({p[0], {"bias", wide}, {"head", head}});
  const LoadReport report = next.load_matching(counting("bias", 1));
  CHECK(report.missing == std::vector<std::string>{"head"});
  CHECK(report.mismatched.size() == 1);
  for (Tensor t : {head, wide}) t.set_grad(Array::ones(t.shape()));
  next.step();
  CHECK(next.steps() == 4);
  CHECK(next.state_dict().dict("counts").integer("head") == 1);
  CHECK(next.state_dict().dict("counts").integer("bias") == 1);
}

TEST_CASE("optimizer: a snapshot does not follow the training, the shared state does") {
  for (const std::string& name : ours) {
    CAPTURE(name);
    const std::vector<NamedTensor> p = start();
    const auto optimizer = make_optimizer(name, {{p}});
    steps(*optimizer, p, 0, 1);
    const StateDict kept = optimizer->state_dict(), shared = optimizer->shared_state_dict();
    const StateDict then = shared.copy();
    steps(*optimizer, p, 1, 2);
    CHECK(identical(kept, then));
    for (const auto& [slot, value] : optimizer->shared_state_dict().copy().entries())
      if (const auto* const arrays = std::get_if<std::shared_ptr<StateDict>>(&value))
        CHECK(identical(**arrays, shared.dict(slot)));
  }
}

TEST_CASE("optimizer: state follows a parameter that becomes double, and training goes on") {
  for (const std::string& name : ours) {
    CAPTURE(name);
    const std::vector<NamedTensor> narrow = start(), wide = start(float64);
    const auto first = make_optimizer(name, {{narrow}}), second = make_optimizer(name, {{wide}});
    steps(*first, narrow, 0, 3);
    // The same from a state that was written as double.
    const auto widened = [](const StateDict& state) {
      StateDict made;
      for (const auto& [slot, value] : state.entries()) {
        StateDict arrays;
        if (const auto* const found = std::get_if<std::shared_ptr<StateDict>>(&value)) {
          for (const std::string& key : (*found)->keys()) arrays.set(key, (*found)->array(key).to(float64));
          made.set(slot, arrays);
        } else {
          made.set(slot, state.integer(slot));
        }
      }
      return made;
    };
    const StateDict state = first->state_dict();
    second->load_state_dict(widened(state));
    for (size_t k = 0; k < wide.size(); ++k) {
      Tensor(wide[k].tensor).set_value(narrow[k].tensor.value().to(float64));
      Tensor(narrow[k].tensor).set_value(narrow[k].tensor.value().to(float64));
    }
    CHECK(identical(first->state_dict(), second->state_dict()));
    steps(*first, narrow, 3, 6);
    steps(*second, wide, 3, 6);
    CHECK(same_values(narrow, wide));
    CHECK(identical(first->state_dict(), second->state_dict()));
    for (const NamedTensor& p : narrow) Tensor(p.tensor).set_value(p.tensor.value().to(float32));
    steps(*first, narrow, 6, 7);
    CHECK(narrow[0].tensor.dtype() == float32);
  }
}

TEST_CASE("optimizer: gradients and state of before a parameter changed are refused") {
  const std::vector<NamedTensor> p = start();
  AdamW optimizer(p);
  steps(optimizer, p, 0, 1);
  const StateDict state = optimizer.state_dict();
  Tensor weight = p[0].tensor;
  set_gradients(p, 1);
  {
    const NoGrad no_grad;
    weight.mutable_value() = weight.value().to(float64);
  }
  refuses<StateError>([&] { optimizer.step(); },
                      {"gradient of 'weight'", "float32", "float64", "zero_grad()"});
  weight.set_value(Array::ones({3, 7}));
  weight.set_grad(Array::ones({3, 7}));
  refuses<StateError>([&] { optimizer.step(); }, {"state of 'weight'", "(5, 7)", "(3, 7)", "load_matching"});
  CHECK(optimizer.steps() == 1);
  weight.zero_grad();
  optimizer.step();
  CHECK(optimizer.steps() == 2);
  AdamW next(p);
  CHECK(next.load_matching(state).mismatched.size() == 1);
  set_gradients({p[1]}, 2);
  weight.set_grad(Array::ones({3, 7}));
  next.step();
}

TEST_CASE("optimizer: what backward reaches beside its parameters, and nobody looks at, is refused") {
  const Tensor own(Array::ones({2}), true), held(Array::ones({2}), true);
  SGD optimizer({{"own", own}});
  const auto backward = [&] { sum(own * held).backward(); };
  backward();
  optimizer.step();
  backward();
  refuses<StateError>([&] { optimizer.step(); }, {"optimizer: a tensor (2,)", "parameter(\"name\""});
  CHECK(optimizer.steps() == 1);
  SGD both({{"own", own}, {"held", held}});
  backward();
  both.step();
  backward();
  both.step();
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
