#include <doctest/doctest.h>
#include <weft/autograd/gradcheck.h>
#include <weft/autograd/op.h>
#include <weft/autograd/ops.h>

#include "checks.h"

namespace weft::test {

namespace {

Tensor leaf_of(std::initializer_list<double> values, DType dtype = float64) {
  return tensor(values, {static_cast<int64_t>(values.size())}, dtype).set_requires_grad();
}

using Inputs = std::vector<Tensor>;

/// x^2 with a given slope as its rule.
Tensor square_with(const Tensor& x, const std::function<Tensor(const Tensor&)>& slope) {
  return make_op("square_with", square(x).value(),
                 {{x, [x = save(x), slope](const Tensor& g) { return g * slope(x()); }}});
}

}  // namespace

TEST_CASE("gradcheck: passes a right rule, and says how far off it was at most") {
  const GradcheckResult result =
      gradcheck([](const Inputs& in) { return tanh(in[0]) * in[1]; }, {leaf_of({0.5, -1}), leaf_of({2, 3})});
  CHECK(result);
  CHECK(result.failure == "");
  CHECK(result.worst > 0);
  CHECK(result.worst < 1e-8);
}

TEST_CASE("gradcheck: catches a rule that is wrong by one part in a thousand") {
  const auto f = [](const Inputs& in) {
    return square_with(in[0], [](const Tensor& x) { return x * 2.002; });
  };
  const GradcheckResult result = gradcheck(f, {leaf_of({1, 2})});
  CHECK_FALSE(result);
  for (const char* part : {"the gradient", "input 0", "(2,)", "element 0", "central differences"}) {
    CHECK(result.failure.find(part) != std::string::npos);
  }
  CHECK(result.worst > 1e-4);
}

TEST_CASE("gradcheck: catches a wrong element, a wrong input, a sign, and a missing sum") {
  const auto fails = [](const std::function<Tensor(const Inputs&)>& f, const Inputs& in) {
    return !gradcheck(f, in);
  };
  CHECK(fails(
      [](const Inputs& in) {
        return square_with(in[0], [](const Tensor& x) { return x * tensor({2, 2, 2.1}, {3}, float64); });
      },
      {leaf_of({1, 2, 3})}));
  CHECK(fails([](const Inputs& in) { return square_with(in[0], [](const Tensor& x) { return x * -2.0; }); },
              {leaf_of({1})}));
  CHECK(fails(
      [](const Inputs& in) {
        return make_op("swapped", (in[0] * in[1]).value(),
                       {{in[0], [a = save(in[0])](const Tensor& g) { return g * a(); }},
                        {in[1], [b = save(in[1])](const Tensor& g) { return g * b(); }}});
      },
      {leaf_of({1, 2}), leaf_of({3, 4})}));
  CHECK(fails([](const Inputs& in) { return in[0] + in[0].detach(); }, {leaf_of({1})}));
}

TEST_CASE("gradcheck: catches a rule that is right at first order and wrong at second") {
  const auto constant_slope = [](const Inputs& in) {
    return square_with(in[0], [](const Tensor& x) { return x.detach() * 2.0; });
  };
  CHECK(gradcheck(constant_slope, {leaf_of({1, 2})}, {.second_order = false}));
  const GradcheckResult result = gradcheck(constant_slope, {leaf_of({1, 2})});
  CHECK_FALSE(result);
  CHECK(result.failure.find("the second derivative") != std::string::npos);
}

TEST_CASE("gradcheck: puts the inputs back and leaves their gradients alone") {
  const Tensor x = leaf_of({0.1, 0.7});
  const Array before = x.value().copy();
  gradcheck([](const Inputs& in) { return exp(in[0]); }, {x});
  CHECK(x.value().identical(before));
  CHECK_FALSE(x.grad().defined());
}

TEST_CASE("gradcheck: takes parameters that the function does not read from its arguments") {
  const Tensor x = leaf_of({1, 2}), weight = leaf_of({3, 4});
  CHECK(gradcheck([&](const Inputs& in) { return in[0] * in[0] * weight; }, {x, weight}));
}

TEST_CASE("gradcheck: inputs of no elements, constants, and functions that are linear") {
  CHECK(
      gradcheck([](const Inputs& in) { return in[0] * 3.0; }, {zeros({0, 2}, float64).set_requires_grad()}));
  CHECK(gradcheck([](const Inputs& in) { return in[0] * in[1]; }, {leaf_of({1}), tensor({2}, {1}, float64)}));
  CHECK(gradcheck([](const Inputs& in) { return sum(in[0]); }, {leaf_of({1, 2})}));
}

TEST_CASE("gradcheck: what it does not take") {
  const auto identity = [](const Inputs& in) { return in[0] * 1.0; };
  refuses<TypeError>([&] { gradcheck(identity, {leaf_of({1}, float32)}); },
                     {"gradcheck", "float64", "float32"});
  refuses<StateError>([&] { gradcheck(identity, {leaf_of({1}) * 2.0}); }, {"gradcheck", "mul"});
  refuses<StateError>([&] { gradcheck(identity, {zeros({1}, float64)}); },
                      {"gradcheck", "requires a gradient"});
  CHECK_FALSE(gradcheck([](const Inputs&) { return ones({1}, float64); }, {leaf_of({1})}));
}

TEST_CASE("gradcheck: a NaN is a failure") {
  CHECK_FALSE(gradcheck([](const Inputs& in) { return sqrt(in[0]); }, {leaf_of({0})}));
}

}  // namespace weft::test
