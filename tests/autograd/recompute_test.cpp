#include <doctest/doctest.h>
#include <weft/autograd/ops.h>
#include <weft/autograd/recompute.h>
#include <weft/lib/array/random.h>
#include <weft/lib/machine/dry_run.h>
#include <weft/lib/machine/memory.h>

#include <optional>

#include "checks.h"
#include "ops/op_table.h"

namespace weft::test {

namespace {

Tensor drawn(const Shape& shape, const char* name) {
  return Tensor(random_uniform(shape, -1, 1, random_key(1, stream_id(name))), true);
}

/// A block with parameters of its own, one of them used twice, and dropout.
struct Block {
  explicit Block(const char* name) : weight(drawn({8, 8}, name)), bias(drawn({8}, "bias")) {}
  Tensor operator()(const Tensor& x) const {
    const Tensor h = dropout(gelu(linear(layer_norm(x, {}, {}), weight, bias)), 0.3, "hidden");
    return x + dropout(linear(h, weight), 0.3, "result");
  }
  Tensor weight, bias;
};

/// A stack of blocks between others, all with the same first block.
struct Net {
  Block first{"first"}, second{"second"};
  Tensor head = drawn({5, 8}, "head");

  Tensor loss(const Tensor& x, bool recomputed) const {
    Tensor y = x;
    for (const Block* block : {&first, &second, &first}) {
      y = recomputed ? recompute([block](const Tensor& t) { return (*block)(t); }, y) : (*block)(y);
    }
    return sum(square(linear(y, head)));
  }
  std::vector<Tensor> parameters() const {
    return {first.weight, first.bias, second.weight, second.bias, head};
  }
};

struct Result {
  std::vector<double> losses;
  std::vector<Array> grads;
};

/// Gradients gathered over micro-batches of `micro` of six rows, the first input's among them.
Result gathered(bool recomputed, int64_t micro) {
  const Net net;
  const Tensor rows = drawn({6, 3, 8}, "rows");
  Result result;
  for (int64_t begin = 0; begin < 6; begin += micro) {
    std::optional<RandomScope> random(
        std::in_place,
        RandomScope::Options{.seed = 3, .step = 9, .first_sample = static_cast<uint64_t>(begin)});
    const Tensor loss = net.loss(slice(rows, 0, begin, begin + micro), recomputed);
    dropout(rows, 0.5, "after");
    random.reset();
    result.losses.push_back(loss.item());
    loss.backward();
  }
  for (const Tensor& p : net.parameters()) result.grads.push_back(p.grad().value());
  result.grads.push_back(rows.grad().value());
  return result;
}

bool same(const std::vector<Array>& a, const std::vector<Array>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const Array& x, const Array& y) { return x.identical(y); });
}

std::vector<Array> values(const std::vector<Tensor>& tensors) {
  std::vector<Array> arrays;
  for (const Tensor& t : tensors) arrays.push_back(t.defined() ? t.value() : Array::zeros({0}));
  return arrays;
}

}  // namespace

TEST_CASE("recompute: the bits of value and gradients, with dropout, shared parameters and micro-batches") {
  const Result whole = gathered(false, 6);
  for (const int64_t micro : {6, 2, 1}) {
    CAPTURE(micro);
    const Result plain = gathered(false, micro), again = gathered(true, micro);
    CHECK(again.losses == plain.losses);
    CHECK(same(again.grads, plain.grads));
  }
  CHECK(same(gathered(true, 6).grads, whole.grads));
}

TEST_CASE("recompute: every operation of the table, alone in a block") {
  for (const OpCase& row : op_table()) {
    if (row.inputs.empty()) continue;
    CAPTURE(row.name);
    const Function again = [&](const std::vector<Tensor>& inputs) { return recompute(row.f, inputs); };
    for (const DType dtype : {float32, float64}) {
      const Outcome found = run(again, drawn(row.name, row.inputs, dtype)),
                    expected = run(row.f, drawn(row.name, row.inputs, dtype));
      CHECK(found.y.value().identical(expected.y.value()));
      CHECK(same(values(found.grads), values(expected.grads)));
      CHECK(same(values(found.leaf_grads), values(expected.leaf_grads)));
      CHECK(difference(found, expected, dtype == float64 ? 1e-13 : 1e-5) == "");
    }
  }
}

