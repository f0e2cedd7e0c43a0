#include <doctest/doctest.h>
#include <weft/optim/ema.h>

#include "reference.h"

namespace weft::test {

namespace {

/// Ten plain steps, with the averages brought up to date after each.
void run(const std::vector<NamedTensor>& parameters, EMA& ema, int64_t begin = 0, int64_t end = 10) {
  const NoGrad no_grad;
  for (int64_t step = begin; step < end; ++step) {
    set_gradients(parameters, step);
    for (NamedTensor p : parameters) p.tensor.mutable_value() = (p.tensor - p.tensor.grad() * 0.1).value();
    ema.update();
  }
}

}  // namespace

TEST_CASE("ema: the averages of ten steps equal PyTorch's, and the weights come back") {
  for (const DType dtype : {float32, float64}) {
    const std::vector<NamedTensor> p = start(dtype);
    EMA ema(p, 0.9);
    run(p, ema);
    std::vector<Array> weights;
    for (const auto& [name, tensor] : p) weights.push_back(tensor.value().copy());
    {
      const EMA::Exchange averaged(ema);
      for (const auto& [name, tensor] : p)
        CHECK(difference(tensor.value(), reference("EMA").array(name), dtype == float32 ? 1e-6 : 1e-7) == "");
      refuses<StateError>([&] { ema.update(); }, {"EMA", "averages"});
      refuses<StateError>([&] { EMA::Exchange twice(ema); }, {"EMA", "averages"});
      refuses<StateError>([&] { ema.state_dict(); }, {"EMA", "averages"});
    }
    for (size_t k = 0; k < p.size(); ++k) CHECK(p[k].tensor.value().identical(weights[k]));
    CHECK(ema.updates() == 10);
  }
}

TEST_CASE("ema: before the first update the averages are the weights") {
  const std::vector<NamedTensor> p = start(), same = start();
  EMA ema(p);
  const EMA::Exchange averaged(ema);
  for (size_t k = 0; k < p.size(); ++k) CHECK(p[k].tensor.value().identical(same[k].tensor.value()));
}

TEST_CASE("ema: goes on from its state with the same bits; a state that does not fit changes nothing") {
  const std::vector<NamedTensor> one = start(), two = start();
  EMA whole(one, 0.9), first(two, 0.9), second(two, 0.9);
  run(one, whole);
  run(two, first, 0, 4);
  second.load_state_dict(first.state_dict());
  run(two, second, 4, 10);
  CHECK(identical(second.state_dict(), whole.state_dict()));

  const StateDict before = second.state_dict();
  StateDict unknown = before, arrays = before.dict("average");
  arrays.set("scale", Array::zeros({7}));
  unknown.set("average", arrays);
  refuses<StateError>([&] { second.load_state_dict(unknown); }, {"EMA", "scale"});
  unknown.set("average", StateDict());
  refuses<StateError>([&] { second.load_state_dict(unknown); }, {"EMA", "bias", "weight"});
  unknown.set("updates", -1);
  refuses<StateError>([&] { second.load_state_dict(unknown); }, {"EMA", "-1"});
  CHECK(identical(second.state_dict(), before));
}

TEST_CASE("ema: a snapshot does not follow the training, the shared state does") {
  const std::vector<NamedTensor> p = start();
  EMA ema(p, 0.5);
  run(p, ema, 0, 2);
  const StateDict kept = ema.state_dict(), shared = ema.shared_state_dict(), then = shared.copy();
  run(p, ema, 2, 3);
  CHECK(identical(kept, then));
  CHECK(identical(shared.dict("average"), ema.state_dict().dict("average")));
}

TEST_CASE("ema: averages follow parameters that become double; of another shape they are refused") {
  const std::vector<NamedTensor> narrow = start(), wide = start(float64);
  EMA one(narrow, 0.5), two(wide, 0.5);
  run(narrow, one, 0, 3);
  StateDict state = one.state_dict(), averages;
  for (size_t k = 0; k < wide.size(); ++k) {
    const std::string& name = wide[k].name;
    averages.set(name, state.dict("average").array(name).to(float64));
    for (Tensor t : {narrow[k].tensor, wide[k].tensor}) t.set_value(narrow[k].tensor.value().to(float64));
  }
  state.set("average", averages);
  two.load_state_dict(state);
  CHECK(identical(one.state_dict(), two.state_dict()));
  const Array weight = narrow[0].tensor.value().copy();
  {
    const EMA::Exchange averaged(one);
    CHECK(narrow[0].tensor.value().identical(averages.array("weight")));
  }
  CHECK(narrow[0].tensor.value().identical(weight));
  run(narrow, one, 3, 6);
  run(wide, two, 3, 6);
  CHECK(identical(one.state_dict(), two.state_dict()));
  Tensor(narrow[0].tensor).set_value(Array::ones({2}));
  refuses<StateError>([&] { one.update(); }, {"EMA", "'weight'", "(5, 7)", "(2,)"});
  refuses<StateError>([&] { EMA::Exchange exchange(one); }, {"EMA", "'weight'"});
}

TEST_CASE("ema: bad arguments") {
  const std::vector<NamedTensor> p = start();
  refuses<ValueError>([&] { EMA(p, 1.5); }, {"EMA", "decay", "1.5"});
  refuses<ValueError>([&] { EMA({p[0], p[0]}); }, {"EMA", "'weight'", "twice"});
}

}  // namespace weft::test
