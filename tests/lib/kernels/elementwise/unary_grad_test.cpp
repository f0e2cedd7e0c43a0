#include <weft/lib/base/error.h>
#include <weft/lib/kernels/elementwise/elementwise.h>

#include <cmath>
#include <limits>
#include <vector>

#include "lib/naive.h"

namespace {

using namespace weft;
using kernels::Unary;
using kernels::UnaryGrad;

struct Rule {
  UnaryGrad grad;
  Unary value;
  bool from_y;
};
const Rule rules[] = {
    {UnaryGrad::tanh_from_y, Unary::tanh, true}, {UnaryGrad::sigmoid_from_y, Unary::sigmoid, true},
    {UnaryGrad::relu, Unary::relu, false},       {UnaryGrad::silu, Unary::silu, false},
    {UnaryGrad::gelu, Unary::gelu, false},       {UnaryGrad::gelu_tanh, Unary::gelu_tanh, false}};

Array grad(const Rule& rule, const Array& x, const Array& dy) {
  return kernels::unary_grad(rule.grad, rule.from_y ? kernels::unary(rule.value, x) : x, dy);
}

}  // namespace

TEST_CASE("unary_grad: double against differences, float against double") {
  const Array x = kernels::binary(kernels::Binary::mul, naive::random({999}, float64), 6);
  const Array dy = naive::random({999}, float64, 2);
  constexpr double step = 1e-6;
  for (const Rule& rule : rules) {
    const Array dx = grad(rule, x, dy);
    const Array up = kernels::unary(rule.value, kernels::binary(kernels::Binary::add, x, step));
    const Array down = kernels::unary(rule.value, kernels::binary(kernels::Binary::sub, x, step));
    const Array dx_float = grad(rule, x.to(float32), dy.to(float32));
    for (int64_t i = 0; i < x.size(); ++i) {
      CHECK(dx.at({i}) ==
            doctest::Approx(dy.at({i}) * (up.at({i}) - down.at({i})) / (2 * step)).epsilon(1e-8).scale(1));
      CHECK(std::fabs(dx_float.at({i}) - dx.at({i})) <= 1e-6 * std::fmax(0.3, std::fabs(dx.at({i}))));
    }
  }
}

TEST_CASE("unary_grad: ends") {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  for (const DType dtype : {float32, float64}) {
    const Array x = Array::from({0.0, infinity, -infinity, 1e30, -1e30}, {5}).to(dtype);
    for (const UnaryGrad op : {UnaryGrad::relu, UnaryGrad::silu, UnaryGrad::gelu, UnaryGrad::gelu_tanh}) {
      const Array dx = kernels::unary_grad(op, x, Array::ones({5}, dtype));
      CHECK(dx.at({0}) == (op == UnaryGrad::relu ? 0 : 0.5));
      for (const int64_t i : {1, 3}) CHECK(dx.at({i}) == 1);
      for (const int64_t i : {2, 4}) CHECK(dx.at({i}) == 0);
    }
  }
}

TEST_CASE("unary_grad: threads and bad input") {
  const Array x = naive::random({50001}), dy = naive::random({50001}, float32, 2);
  for (const Rule& rule : rules) naive::same_for_threads([&] { return grad(rule, x, dy); });
  CHECK_THROWS_WITH_AS(kernels::unary_grad(UnaryGrad::gelu, x, Array::zeros({3}, float32)),
                       "gelu_grad: shapes differ: x is (50001,), dy is (3,)", ShapeError);
  CHECK_THROWS_AS(kernels::unary_grad(UnaryGrad::gelu, x, dy.to(float64)), TypeError);
  CHECK_THROWS_AS(kernels::unary_grad(UnaryGrad::relu, x.to(int32), dy.to(int32)), TypeError);
}
