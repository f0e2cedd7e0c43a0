#include <doctest/doctest.h>
#include <weft/layers/linear.h>
#include <weft/lib/array/random.h>

#include <cmath>

#include "checks.h"

namespace weft::test {

TEST_CASE("init: first values follow the seed, the name and the order, and need a random scope") {
  const auto made = [](uint64_t seed) {
    const RandomScope random({.seed = seed});
    return Linear(4, 4).weight.value();
  };
  CHECK(made(1).identical(made(1)));
  CHECK_FALSE(made(1).identical(made(2)));
  const RandomScope random({.seed = 1});
  const Linear first(4, 4), second(4, 4);
  CHECK(first.weight.value().identical(made(1)));
  CHECK_FALSE(first.weight.value().identical(second.weight.value()));
}

TEST_CASE("init: random first values without a random scope are refused") {
  refuses<StateError>([] { Linear layer(4, 4); }, {"RandomScope"});
  CHECK_NOTHROW(Linear(4, 4, {.bias = false, .weight_init = init::zeros()}));
}

TEST_CASE("init: a model about to be loaded draws nothing") {
  const NoInit no_init;
  const Linear layer(4, 4);
  CHECK(layer.weight.value().identical(Array::zeros({4, 4})));
}

TEST_CASE("init: parameters have the type of the scope") {
  const DTypeScope doubles(float64);
  const RandomScope random({});
  CHECK(Linear(2, 2).weight.dtype() == float64);
}

namespace {

Array made_by(const Init& init, const Shape& shape, uint64_t seed = 3) {
  return init.make(shape, random_key(seed, 1));
}

double deviation_of(const Array& x) { return std::sqrt(var(Tensor(x)).item()); }
double largest(const Array& x) { return max(abs(Tensor(x))).item(); }

}  // namespace

TEST_CASE("init: Xavier and Kaiming have the variance of their fans, kernels included") {
  const Shape matrix{300, 200}, kernels{60, 40, 3, 3};  // fans in 200, 360; out 300, 540
  const double six = std::sqrt(6.0), two = std::sqrt(2.0), relu = two, tanh = 5.0 / 3.0;
  const auto check = [](const Init& uniform, const Init& normal, const Shape& shape, double deviation) {
    CHECK(uniform.random);
    CHECK(normal.random);
    const Array flat = made_by(uniform, shape), bell = made_by(normal, shape);
    CHECK(deviation_of(flat) == doctest::Approx(deviation).scale(0).epsilon(0.02));
    CHECK(deviation_of(bell) == doctest::Approx(deviation).scale(0).epsilon(0.02));
    CHECK(mean(Tensor(flat)).item() == doctest::Approx(0).epsilon(0.02 * deviation));
    CHECK(largest(flat) <= std::sqrt(3.0) * deviation);
    CHECK(largest(flat) >= 0.99 * std::sqrt(3.0) * deviation);
    CHECK(largest(bell) > 3 * deviation);
  };
  check(init::xavier_uniform(), init::xavier_normal(), matrix, two / std::sqrt(500.0));
  check(init::xavier_uniform(0.5), init::xavier_normal(0.5), matrix, 0.5 * two / std::sqrt(500.0));
  check(init::xavier_uniform(), init::xavier_normal(), kernels, two / std::sqrt(900.0));
  check(init::kaiming_uniform(), init::kaiming_normal(), matrix, relu / std::sqrt(200.0));
  check(init::kaiming_uniform(), init::kaiming_normal(), kernels, relu / std::sqrt(360.0));
  const auto fan_out = init::Fan::out;
  using init::Nonlinearity;
  check(init::kaiming_uniform(Nonlinearity::tanh, fan_out), init::kaiming_normal(Nonlinearity::tanh, fan_out),
        kernels, tanh / std::sqrt(540.0));
  check(init::kaiming_uniform(Nonlinearity::linear), init::kaiming_normal(Nonlinearity::sigmoid), matrix,
        1 / std::sqrt(200.0));
  CHECK(largest(made_by(init::xavier_uniform(), {1, 5})) <= six / std::sqrt(6.0));
  for (const Init& init :
       {init::xavier_uniform(), init::xavier_normal(), init::kaiming_uniform(), init::kaiming_normal()}) {
    CHECK(made_by(init, {0, 5}).size() == 0);
    CHECK(made_by(init, {5, 0}).size() == 0);
    CHECK(made_by(init, {5, 4}).identical(made_by(init, {5, 4})));
    CHECK_FALSE(made_by(init, {5, 4}).identical(made_by(init, {5, 4}, 4)));
    refuses<ShapeError>([&] { made_by(init, {5}); }, {"(5,)", "two axes"});
  }
}

TEST_CASE("init: by width, the spread is 0.02 at 768 and grows as the width shrinks") {
  CHECK(deviation_of(made_by(init::normal_by_width(768), {300, 200})) ==
        doctest::Approx(0.02).scale(0).epsilon(0.02));
  CHECK(deviation_of(made_by(init::normal_by_width(48), {300, 200})) ==
        doctest::Approx(0.08).scale(0).epsilon(0.02));
}

TEST_CASE("init: the truncated normal distribution is the normal one between its bounds") {
  const Array wide = made_by(init::truncated_normal(0.0, 1.0, -2.0, 2.0), {200, 200});
  CHECK(largest(wide) <= 2.0);
  CHECK(largest(wide) > 1.99);
  CHECK(deviation_of(wide) ==
        doctest::Approx(0.8796).scale(0).epsilon(0.01));  // 1 - 4 density(2) / (2 Phi(2) - 1)
  const Array off = made_by(init::truncated_normal(1.0, 0.5, 1.0, 9.0), {200, 200});  // the upper half
  CHECK(mean(Tensor(off)).item() == doctest::Approx(1 + 0.5 * std::sqrt(2 / 3.14159265)).epsilon(0.01));
  CHECK(-max(-Tensor(off)).item() >= 1.0);
  const Tensor sorted = Tensor(made_by(init::truncated_normal(0.0, 1.0, -1e9, 1e9), {1000, 100}));
  for (const auto& [bound, share] : {std::pair{-1.0, 0.1587}, {0.0, 0.5}, {0.5, 0.6915}, {2.0, 0.9772}})
    CHECK(mean(Tensor((sorted < bound).to(float32))).item() == doctest::Approx(share).scale(0).epsilon(0.03));
  const DTypeScope doubles(float64);
  CHECK(made_by(init::truncated_normal(0, 1, -1, 1), {3}).dtype() == float64);
  refuses<ValueError>([] { init::truncated_normal(0, 0, -1, 1); }, {"truncated_normal", "deviation 0"});
  refuses<ValueError>([] { init::truncated_normal(0, 1, 2, 2); }, {"truncated_normal", "2 and 2"});
  refuses<ValueError>([] { init::truncated_normal(0, 1, 50, 60); }, {"truncated_normal", "50 and 60"});
  refuses<ValueError>([] { init::truncated_normal(NAN, 1, -1, 1); }, {"truncated_normal", "nan"});
}

TEST_CASE("init: orthogonal rows, or columns where those are fewer, of the gain's length") {
  const DTypeScope doubles(float64);
  for (const Shape& shape : {Shape{30, 30}, {20, 50}, {50, 20}, {24, 5, 2, 2}, {1, 7}, {7, 1}}) {
    CAPTURE(to_string(shape));
    const Array made = made_by(init::orthogonal(1.5), shape);
    CHECK(made.shape() == shape);
    const Tensor w = reshape(Tensor(made), {shape[0], -1});
    const bool tall = w.dim(0) > w.dim(1);
    const Tensor products = matmul(w, w, tall, !tall);
    Array expected = Array::zeros(products.shape());
    for (int64_t i = 0; i < expected.dim(0); ++i)
      expected.mutable_data<double>()[i * expected.dim(0) + i] = 2.25;
    CHECK(difference(products.value(), expected, 1e-14) == "");
  }
  CHECK(std::abs(mean(Tensor(made_by(init::orthogonal(), {100, 100}))).item()) < 0.005);
  CHECK(made_by(init::orthogonal(), {0, 3}).size() == 0);
  CHECK(made_by(init::orthogonal(), {3, 0}).size() == 0);
  refuses<ShapeError>([] { made_by(init::orthogonal(), {3}); }, {"orthogonal", "(3,)"});
}

}  // namespace weft::test
