#include <doctest/doctest.h>
#include <weft/autograd/autocast.h>
#include <weft/autograd/ops.h>
#include <weft/autograd/recompute.h>
#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/lib/kernels/reduce.h>
#include <weft/lib/machine/memory.h>

#include <cmath>
#include <vector>

#include "checks.h"

using namespace weft;

namespace {

Tensor random_leaf(const Shape& shape, uint64_t stream) {
  return Tensor(random_normal(shape, 0.0, 1.0, random_key(1, stream), float32), true);
}

}  // namespace

TEST_CASE("autocast: products, attention and norms give bfloat16, gradients of leaves are float32") {
  Tensor x = random_leaf({2, 3, 4}, 1), weight = random_leaf({5, 4}, 2), bias = random_leaf({5}, 3);
  Tensor table = random_leaf({7, 4}, 4);
  const Array ids = Array::from({1l, 6l, 1l}, {3});
  std::vector<Tensor> made;
  {
    const Autocast autocast(bfloat16);
    made = {linear(x, weight, bias), matmul(x, weight.transpose(0, 1)),
            layer_norm(embedding(ids, table), {}, {}),
            scaled_dot_product_attention(x.reshape({2, 1, 3, 4}), x.reshape({2, 1, 3, 4}),
                                         x.reshape({2, 1, 3, 4}))};
    CHECK(softmax(made[0]).dtype() == float32);
    CHECK(sum(made[0]).dtype() == float32);
    CHECK(gelu(made[0]).dtype() == bfloat16);
    CHECK((made[0] + bias).dtype() == float32);
    CHECK(embedding(ids, table).dtype() == float32);
    CHECK((embedding(ids, table) + made[2]).dtype() == float32);
    CHECK((x + x).dtype() == float32);
    CHECK(layer_norm(made[0], bias, {}).dtype() == bfloat16);
    CHECK(rotary(made[2].reshape({1, 3, 4}), 2).dtype() == bfloat16);
  }
  CHECK(autocast_dtype() == float32);
  made.push_back(embedding(ids, made[0].reshape({10, 3})));  // of a result, as of a leaf
  for (const Tensor& y : made) {
    CHECK(y.dtype() == bfloat16);
    sum(square(y)).backward({.retain_graph = true});
  }
  for (const Tensor& leaf : {x, weight, bias, table}) CHECK(leaf.grad().dtype() == float32);
  CHECK_THROWS_AS(Autocast{float64}, TypeError);
  CHECK_THROWS_AS(Tensor(Array::zeros({2}, bfloat16), true), TypeError);
}

TEST_CASE("autocast: values and gradients are those of float32 to the precision of bfloat16") {
  const auto run = [](DType dtype) {
    Tensor x = random_leaf({3, 8, 16}, 1), w1 = random_leaf({48, 16}, 2), w2 = random_leaf({16, 16}, 3),
           gain = random_leaf({16}, 4), offset = random_leaf({16}, 5), table = random_leaf({9, 16}, 6);
    const Array ids = Array::from(std::vector<int64_t>{0, 3, 8, 1, 2, 2, 5, 7}, {1, 8}),
                targets = Array::from(std::vector<int64_t>(24, 4), {3, 8});
    Loss loss;
    {
      const Autocast autocast(dtype);
      const Tensor in = layer_norm(x + embedding(ids, table), gain, offset);
      const std::vector<Tensor> heads = split(linear(in, w1 * 0.3), 16, 2);
      const Tensor read = multi_head_attention(rotary(heads[0], 2), rotary(heads[1], 2), heads[2], 2,
                                               {.mask = Mask::causal()});
      const Tensor y = rms_norm(x + linear(gelu(read), w2 * 0.3), gain);
      loss = cross_entropy(linear(dropout(y, 0.0, "d", false), table), targets);
    }
    loss.sum.backward();
    std::vector<Array> all{loss.sum.value()};
    for (const Tensor& leaf : {x, w1, w2, gain, offset, table}) all.push_back(leaf.grad().value());
    return all;
  };
  const std::vector<Array> found = run(bfloat16), expected = run(float32);
  for (size_t i = 0; i < found.size(); ++i) {
    CAPTURE(i);
    CHECK(test::difference(found[i], expected[i], 0.03) == "");
    CHECK_FALSE(found[i].identical(expected[i]));
  }
}

