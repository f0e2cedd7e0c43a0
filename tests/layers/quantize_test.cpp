#include <doctest/doctest.h>
#include <weft/autograd/int8.h>
#include <weft/layers/containers.h>
#include <weft/layers/embedding.h>
#include <weft/layers/linear.h>
#include <weft/layers/multi_head_attention.h>
#include <weft/layers/quantize.h>
#include <weft/lib/array/random.h>
#include <weft/lib/machine/memory.h>

#include <cmath>

#include "checks.h"

namespace weft {

namespace {

/// A table that is the output layer too, a layer of many weights and one of few.
struct Tied : Layer<Tied> {
  Embedding& table = child<Embedding>("table", 100, 64);
  Linear& inner = child<Linear>("inner", 64, 64);
  Linear& narrow = child<Linear>("narrow", 64, 8);
  Tensor hidden(const Array& ids) const { return tanh(inner(table(ids))); }
  Tensor forward(const Array& ids) const { return linear(hidden(ids), table.weight); }
};

}  // namespace

TEST_CASE(
    "quantize_weights: layers of 4,096 weights become integers, and a table where it is the output layer") {
  const RandomScope random({.seed = 1});
  const NoGrad no_grad;
  const auto model = Module::build<Tied>();
  const Array ids = Array::from<int64_t>({3, 99, 0}, {3});
  const Array before = (*model)(ids).value(), small = model->narrow(model->hidden(ids)).value();
  quantize_weights(*model);
  CHECK(is_int8(model->inner.weight));
  CHECK(is_int8(model->table.weight));
  CHECK(!is_int8(model->narrow.weight));
  const Array after = (*model)(ids).value();
  CHECK(!after.identical(before));
  CHECK(test::difference(after, before, 0.03) == "");
  CHECK(test::difference(model->narrow(model->hidden(ids)).value(), small, 0.03) == "");
  quantize_weights(*model);
  CHECK((*model)(ids).value().identical(after));
}

TEST_CASE("quantize_weights: the float values are given up") {
  const RandomScope random({.seed = 1});
  const size_t before = memory_stats().in_use;
  const auto layer = Module::build<Linear>(512, 512, LinearOptions{.bias = false});
  const size_t floats = memory_stats().in_use - before;
  quantize_weights(*layer);
  CHECK(memory_stats().in_use - before < floats * 27 / 100);
}

TEST_CASE("quantize_weights: the model is used, and neither saved nor trained") {
  const RandomScope random({.seed = 1});
  const auto model = Module::build<Tied>();
  quantize_weights(*model);
  for (const NamedTensor& p : model->parameters()) CHECK(!p.tensor.requires_grad());
  CHECK(!(*model)(Array::zeros({2}, int64)).requires_grad());
  CHECK_THROWS_AS(model->state_dict(), StateError);
  CHECK_THROWS_AS(model->to(float64), StateError);
  test::refuses<StateError>([&] { model->freeze(false); }, {"in int8", "open the model again"});
}

TEST_CASE("quantize_weights: what is not finite, or no float32, is named, and nothing is changed") {
  const RandomScope random({.seed = 1});
  const NoGrad no_grad;
  const auto model = Module::build<Tied>();
  model->inner.weight.mutable_value().mutable_data<float>()[5] = NAN;
  test::refuses<ValueError>([&] { quantize_weights(*model); }, {"inner.weight", "NaN or infinity"});
  CHECK(!is_int8(model->table.weight));
  const auto doubles = Module::build<Tied>();
  doubles->to(float64);
  test::refuses<TypeError>([&] { quantize_weights(*doubles); }, {"table.weight is float64"});
}

TEST_CASE("quantize_weights: attention with a cache has the bits of the full pass") {
  const RandomScope random({.seed = 1});
  const NoGrad no_grad;
  const auto attention = Module::build<MultiHeadAttention>(64, 4, MultiHeadAttentionOptions{});
  quantize_weights(*attention);
  CHECK(is_int8(attention->query.weight));
  const Tensor x(random_normal({2, 9, 64}, 0, 1, random_key(3, 1), float32));
  const Tensor whole = (*attention)(x, Mask::causal());
  KeyValueCache cache;
  for (int64_t t = 0; t < 9; ++t)
    CHECK((*attention)(slice(x, 1, t, t + 1), cache).value().identical(slice(whole, 1, t, t + 1).value()));
}

}  // namespace weft