TEST_CASE("recompute: blocks within blocks") {
  const Net net;
  const Tensor x = drawn({2, 3, 8}, "x");
  const auto grads = [&](auto&& function) {
    const RandomScope random({.seed = 1});
    return grad({sum(square(function(x)))}, {x, net.first.weight, net.second.bias});
  };
  const auto both = [&](const Tensor& t) { return net.second(net.first(t)); };
  const auto inner = [&](const Tensor& t) { return net.second(recompute(std::cref(net.first), t)); };
  const auto outer = [&](const Tensor& t) { return recompute(inner, t); };
  const auto three = [&](const Tensor& t) { return recompute(outer, t); };
  const auto expected = values(grads(both));
  CHECK(same(values(grads(inner)), expected));
  CHECK(same(values(grads(outer)), expected));
  CHECK(same(values(grads(three)), expected));
}

TEST_CASE("recompute: several inputs, of any kind; inputs without gradient; tensors taken from outside") {
  Tensor w = drawn({4, 4}, "w"), base = drawn({4}, "base");
  const Tensor fixed = w.detach();
  Tensor outside = exp(base);
  const auto block = [&](const Tensor& a, const Tensor& b, double factor) {
    return matmul(a, b) * factor + outside;
  };
  sum(square(block(fixed, w, 2.0))).backward();
  const auto expected = values({w.grad(), base.grad()});
  w.zero_grad();
  base.zero_grad();
  outside = exp(base);
  sum(square(recompute(block, fixed, w, 2.0))).backward({.retain_graph = true});
  CHECK(same(values({w.grad(), base.grad()}), expected));
  CHECK(recompute([](const Tensor& t) { return t * 2.0; }, fixed).is_leaf());
}

TEST_CASE("recompute: a block that gives its input back, a parameter, or nothing that depends on it") {
  const Tensor x = drawn({3}, "x"), w = drawn({3}, "w");
  sum(recompute([](const Tensor& t) { return t; }, x) * 2.0).backward();
  CHECK(x.grad().value().identical(Array::full({3}, 2)));
  sum(recompute([&] { return w; }) * 3.0).backward();
  CHECK(w.grad().value().identical(Array::full({3}, 3)));
  const Tensor constant = ones({3});
  const Tensor y = recompute([&](const Tensor& t) { return (t * 2.0, constant); }, x);
  sum(y).backward();
  CHECK_FALSE(constant.grad().defined());
}

TEST_CASE("recompute: hooks, kept gradients and a graph that is kept") {
  const Tensor x = drawn({3}, "x");
  Tensor w = drawn({3}, "w");
  int calls = 0;
  w.register_hook([&](const Tensor& g) {
    ++calls;
    return g * 2.0;
  });
  Tensor y = recompute([&](const Tensor& t) { return t * w; }, x * 1.0);
  y.retain_grad();
  const Tensor loss = sum(y * 5.0);
  loss.backward({.retain_graph = true});
  CHECK(y.grad().value().identical(Array::full({3}, 5)));
  CHECK(w.grad().value().identical((x * 10.0).value()));
  loss.backward();
  CHECK(w.grad().value().identical((x * 20.0).value()));
  CHECK(calls == 2);
  refuses<StateError>([&] { loss.backward(); }, {"retain_graph"});
}

TEST_CASE("recompute: without gradients the block just runs") {
  int runs = 0;
  const auto block = [&](const Tensor& t) {
    ++runs;
    return t * 2.0;
  };
  const Tensor x = drawn({3}, "x");
  {
    const NoGrad no_grad;
    CHECK_FALSE(recompute(block, x).requires_grad());
  }
  CHECK(runs == 1);
  const Tensor silent = recompute(
      [&](const Tensor& t) {
        const NoGrad no_grad;
        return block(t);
      },
      x);
  CHECK_FALSE(silent.requires_grad());
  CHECK(runs == 2);
  recompute(block, x);
  CHECK(runs == 3);
}

TEST_CASE("recompute: the scope's numbers go on as if the block had run once") {
  const Tensor x = drawn({4, 16}, "x");
  const auto block = [](const Tensor& t) { return dropout(t, 0.5, "s"); };
  const RandomScope random({.seed = 1});
  const Tensor loss = sum(recompute(block, x));
  loss.backward();
  const Tensor next = dropout(x, 0.5, "s");
  const RandomScope same_again({.seed = 1});
  block(x);
  CHECK(dropout(x, 0.5, "s").value().identical(next.value()));
}

TEST_CASE("recompute: the element type of new arrays is that of the forward pass") {
  const Tensor x = tensor({1, 2}, {2}, float64).set_requires_grad();
  Tensor y;
  {
    const DTypeScope doubles(float64);
    y = recompute([](const Tensor& t) { return t * ones({2}); }, x);
  }
  sum(y).backward();
  CHECK(x.grad().value().identical(Array::ones({2}, float64)));
}

