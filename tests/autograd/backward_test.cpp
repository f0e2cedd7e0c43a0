#include <doctest/doctest.h>
#include <weft/autograd/op.h>
#include <weft/autograd/ops.h>
#include <weft/lib/array/random.h>
#include <weft/lib/profile/profile.h>

#include <thread>

#include "checks.h"

namespace weft::test {

namespace {

Tensor leaf(std::initializer_list<double> values) {
  return tensor(values, {static_cast<int64_t>(values.size())}, float64).set_requires_grad();
}

Tensor random_leaf(const Shape& shape, const char* name, DType dtype = float32) {
  return Tensor(random_uniform(shape, -1, 1, random_key(0, stream_id(name)), dtype), true);
}

void check_values(const Tensor& found, const std::vector<double>& expected) {
  REQUIRE(found.defined());
  CHECK(difference(found.value(), Array::from(expected, found.shape()), 1e-15) == "");
}

}  // namespace

TEST_CASE("backward: starts from one number, or from a given gradient") {
  const Tensor x = leaf({1, 2, 3});
  sum(x * x).backward();
  check_values(x.grad(), {2, 4, 6});
  refuses<ShapeError>([&] { (x * x).backward(); }, {"backward", "(3,)"});
  refuses<ShapeError>([&] { (x * x).backward(ones({2}, float64)); }, {"backward", "(2,)", "(3,)"});
  refuses<ShapeError>([&] { (x * x).backward(ones({3}, float32)); }, {"backward", "float32", "float64"});
  refuses<StateError>([&] { sum(x.detach()).backward(); }, {"backward", "requires a gradient"});
  (x * x).backward(tensor({1, 0, -1}, {3}, float64));
  check_values(x.grad(), {4, 4, 0});
}

TEST_CASE("backward: a leaf is its own gradient") {
  const Tensor x = leaf({5});
  x.backward();
  check_values(x.grad(), {1});
}

TEST_CASE("backward: gradients accumulate over calls and over uses") {
  const Tensor x = leaf({1, 2});
  const Tensor y = x * x + exp(x) * 0.0 + x;
  sum(y).backward();
  check_values(x.grad(), {3, 5});
  sum(x * 10.0).backward();
  check_values(x.grad(), {13, 15});
}

TEST_CASE("backward: paths of different lengths meet before they go on") {
  const Tensor x = leaf({3});
  Tensor a = x * 2.0;
  const Tensor b = a * a * a + a;
  int calls = 0;
  a.register_hook([&](const Tensor&) {
    ++calls;
    return Tensor();
  });
  sum(b).backward();
  CHECK(calls == 1);
  check_values(x.grad(), {2 * (3 * 36 + 1)});
}

TEST_CASE("backward: a graph is freed unless it is to be kept") {
  const Tensor x = leaf({1, 2});
  const Tensor y = sum(exp(x) * x);
  y.backward({.retain_graph = true});
  y.backward();
  check_values(x.grad(), {2 * 2 * 2.718281828459045, 2 * 3 * 7.38905609893065});
  refuses<StateError>([&] { y.backward(); }, {"sum", "retain_graph"});
}

TEST_CASE("backward: a part of a freed graph is refused by the name of its operation") {
  const Tensor x = leaf({1, 2});
  const Tensor middle = exp(x);
  sum(middle * 2.0).backward();
  refuses<StateError>([&] { sum(middle * 3.0).backward(); }, {"exp", "retain_graph"});
}

TEST_CASE("backward: create_graph lets gradients be differentiated") {
  Tensor x = leaf({2});
  sum(x * x * x).backward({.create_graph = true});
  Tensor first = x.grad();
  check_values(first, {12});
  check_values(grad({sum(first)}, {x}, {}, {.create_graph = true})[0], {12});
  x.zero_grad();  // the gradient and its leaf hold each other
  // Third order.
  const Tensor y = sum(exp(x * 2.0));
  const Tensor d1 = grad({y}, {x}, {}, {.create_graph = true})[0];
  const Tensor d2 = grad({sum(d1)}, {x}, {}, {.create_graph = true})[0];
  const Tensor d3 = grad({sum(d2)}, {x})[0];
  CHECK(d3.item() == doctest::Approx(8 * std::exp(4.0)).epsilon(1e-14));
  CHECK_FALSE(d3.requires_grad());
}

TEST_CASE("backward: gradients of leaves and results, without touching grad()") {
  const Tensor x = leaf({1, 2}), w = leaf({3, 4}), apart = leaf({7});
  const Tensor h = x * w;
  const Tensor y = sum(h * h);
  const std::vector<Tensor> grads = grad({y}, {h, x, apart}, {}, {.retain_graph = true});
  check_values(grads[0], {6, 16});
  check_values(grads[1], {18, 64});
  check_values(grads[2], {0});
  CHECK_FALSE(x.grad().defined());
  CHECK_FALSE(w.grad().defined());
  check_values(grad({y}, {y})[0], {1});
}

TEST_CASE("backward: several outputs, each with its seed") {
  const Tensor x = leaf({1, 2});
  const Tensor a = x * 2.0, b = x * x;
  check_values(grad({a, b}, {x}, {ones({2}, float64), tensor({1, 10}, {2}, float64)})[0], {4, 42});
  refuses<ValueError>([&] { grad({a, b}, {x}, {ones({2}, float64)}); }, {"grad", "1", "2"});
  refuses<StateError>([&] { grad({sum(a)}, {x.detach()}); }, {"grad", "(2,)", "require"});
}

TEST_CASE("backward: rules that nobody needs are not run") {
  const Tensor x = leaf({1}), frozen = tensor({2}, {1}, float64);
  const Tensor guarded =
      make_op("guarded", (x * frozen).value(),
              {{x, [&](const Tensor& g) { return g * frozen; }},
               {frozen, [](const Tensor&) -> Tensor { throw StateError("run for nothing"); }}});
  CHECK_NOTHROW(guarded.backward());
  // With grad() only what leads to the inputs runs.
  const Tensor y = make_op("side", x.value().copy(),
                           {{x, [](const Tensor&) -> Tensor { throw StateError("run for nothing"); }}});
  const Tensor z = leaf({4});
  check_values(grad({sum(y * z)}, {z})[0], {1});
}

TEST_CASE("backward: hooks see gradients, may replace them, and go when removed") {
  const Tensor x = leaf({1, 2});
  Tensor h = x * 2.0;
  std::vector<double> seen;
  h.register_hook([&](const Tensor& g) {
    seen.push_back(g.value().at({0}));
    return g * 10.0;
  });
  const RemovableHandle second = h.register_hook([&](const Tensor& g) {
    seen.push_back(g.value().at({0}));
    return Tensor();
  });
  sum(h).backward({.retain_graph = true});
  CHECK(seen == std::vector<double>{1, 10});
  check_values(x.grad(), {20, 20});
  second.remove();
  sum(h).backward({.retain_graph = true});
  CHECK(seen.size() == 3);

  Tensor leaf_hooked = leaf({1});
  const RemovableHandle number = leaf_hooked.register_hook([](const Tensor& g) { return g * -1.0; });
  sum(leaf_hooked * 3.0).backward();
  check_values(leaf_hooked.grad(), {-3});
  number.remove();
  sum(leaf_hooked * 3.0).backward();
  check_values(leaf_hooked.grad(), {0});
  refuses<StateError>([&] { x.detach().register_hook([](const Tensor& g) { return g; }); },
                      {"register_hook", "(2,)"});
}

TEST_CASE("backward: a hook that changes shape or type is refused") {
  const Tensor x = leaf({1, 2});
  Tensor h = exp(x);
  const RemovableHandle number = h.register_hook([](const Tensor&) { return zeros({3}, float64); });
  refuses<ShapeError>([&] { sum(h).backward({.retain_graph = true}); }, {"hook", "(2,)", "(3,)"});
  number.remove();
  h.register_hook([](const Tensor&) { return zeros({2}, float32); });
  refuses<ShapeError>([&] { sum(h).backward(); }, {"hook", "float64", "float32"});
}

TEST_CASE("backward: results keep their gradient when asked") {
  const Tensor x = leaf({1, 2});
  Tensor h = x * 2.0;
  CHECK_FALSE(h.grad().defined());
  h.retain_grad();
  sum(h * h).backward();
  check_values(h.grad(), {4, 8});
  check_values(x.grad(), {8, 16});
}

TEST_CASE("backward: a value changed in place is refused with the name of the operation") {
  const Tensor x = leaf({1, 2});
  Tensor w = leaf({3, 4});
  const Tensor y = sum(x * w);
  {
    const NoGrad no_grad;
    w.mutable_value().fill(0);
  }
  refuses<StateError>([&] { y.backward(); }, {"mul", "(2,)", "changed in place"});
  // A result that its own gradient needs.
  const Tensor e = exp(x);
  Array shared = e.value();
  shared.fill(1);
  refuses<StateError>([&] { sum(e).backward(); }, {"exp", "(2,)", "changed in place"});
  // What the rules do not read may change.
  const Tensor free = sum(x + w);
  {
    const NoGrad no_grad;
    w.mutable_value().fill(7);
  }
  CHECK_NOTHROW(free.backward());
}

TEST_CASE("backward: fused operations notice changes in place too") {
  const auto changed = [](Tensor& parameter, const Tensor& y) {
    {
      const NoGrad no_grad;
      parameter.mutable_value().fill(1);
    }
    return refusal<StateError>([&] { sum(y).backward(); });
  };
  const Tensor x = random_leaf({2, 3, 4}, "x");
  Tensor weight = random_leaf({4, 4}, "w");
  CHECK(changed(weight, linear(x, weight)).starts_with("linear"));
  Tensor scale = random_leaf({4}, "s");
  CHECK(changed(scale, layer_norm(x, scale)).starts_with("layer_norm"));
  Tensor keys = random_leaf({2, 3, 4}, "k");
  CHECK(changed(keys, multi_head_attention(x, keys, keys, 2)).starts_with("attention"));
  Tensor logits = random_leaf({2, 4}, "l");
  CHECK(changed(logits, cross_entropy(logits, Array::zeros({2}, int64)).sum).starts_with("cross_entropy"));
}

TEST_CASE("backward: long chains need no stack, neither to run nor to be destroyed") {
  const Tensor x = leaf({1});
  {
    Tensor y = x;
    for (int i = 0; i < 200'000; ++i) y = y + 1.0;
    CHECK(y.item() == 200'001);
    y.backward();
    check_values(x.grad(), {1});
    check_values(grad({[&] {
                        Tensor z = x;
                        for (int i = 0; i < 200'000; ++i) z = z * 1.0;
                        return z;
                      }()},
                      {x})[0],
                 {1});
  }
  {
    Tensor dropped = x;
    for (int i = 0; i < 200'000; ++i) dropped = dropped * x;
    Tensor joined = x;
    for (int i = 0; i < 50'000; ++i)
      joined = scaled_dot_product_attention(reshape(joined, {1, 1, 1, 1}), ones({1, 1, 1, 1}, float64),
                                            ones({1, 1, 1, 1}, float64));
  }
  CHECK_NOTHROW(sum(x).backward());
}

TEST_CASE("backward: graphs of two threads do not meet") {
  const auto work = [](double factor, Array& result) {
    const Tensor x(Array::full({64}, factor, float64), true);
    for (int i = 0; i < 200; ++i) {
      Tensor y = x;
      for (int k = 0; k < 20; ++k) y = y * x;
      sum(y).backward();
      if (i + 1 < 200) Tensor(x).zero_grad();
    }
    result = x.grad().value();
  };
  Array one, two;
  std::thread other([&] { work(1.0, two); });
  work(0.5, one);
  other.join();
  CHECK(one.at({0}) == 21 * std::pow(0.5, 20));
  CHECK(two.at({63}) == 21);
}

TEST_CASE("backward: no_grad on one thread leaves the other recording") {
  const NoGrad no_grad;
  bool recording = false;
  std::thread other([&] { recording = grad_enabled(); });
  other.join();
  CHECK(recording);
}

TEST_CASE("backward: micro-batches in sequence give the bits of the whole batch") {
  constexpr int64_t batch = 6, tokens = 5, width = 19, classes = 23;
  const Array ids = (Tensor(random_uniform({batch, tokens}, 0, classes, random_key(0, 1))).value()).to(int64);
  const Array labels =
      (Tensor(random_uniform({batch, tokens}, 0, classes, random_key(0, 2))).value()).to(int64);
  const std::vector<Tensor> parameters = {
      random_leaf({classes, width}, "table"), random_leaf({width, width}, "weight"),
      random_leaf({width}, "bias"),           random_leaf({width}, "scale"),
      random_leaf({width}, "shift"),          random_leaf({tokens, width}, "place"),
      random_leaf({width, classes}, "out")};
  const auto run = [&](int64_t micro) {
    for (Tensor p : parameters) p.zero_grad();
    LossMeter meter;
    for (int64_t begin = 0; begin < batch; begin += micro) {
      const auto rows = [&](const Array& all) { return slice(Tensor(all), 0, begin, begin + micro).value(); };
      Tensor h = embedding(rows(ids), parameters[0]) + parameters[5];
      h = h + gelu(linear(h, parameters[1], parameters[2]));
      h = multi_head_attention(h, h, h, 1, {Mask::causal()});
      h = layer_norm(h, parameters[3], parameters[4]);
      const Loss loss = cross_entropy(matmul(h, parameters[6]), rows(labels));
      loss.sum.backward();
      meter.add(loss);
    }
    std::vector<Array> grads;
    for (const Tensor& p : parameters) grads.push_back(p.grad().value().copy());
    return std::pair(grads, meter.mean());
  };
  const auto [whole, loss] = run(batch);
  for (const int64_t micro : {3, 2, 1}) {
    CAPTURE(micro);
    const auto [parts, same_loss] = run(micro);
    CHECK(same_loss == loss);
    for (size_t k = 0; k < whole.size(); ++k) {
      CAPTURE(k);
      CHECK(parts[k].identical(whole[k]));
    }
  }
}

TEST_CASE("backward: a tied weight keeps one sum for each of its uses, so micro-batches keep its bits") {
  const Tensor table = random_leaf({7, 5}, "tied");
  const Array ids = Array::from<int64_t>({1, 2, 3, 4, 5, 6, 0, 1}, {4, 2});
  const auto run = [&](int64_t micro) {
    Tensor(table).zero_grad();
    for (int64_t begin = 0; begin < 4; begin += micro) {
      const Array part = slice(Tensor(ids), 0, begin, begin + micro).value();
      cross_entropy(linear(embedding(part, table), table), part).sum.backward();
    }
    return table.grad().value().copy();
  };
  const Array whole = run(4);
  CHECK(run(2).identical(whole));
  CHECK(run(1).identical(whole));
}

TEST_CASE("backward: a profile counts each gradient for the layer that its operation was made in") {
  const Tensor x = leaf({1, 2});
  start_profile();
  Tensor y;
  {
    const LayerScope layer([] { return std::string("up"); });
    y = exp(x);
  }
  sum(y).backward();
  std::vector<std::string> ops;
  for (const ProfileEvent& event : stop_profile().events) {
    if (event.kind != ProfileEvent::Kind::op) continue;
    CHECK(event.phase == "backward");
    ops.push_back(str(event.name, " ", event.layer));
  }
  CHECK(ops == std::vector<std::string>{"sum ", "exp up"});
}

}  // namespace weft::test