TEST_CASE("autocast: backward computes as forward did, inside, outside and under recompute") {
  const auto run = [](bool inside, bool again) {
    Tensor x = random_leaf({2, 4, 8}, 1), w = random_leaf({8, 8}, 2);
    const RecurrentWeights cell{random_leaf({8, 8}, 4), random_leaf({8, 2}, 5), {}};
    const auto block = [&](const Tensor& in) { return gelu(linear(in, w)) * 0.5 + in; };
    Tensor total;
    const auto forward = [&] {
      const Tensor once = again ? recompute(block, x) : block(x);
      // The rule of a recurrent cell multiplies matrices in float32.
      total = sum(square(linear(once, w))) + sum(lstm(once, cell).y);
    };
    {
      const Autocast autocast(bfloat16);
      forward();
      if (inside) total.backward();
    }
    if (!inside) total.backward();
    return std::vector<Array>{x.grad().value(), w.grad().value()};
  };
  const std::vector<Array> expected = run(false, false);
  for (const bool inside : {false, true})
    for (const bool again : {false, true}) {
      const std::vector<Array> found = run(inside, again);
      CHECK(found[0].identical(expected[0]));
      if (!again) CHECK(found[1].identical(expected[1]));
    }
}

TEST_CASE("autocast: a norm keeps two bytes a value of what it took in float32") {
  Tensor x = random_leaf({64, 512}, 1), gain = random_leaf({512}, 2);
  const auto kept = [&](DType dtype, const Tensor& weight) {
    const Autocast autocast(dtype);
    const auto before = memory_stats().in_use;
    const Tensor y = rms_norm(x + 1.0, weight);
    return static_cast<double>(memory_stats().in_use - before) / static_cast<double>(x.size());
  };
  CHECK(kept(float32, gain) >= 8);     // x, y
  CHECK(kept(bfloat16, {}) <= 2.1);    // xhat, which is y
  CHECK(kept(bfloat16, gain) <= 4.1);  // xhat, y: layers above y keep how to make it again
  CHECK(kept(bfloat16, gain) >= 4);
}

TEST_CASE("autocast: the gradient of a norm's gradient is the same whether what it took is still there") {
  const auto penalty = [](bool held) {
    Tensor w = random_leaf({8, 8}, 2);
    const Autocast autocast(bfloat16);
    Tensor x = matmul(random_leaf({6, 8}, 1), w) + 0.1, y = layer_norm(x, {}, {});
    if (!held) x = {};
    const Tensor g = grad({sum(square(y) * 0.5 + y * y * y)}, {w}, {}, {.create_graph = true})[0];
    return grad({sum(square(g))}, {w})[0].value();
  };
  CHECK(penalty(true).identical(penalty(false)));
}

TEST_CASE("autocast: gradients have graphs of their own") {
  Tensor x = random_leaf({2, 4, 8}, 1), w = random_leaf({8, 8}, 2), gain = random_leaf({8}, 3);
  const auto penalty = [&](DType dtype) {
    const Autocast autocast(dtype);
    const Tensor y = multi_head_attention(linear(layer_norm(x * 1.5, gain, {}), w), x, x, 2);
    const Tensor g = grad({sum(square(gelu(y)))}, {x}, {}, {.create_graph = true})[0];
    return grad({sum(square(g))}, {w})[0].value();
  };
  const Array found = penalty(bfloat16), expected = penalty(float32);
  const Array apart = kernels::binary(kernels::Binary::sub, found, expected);
  CHECK(std::sqrt(kernels::squared_norm(apart) / kernels::squared_norm(expected)) < 0.1);
}

TEST_CASE("autocast: convolutions, recurrent cells and CTC take bfloat16 and compute in float32") {
  const Tensor x = random_leaf({2, 3, 8}, 1), w = random_leaf({8, 8}, 2);
  const auto run = [&](DType dtype) {
    const Autocast autocast(dtype);
    return linear(x, w);
  };
  const Tensor narrow = run(bfloat16), same = Tensor(narrow.value().to(float32));
  const Autocast autocast(bfloat16);
  const Tensor kernel = random_leaf({4, 3, 2}, 3);
  CHECK(conv1d(narrow, kernel).value().identical(conv1d(same, kernel).value()));
  const RecurrentWeights cell{random_leaf({8, 8}, 4), random_leaf({8, 2}, 5), {}};
  CHECK(lstm(narrow, cell).y.value().identical(lstm(same, cell).y.value()));
  CHECK(log_softmax(narrow).value().identical(log_softmax(same).value()));
  CHECK(logsumexp(narrow, {-1}).value().identical(logsumexp(same, {-1}).value()));
  const Array targets = Array::from({1l, 2l, 3l, -100l}, {2, 2});
  CHECK(ctc_loss(narrow, targets).sum.value().identical(ctc_loss(same, targets).sum.value()));
}
