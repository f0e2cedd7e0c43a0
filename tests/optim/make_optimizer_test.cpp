#include <doctest/doctest.h>
#include <weft/lib/array/random.h>
#include <weft/lib/machine/parallel.h>
#include <weft/optim/adam.h>
#include <weft/optim/make_optimizer.h>

#include "reference.h"

namespace weft::test {

TEST_CASE("make optimizer: every name gives the optimizer of that name, which trains") {
  for (const std::string& name : optimizers().names()) {
    CAPTURE(name);
    const std::vector<NamedTensor> p = start(), before = start();
    const auto optimizer = make_optimizer(name, parameter_groups(p), {{"lr", 0.5}});
    CHECK(optimizer->name() == name);
    CHECK(optimizer->lr() == 0.5);
    set_gradients(p, 0);
    optimizer->step();
    for (size_t k = 0; k < p.size(); ++k)
      CHECK_FALSE(p[k].tensor.value().identical(before[k].tensor.value()));
  }
}

TEST_CASE("make optimizer: options that are set arrive, those that are not are its own") {
  const std::vector<NamedTensor> p = start(), q = start();
  const auto made = make_optimizer("adamw", parameter_groups(p), {{"weight_decay", 0.5}, {"beta2", 0.9}});
  AdamW own(parameter_groups(q), {.beta2 = 0.9, .weight_decay = 0.5});
  for (int64_t step = 0; step < 3; ++step) {
    set_gradients(p, step);
    set_gradients(q, step);
    made->step();
    own.step();
  }
  for (size_t k = 0; k < p.size(); ++k) CHECK(p[k].tensor.value().identical(q[k].tensor.value()));
  CHECK(make_optimizer("lion", {})->lr() == 1e-4);
}

TEST_CASE("make optimizer: each goes on from its state with the same bits") {
  for (const std::string& name : optimizers().names()) {
    CAPTURE(name);
    const std::vector<NamedTensor> one = start(), two = start();
    const auto whole = make_optimizer(name, parameter_groups(one)),
               first = make_optimizer(name, parameter_groups(two)),
               second = make_optimizer(name, parameter_groups({two[1], two[0]}));
    const auto run = [](Optimizer& optimizer, const std::vector<NamedTensor>& p, int64_t begin, int64_t end) {
      for (int64_t step = begin; step < end; ++step) {
        set_gradients(p, step);
        optimizer.step();
      }
    };
    run(*whole, one, 0, 8);
    run(*first, two, 0, 3);
    second->load_state_dict(first->state_dict());
    run(*second, two, 3, 8);
    CHECK(identical(second->state_dict(), whole->state_dict()));
    for (size_t k = 0; k < one.size(); ++k) CHECK(one[k].tensor.value().identical(two[k].tensor.value()));
  }
}

TEST_CASE("make optimizer: any number of threads gives the same bits") {
  const int before = num_threads();
  const auto draw = [](uint64_t seed) { return random_normal({300, 257}, 0, 1, random_key(seed, 1)); };
  for (const std::string& name : optimizers().names()) {
    CAPTURE(name);
    const auto run = [&](int threads) {
      set_num_threads(threads);
      Tensor w(draw(1), true);
      const auto optimizer = make_optimizer(name, parameter_groups({{"w", w}}), {{"lr", 0.1}});
      for (const uint64_t seed : {2, 3}) {
        w.set_grad(draw(seed));
        optimizer->step(0.3);
      }
      return w.value().copy();
    };
    const Array expected = run(1);
    for (const int threads : {2, 3}) CHECK(run(threads).identical(expected));
  }
  set_num_threads(before);
}

TEST_CASE("make optimizer: names and options that are not there") {
  refuses<ValueError>([] { make_optimizer("adamv", {}); }, {"'adamv'", "adam"});
  refuses<ValueError>([] { make_optimizer("sgd", {}, {{"beta1", 0.9}}); }, {"sgd", "beta1", "0.9"});
  refuses<ValueError>([] { make_optimizer("lion", {}, {{"eps", 1e-8}}); }, {"lion", "eps"});
  refuses<ValueError>([] { make_optimizer("adamw", {}, {{"momentum", 0.5}}); }, {"adamw", "momentum"});
  refuses<ValueError>([] { make_optimizer("adamw", {}, {{"beta1", 2.0}}); }, {"beta1", "2"});
}

namespace {
struct HalvingOptions {
  double lr = 0.5, weight_decay = 0.0, share = 0.5;
  static const Settings<HalvingOptions>& settings() {
    using O = HalvingOptions;
    static const Settings<O> all = {Field(&O::lr, "lr", 0.0, 10.0),
                                    Field(&O::weight_decay, "weight_decay", 0.0, 1.0),
                                    Field(&O::share, "share", 0.0, 1.0, "what is left")};
    return all;
  }
};
class Halving : public Optimizer {
 public:
  Halving(std::vector<ParameterGroup> groups, HalvingOptions o)
      : Optimizer(std::move(groups), o.lr, o.weight_decay, {}), options_(o) {}
  std::string name() const override { return "halving"; }

 protected:
  void update(const ParameterUpdate& u) override {
    for (float& x : std::span(u.parameter.mutable_data<float>(), static_cast<size_t>(u.parameter.size())))
      x *= static_cast<float>(options_.share);
  }

 private:
  HalvingOptions options_;
};
}  // namespace

TEST_CASE("register optimizer: a user's is made by name, with its own options, once") {
  register_optimizer<Halving, HalvingOptions>("halving");
  const std::vector<NamedTensor> p = start(), before = start();
  const auto made = make_optimizer("halving", parameter_groups(p), {{"share", 0.25}});
  set_gradients(p, 0);
  made->step();
  CHECK(p[0].tensor.value().data<float>()[0] == 0.25F * before[0].tensor.value().data<float>()[0]);
  refuses<ValueError>([] { make_optimizer("halving", {}, {{"share", 2.0}}); }, {"share", "2"});
  refuses<ValueError>([] { register_optimizer<Halving, HalvingOptions>("halving"); },
                      {"'halving'", "already"});
  refuses<ValueError>([] { register_optimizer<Halving, HalvingOptions>("adamw"); }, {"'adamw'", "already"});
  refuses<ValueError>([] { register_optimizer<Halving, HalvingOptions>("a b"); }, {"'a b'"});
}

}  // namespace weft::test