TEST_CASE("recompute: what would alter the gradient is refused") {
  const Tensor x = drawn({3}, "x");
  Tensor w = drawn({3}, "w");
  bool training = true;
  const auto block = [&](const Tensor& t) { return training ? t * w * 2.0 : t * w; };
  const Tensor switched = sum(recompute(block, x));
  training = false;
  refuses<StateError>([&] { switched.backward(); }, {"recompute", "another result (3,)"});
  const Tensor changed = sum(recompute(block, x));
  {
    const NoGrad no_grad;
    w.mutable_value().fill(7);
  }
  refuses<StateError>([&] { changed.backward(); }, {"recompute", "(3,)", "changed in place"});
  const Tensor random = sum(recompute([](const Tensor& t) { return dropout(t, 0.1, "none", false); }, x));
  random.backward();
  refuses<StateError>([&] { recompute([](const Tensor& t) { return dropout(t, 0.1, "none"); }, x); },
                      {"RandomScope"});
}

TEST_CASE("recompute: a block that asks for gradients of what it computes is refused") {
  const Tensor x = drawn({3}, "x");
  const auto penalty = [](const Tensor& t) { return sum(square(grad({sum(exp(t) * t)}, {t})[0])); };
  CHECK(penalty(x).item() > 0);
  refuses<StateError>([&] { recompute(penalty, x); }, {"()", "recompute"});
  CHECK(penalty(x).item() > 0);
}

TEST_CASE("recompute: a deep stack takes a fraction of the memory") {
  const Tensor x = drawn({1024, 32}, "x");
  Tensor w = drawn({32, 32}, "w");
  const auto block = [&](const Tensor& t) {
    return t + gelu(linear(gelu(linear(gelu(linear(t, w)), w)), w));
  };
  const auto peak = [&](bool recomputed) {
    w.zero_grad();
    const size_t before = memory_stats().in_use;
    reset_peak();
    Tensor y = x;
    for (int i = 0; i < 16; ++i) y = recomputed ? recompute(block, y) : block(y);
    sum(y).backward();
    return memory_stats().peak - before;
  };
  const size_t kept = peak(false), again = peak(true);
  MESSAGE("16 blocks: ", kept / 1024, " KB kept, ", again / 1024, " KB recomputed");
  CHECK(again * 5 < kept * 2);
  const DryRun dry;
  CHECK(peak(true) == again);
}

TEST_CASE("recompute: ten thousand blocks in a row neither overflow the stack nor leave anything") {
  const Tensor x = drawn({1}, "x");
  const size_t before = memory_stats().in_use;
  {
    Tensor y = x;
    for (int i = 0; i < 10000; ++i) y = recompute([](const Tensor& t) { return t + 1.0; }, y);
    grad({y}, {x});
    y = x;
    for (int i = 0; i < 10000; ++i) y = recompute([](const Tensor& t) { return t + 1.0; }, y);
  }
  CHECK(memory_stats().in_use == before);
}

TEST_CASE("backward: each leaf is told of once, when its gradient is whole, recomputed or not") {
  for (const bool recomputed : {false, true}) {
    CAPTURE(recomputed);
    const Net net;
    const Tensor x = drawn({2, 3, 8}, "rows");
    const RandomScope random({.seed = 3, .step = 9});
    std::vector<std::pair<const void*, Array>> told;
    net.loss(x, recomputed).backward({.leaf_done = [&](const Tensor& leaf) {
      told.emplace_back(leaf.state().get(), leaf.grad().value().copy());
    }});
    std::vector<Tensor> leaves = net.parameters();
    leaves.push_back(x);
    CHECK(told.size() == leaves.size());
    for (const Tensor& leaf : leaves) {
      int64_t times = 0;
      for (const auto& [state, gradient] : told)
        if (state == leaf.state().get()) {
          ++times;
          CHECK(gradient.identical(leaf.grad().value()));
        }
      CHECK(times == 1);
    }
    CHECK(told.front().first == net.head.state().get());  // what is used last is whole first
    // The block that is used first and last is whole behind the one between.
    const auto place = [&](const Tensor& leaf) {
      for (size_t i = 0; i < told.size(); ++i)
        if (told[i].first == leaf.state().get()) return i;
      return told.size();
    };
    CHECK(place(net.second.weight) < place(net.first.weight));
  }
  const Tensor alone = drawn({}, "alone");
  int64_t times = 0;
  alone.backward({.leaf_done = [&](const Tensor&) { ++times; }});
  CHECK(times == 1);
}

}  // namespace weft::test
