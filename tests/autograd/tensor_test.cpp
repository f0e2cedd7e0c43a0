#include <doctest/doctest.h>
#include <weft/autograd/ops.h>

#include <limits>

#include "checks.h"

namespace weft::test {

namespace {

Tensor float_leaf(std::initializer_list<double> values) {
  return tensor(values, {static_cast<int64_t>(values.size())}).set_requires_grad();
}

}  // namespace

TEST_CASE("tensor: an undefined one is refused wherever it is used") {
  const Tensor none;
  CHECK_FALSE(none.defined());
  CHECK_FALSE(none.requires_grad());
  refuses<StateError>([&] { none.value(); }, {"never given values"});
  refuses<StateError>([&] { none + zeros({2}); }, {"never given values"});
  refuses<StateError>([] { const Tensor made{Array()}; }, {"Tensor", "never given values"});
}

TEST_CASE("tensor: makers give the element type asked for, else the scope's") {
  CHECK(zeros({2}).dtype() == float32);
  CHECK(ones({2}, float64).dtype() == float64);
  const DTypeScope doubles(float64);
  CHECK(zeros({2}).dtype() == float64);
  CHECK(full({2}, 0.1).value().at({1}) == 0.1);
  CHECK(tensor({1, 2, 3, 4}, {2, 2}).value().at({1, 0}) == 3);
  CHECK(tensor(std::vector<double>{0.1}, {}).item() == 0.1);
  refuses<ShapeError>([] { tensor({1, 2, 3}, {2, 2}); }, {"3", "(2, 2)"});
  refuses<ShapeError>([] { zeros({2}).item(); }, {"(2,)"});
}

TEST_CASE("tensor: copies are the same tensor") {
  const Tensor x = float_leaf({1, 2}), same = x;
  sum(x * 3.0).backward();
  CHECK(same.grad().value().at({0}) == 3);
}

TEST_CASE("tensor: leaves and results know what made them") {
  Tensor x = float_leaf({1, 2});
  const Tensor y = exp(x) + 1.0;
  CHECK(x.is_leaf());
  CHECK(std::string(x.op_name()) == "leaf");
  CHECK_FALSE(y.is_leaf());
  CHECK(y.requires_grad());
  CHECK(std::string(y.op_name()) == "add");
  CHECK_FALSE((zeros({2}) + 1.0).requires_grad());
}

TEST_CASE("tensor: only floating leaves may require a gradient") {
  Tensor whole(Array::arange(3));
  refuses<TypeError>([&] { whole.set_requires_grad(); }, {"set_requires_grad", "int64"});
  refuses<TypeError>([] { Tensor(Array::arange(3), true); }, {"int64"});
  Tensor y = exp(float_leaf({1}));
  refuses<StateError>([&] { y.set_requires_grad(false); }, {"set_requires_grad", "exp", "detach"});
  Tensor x = float_leaf({1});
  x.set_requires_grad(false);
  CHECK_FALSE(exp(x).requires_grad());
}

TEST_CASE("tensor: no_grad records nothing, in nested scopes and on this thread alone") {
  const Tensor x = float_leaf({1, 2});
  {
    const NoGrad outer;
    CHECK_FALSE(grad_enabled());
    CHECK_FALSE((x * 2.0).requires_grad());
    { const NoGrad inner; }
    CHECK_FALSE(grad_enabled());
  }
  CHECK(grad_enabled());
  CHECK((x * 2.0).requires_grad());
}

TEST_CASE("tensor: detach shares the values and forgets the history") {
  const Tensor x = float_leaf({1, 2});
  const Tensor y = x * 2.0, cut = y.detach();
  CHECK(cut.value().shares_buffer(y.value()));
  CHECK_FALSE(cut.requires_grad());
  CHECK(cut.is_leaf());
  sum(x * cut).backward();
  CHECK(x.grad().value().identical(cut.value()));
}

TEST_CASE("tensor: values are changed in place only where nothing is recorded") {
  Tensor x = float_leaf({1, 2});
  refuses<StateError>([&] { x.mutable_value(); }, {"mutable_value", "(2,)", "NoGrad"});
  Tensor y = x * 2.0;
  refuses<StateError>([&] { y.mutable_value(); }, {"mutable_value", "mul", "detach"});
  const NoGrad no_grad;
  x.mutable_value().fill(5);
  CHECK(x.value().at({1}) == 5);
}

TEST_CASE("tensor: another value drops the gradient and may be of another shape and type") {
  Tensor x = float_leaf({1, 2});
  sum(x).backward();
  REQUIRE(x.grad().defined());
  x.set_value(Array::ones({3}, float64));
  CHECK_FALSE(x.grad().defined());
  CHECK(x.shape() == Shape{3});
  sum(x).backward();
  CHECK(x.grad().dtype() == float64);
  Tensor y = x * 2.0;
  refuses<StateError>([&] { y.set_value(Array::ones({3})); }, {"set_value", "mul"});
}

TEST_CASE("tensor: zero_grad forgets, backward begins anew") {
  Tensor x = float_leaf({1, 2});
  CHECK_FALSE(x.grad().defined());
  sum(x * 2.0).backward();
  x.zero_grad();
  CHECK_FALSE(x.grad().defined());
  sum(x * 5.0).backward();
  CHECK(x.grad().value().at({1}) == 5);
}

TEST_CASE("tensor: a gradient may be replaced by one of its shape and type") {
  Tensor x = float_leaf({1, 2});
  sum(x * 2.0).backward();
  x.set_grad(Array::full({2}, 7));
  CHECK(x.grad().value().at({1}) == 7);
  sum(x).backward();
  CHECK(x.grad().value().at({1}) == 8);
  refuses<ShapeError>([&] { x.set_grad(Array::ones({3})); }, {"set_grad", "(3,)", "(2,)"});
  refuses<ShapeError>([&] { x.set_grad(Array::ones({2}, float64)); }, {"set_grad", "float64", "float32"});
}

TEST_CASE("tensor: anomaly detection names the first operation that makes a NaN or infinity") {
  const Tensor x = float_leaf({-1, 4});
  CHECK_FALSE(log(x).value().all_finite());
  const DetectAnomaly detect;
  refuses<NumericError>([&] { log(x) * 2.0; }, {"log", "first NaN or infinity", "(2,)"});
  refuses<NumericError>([&] { tensor({1, 2}, {2}) / tensor({1, 0}, {2}); }, {"div", "(2,)"});
  // What was not finite before is nobody's fault here.
  const Tensor given = tensor({std::numeric_limits<double>::infinity()}, {1});
  CHECK_NOTHROW(given * 2.0);
}

TEST_CASE("tensor: anomaly detection names the operation of backward, and ends with its scope") {
  // sqrt is finite at 0, its gradient is not.
  const Tensor x = float_leaf({0, 4});
  {
    const DetectAnomaly detect;
    refuses<NumericError>([&] { sum(sqrt(x)).backward(); }, {"backward of sqrt", "(2,)"});
  }
  const Tensor fresh = float_leaf({0, 4});
  sum(sqrt(fresh)).backward();
  CHECK_FALSE(fresh.grad().value().all_finite());
}

}  // namespace weft::test
