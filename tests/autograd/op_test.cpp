#include <doctest/doctest.h>
#include <weft/autograd/gradcheck.h>
#include <weft/autograd/op.h>
#include <weft/autograd/ops.h>
#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/lib/machine/memory.h>

#include <stdexcept>

#include "checks.h"

namespace weft::test {

namespace {

/// The example of op.h.
Tensor cube(const Tensor& x) {
  return make_op("cube", kernels::binary(kernels::Binary::pow, x.value(), 3.0),
                 {{x, [x = save(x)](const Tensor& g) { return g * 3.0 * x() * x(); }}});
}

Tensor leaf(std::initializer_list<double> values, const Shape& shape) {
  return tensor(values, shape, float64).set_requires_grad();
}

/// In float32, whose fused kernels have something to compute again and to write over.
Tensor float_leaf(const Shape& shape, uint64_t stream) {
  return Tensor(random_normal(shape, 0, 1, random_key(1, stream), float32), true);
}

}  // namespace

TEST_CASE("op: a user's operation in a few lines has gradients of every order") {
  const Tensor x = leaf({-1, 0.5, 2}, {3});
  CHECK(gradcheck([](const std::vector<Tensor>& in) { return cube(in[0]); }, {x}).failure == "");
  CHECK(grad({sum(cube(x))}, {x})[0].value().at({2}) == 12);
}

TEST_CASE("op: a rule may take the output, and may give the broadcast shape") {
  const auto times = [](const Tensor& a, const Tensor& b) {
    return make_op("times", kernels::binary(kernels::Binary::mul, a.value(), b.value()),
                   {{a, [b = save(b)](const Tensor& g) { return g * b(); }},
                    {b, [b = save(b)](const Tensor& g, const Tensor& y) { return g * y / b(); }}});
  };
  const auto f = [&](const std::vector<Tensor>& in) { return times(in[0], in[1]); };
  CHECK(gradcheck(f, {leaf({1, 2, 3, 4}, {2, 2}), leaf({0.5, 3}, {2})}).failure == "");
}

TEST_CASE("op: a joint rule gives all gradients at once, and is told which are wanted") {
  std::vector<bool> asked;
  const auto add_twice = [&](const Tensor& a, const Tensor& b) {
    return make_op("add_twice", (a + b * 2.0).value(), {a, b},
                   [&](const Tensor& g, const std::vector<bool>& wanted) -> std::vector<Tensor> {
                     asked = wanted;
                     return {g, g * 2.0};
                   });
  };
  const Tensor a = leaf({1}, {1}), b = leaf({1}, {1}), frozen = tensor({1}, {1}, float64);
  CHECK(gradcheck([&](const std::vector<Tensor>& in) { return add_twice(in[0], in[1]); }, {a, b}).failure ==
        "");
  add_twice(a, frozen).backward();
  CHECK(asked == std::vector<bool>{true, false});
  const Tensor wrong =
      make_op("one_short", a.value().copy(), {a, b},
              [](const Tensor& g, const std::vector<bool>&) { return std::vector<Tensor>{g}; });
  refuses<StateError>([&] { wrong.backward(); }, {"one_short", "1 gradients for 2 inputs"});
}

TEST_CASE("op: without a rule it throws, naming itself, when a gradient is asked for") {
  const Tensor x = leaf({1, 2}, {2}), c = tensor({1, 2}, {2}, float64);
  const Tensor y = make_op("round_down", x.value().copy(), {{x, {}}});
  refuses<StateError>([&] { sum(y).backward(); }, {"round_down", "no gradient rule", "(2,)"});
  // Nobody asks where nothing requires one.
  CHECK_NOTHROW(make_op("round_down", c.value().copy(), {{c, {}}}));
}

TEST_CASE("op: wrong gradients are refused with the operation's name and what is wrong") {
  const Tensor x = leaf({1, 2, 3}, {3});
  const auto ruled = [&](const char* name, Rule rule) {
    return make_op(name, x.value().copy(), {{x, std::move(rule)}});
  };
  refuses<ShapeError>(
      [&] { sum(ruled("misshapen", [](const Tensor&) { return ones({2}, float64); })).backward(); },
      {"misshapen", "(2,)", "(3,)"});
  refuses<TypeError>(
      [&] { sum(ruled("mistyped", [](const Tensor&) { return ones({3}, float32); })).backward(); },
      {"mistyped", "float32", "float64"});
  refuses<StateError>([&] { sum(ruled("empty", [](const Tensor&) { return Tensor(); })).backward(); },
                      {"empty", "no gradient", "(3,)"});
  const DetectAnomaly detect;
  refuses<NumericError>(
      [&] { sum(ruled("exploding", [](const Tensor& g) { return g * 1e308 * 10.0; })).backward(); },
      {"backward of exploding", "mul"});
}

TEST_CASE("op: a saved value that changes is refused with the name of the operation that saved it") {
  Tensor x = leaf({1, 2}, {2});
  const Tensor y = sum(cube(x));
  {
    const NoGrad no_grad;
    x.mutable_value().fill(3);
  }
  refuses<StateError>([&] { y.backward(); }, {"cube", "(2,)", "changed in place"});
}

TEST_CASE("op: an accumulate rule serves plain backward into leaves, the rule all else") {
  int accumulated = 0, ruled = 0;
  const auto counted = [&](const Tensor& x) {
    return make_op("counted", x.value().copy(),
                   {{x,
                     [&](const Tensor& g) {
                       ++ruled;
                       return g;
                     },
                     [&](const Tensor& g, Array& into, bool fresh) {
                       CHECK(fresh == (accumulated == 0));
                       ++accumulated;
                       if (fresh) into.fill(0);
                       kernels::add_into(into, g.value());
                     }}});
  };
  Tensor x = leaf({1, 2}, {2});
  sum(counted(x)).backward();
  sum(counted(x)).backward();
  CHECK(accumulated == 2);
  CHECK(ruled == 0);
  CHECK(x.grad().value().at({0}) == 2);
  grad({sum(counted(x))}, {x});
  sum(counted(x * 1.0)).backward();
  sum(counted(x)).backward({.create_graph = true});
  CHECK(accumulated == 2);
  CHECK(ruled == 3);
  x.zero_grad();
  x.register_hook([](const Tensor& g) { return g * 5.0; });
  sum(counted(x)).backward();
  CHECK(ruled == 4);
  CHECK(x.grad().value().at({0}) == 5);
}

TEST_CASE("op: gradients of the composed form, for those inputs that require one") {
  const Tensor a = leaf({1, 2}, {2}), b = leaf({3, 4}, {2}), c = tensor({5, 6}, {2}, float64);
  const auto product = [](const std::vector<Tensor>& in) { return in[0] * in[0] * in[1] * in[2]; };
  const std::vector<Tensor> grads = composed_grad(product, {a, b, c}, ones({2}, float64));
  CHECK(grads[0].value().at({1}) == 2 * 2 * 4 * 6);
  CHECK(grads[1].value().at({0}) == 5);
  CHECK_FALSE(grads[2].defined());
  CHECK(grad({sum(grads[0])}, {a})[0].value().at({0}) == 2 * 3 * 5);
}

TEST_CASE("op: what is cheap to compute again is not kept for backward") {
  Tensor w = float_leaf({64, 64}, 1);
  const Tensor x = float_leaf({512, 64}, 2);
  const auto deep = [&](const Tensor& t) {
    const Tensor normed = layer_norm(t, ones({64}), zeros({64}));
    return linear(gelu(linear(normed, w)), w);
  };
  const size_t before = memory_stats().in_use;
  const Tensor y = deep(x);
  const size_t one = x.value().nbytes();
  // The norm's result, the activation's and linear's: only the last two products are held.
  CHECK(memory_stats().in_use - before < 3 * one);
  const RandomScope random({.seed = 1});
  const Tensor loss = sum(square(y)) + sum(dropout(relu(linear(x, w)), 0.5, "d") * linear(x, w));
  loss.backward({.retain_graph = true});
  const Array first = w.grad().value().copy();
  w.zero_grad();
  loss.backward();
  CHECK(w.grad().value().identical(first));
  // The same without anything to compute again: each result is held by somebody.
  w.zero_grad();
  const Tensor a = layer_norm(x, ones({64}), zeros({64})), b = linear(a, w), c = gelu(b);
  sum(square(linear(c, w))).backward();
  const Array held = w.grad().value().copy();
  w.zero_grad();
  sum(square(deep(x))).backward();
  CHECK(w.grad().value().identical(held));
}

TEST_CASE("op: a result that is computed again refuses inputs that were changed") {
  Tensor w = float_leaf({4, 4}, 1), u = float_leaf({3, 4}, 3);
  const Tensor loss = sum(linear(gelu(u), w));
  {
    const NoGrad no_grad;
    u.mutable_value().mutable_data<float>()[0] = 7;
  }
  refuses<StateError>([&] { loss.backward(); }, {"changed in place"});
}

TEST_CASE("op: a rule that fails leaves no gradient behind, and gives nothing up") {
  Tensor w = float_leaf({4, 4}, 1), x = float_leaf({3, 4}, 2);
  const Tensor u = x * 1.0;
  const Tensor loss = sum(linear(u, w));
  {
    Array values = u.value();
    values.mutable_data<float>()[0] = 7;
  }
  refuses<StateError>([&] { loss.backward(); }, {"changed in place"});
  CHECK(w.grad().value().identical(Array::zeros({4, 4}, float32)));

  const Tensor failing = make_op("failing", x.value().copy(),
                                 {{x, [](const Tensor&) -> Tensor { throw std::runtime_error("rule"); }}});
  CHECK_THROWS_AS(sum(failing * 2.0).backward(), std::runtime_error);
  const Tensor g = float_leaf({3, 4}, 3);
  const Array held = g.value();
  CHECK(consume(g).shares_buffer(held));
  CHECK(g.value().shares_buffer(held));
}

TEST_CASE("op: an empty batch gives a weight the gradient 0") {
  Tensor w = float_leaf({5, 4}, 1);
  sum(linear(Tensor(Array({0, 4}, float32)), w)).backward();
  CHECK(w.grad().value().identical(Array::zeros({5, 4}, float32)));
}

TEST_CASE("op: gradients that somebody holds are not written over") {
  const Tensor x = float_leaf({8}, 2);
  const Tensor y = gelu(x);
  const Tensor seed = ones({8});
  y.backward(seed);
  CHECK(seed.value().identical(Array::ones({8})));

  Tensor seen;
  Tensor middle = gelu(x);
  middle.register_hook([&](const Tensor& g) {
    seen = g;
    return Tensor();
  });
  sum(middle * 3.0).backward();
  CHECK(seen.value().identical(Array::full({8}, 3)));

  // Two branches meet: their gradients are summed, and the branches' own stay what they were.
  Tensor left = x * 2.0, right = x * 5.0;
  left.retain_grad();
  right.retain_grad();
  const Tensor both = left + right;
  sum(both + both * left).backward();
  CHECK(right.grad().value().identical((1.0 + left).value()));
}

TEST_CASE("op: the logits are given up to their gradient only when nobody needs them") {
  const Tensor logits = float_leaf({4, 7}, 4);
  const Array targets = Array::from({0, 3, 6, 2}, {4}).to(int64);
  const Tensor doubled = logits * 2.0;
  const Array kept = doubled.value().copy();
  const Loss loss = cross_entropy(doubled, targets);
  loss.sum.backward();
  CHECK(doubled.value().identical(kept));
  const Array g = logits.grad().value().copy();
  Tensor again = logits;
  again.zero_grad();
  const Loss other = cross_entropy(logits * 2.0, targets);
  other.sum.backward({.retain_graph = true});
  CHECK(logits.grad().value().identical(g));
  again.zero_grad();
  other.sum.backward();
  CHECK(logits.grad().value().identical(g));
}

}  // namespace weft::test
