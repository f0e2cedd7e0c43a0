#include <doctest/doctest.h>
#include <weft/autograd/op.h>
#include <weft/layers/embedding.h>
#include <weft/layers/gradcheck_module.h>
#include <weft/layers/linear.h>
#include <weft/layers/multi_head_attention.h>
#include <weft/lib/array/random.h>

#include "checks.h"

namespace weft::test {

namespace {

/// x scale, of which the rule for one of both is wrong, if any.
struct Scaled : Layer<Scaled> {
  explicit Scaled(const char* wrong_rule) : scale(parameter("scale", {3}, init::ones())), wrong(wrong_rule) {}
  Tensor forward(const Tensor& x) const {
    const double for_x = wrong == "x" ? 1.01 : 1, for_scale = wrong == "scale" ? 1.01 : 1;
    return make_op("scaled", (x * scale).value(),
                   {{x, [=, s = save(scale)](const Tensor& g) { return g * s() * for_x; }},
                    {scale, [=, x = save(x)](const Tensor& g) { return g * x() * for_scale; }}});
  }
  Tensor scale;
  const std::string wrong;
};

Tensor some(const Shape& shape) { return Tensor(random_uniform(shape, -1, 1, random_key(0, 1), float64)); }

}  // namespace

TEST_CASE("gradcheck of a module: inputs and parameters, and nothing is left changed") {
  const DTypeScope doubles(float64);
  const RandomScope random({.seed = 1});
  Linear layer(3, 2);
  const Tensor x = some({2, 3});
  const Array x_before = x.value().copy(), before = layer.weight.value().copy();
  const GradcheckResult result = gradcheck(layer, x);
  CHECK(result.failure == "");
  CHECK(result.worst > 0);
  CHECK(x.value().identical(x_before));
  CHECK_FALSE(x.requires_grad());
  CHECK(layer.weight.value().identical(before));
  CHECK_FALSE(layer.weight.grad().defined());
}

TEST_CASE("gradcheck of a module: what is no tensor is given as it is") {
  const DTypeScope doubles(float64);
  const RandomScope random({.seed = 1});
  Embedding table(4, 2);
  CHECK(gradcheck(table, Array::from<int64_t>({1, 3, 1}, {3})).failure == "");
  MultiHeadAttention attention(4, 2);
  CHECK(gradcheck(attention, some({1, 3, 4}), Mask::causal()).failure == "");
  CHECK(gradcheck(attention, {.second_order = false}, some({1, 2, 4}), some({1, 3, 4})).failure == "");
}

TEST_CASE("gradcheck of a module: a wrong rule is found, whose it is told by name") {
  const DTypeScope doubles(float64);
  Scaled right(""), wrong_input("x"), wrong_parameter("scale");
  CHECK(gradcheck(right, some({2, 3})).failure == "");
  CHECK(gradcheck(wrong_input, some({2, 3})).failure.find("of input 0 (2, 3)") != std::string::npos);
  CHECK(gradcheck(wrong_parameter, some({2, 3})).failure.find("of scale (3,)") != std::string::npos);
  wrong_parameter.freeze();
  CHECK(gradcheck(wrong_parameter, some({2, 3})).failure == "");
}

TEST_CASE("gradcheck of a module: in float32 it is refused") {
  const RandomScope random({.seed = 1});
  Linear layer(3, 2);
  refuses<TypeError>([&] { gradcheck(layer, some({2, 3})); }, {"float64", "float32"});
}

}  // namespace weft::test
