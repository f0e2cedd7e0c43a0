#include <doctest/doctest.h>
#include <weft/lib/array/array.h>

#include <cmath>
#include <limits>

#include "lib/naive.h"

using namespace weft;

namespace {
const std::vector<DType> all_types = {float32, float64, int32, int64, boolean};
}

TEST_CASE("Array: made of zeros, ones, one value, a count, given values") {
  for (const DType dtype : all_types) {
    for (const Shape& shape : {Shape{}, Shape{3}, Shape{2, 0}, Shape{2, 3}, Shape{300, 400}}) {
      const Array zeros = Array::zeros(shape, dtype), ones = Array::ones(shape, dtype);
      CHECK(zeros.dtype() == dtype);
      CHECK(zeros.shape() == shape);
      CHECK(zeros.size() == shape.size());
      CHECK(zeros.nbytes() == static_cast<size_t>(shape.size()) * size_of(dtype));
      const Array read_zeros = zeros.to(float64), read_ones = ones.to(float64);
      for (const double value : read_zeros.values<double>()) REQUIRE(value == 0);
      for (const double value : read_ones.values<double>()) REQUIRE(value == 1);
    }
  }
  CHECK(Array::full({2}, -2.5, float64).at({1}) == -2.5);
  CHECK(Array::scalar(7, int32).item() == 7);
  CHECK(Array::scalar(7, int32).rank() == 0);
  CHECK(Array::arange(4).identical(Array::from<int64_t>({0, 1, 2, 3}, {4})));
  CHECK(Array::arange(3, float32).identical(Array::from<float>({0, 1, 2}, {3})));
  CHECK(Array::arange(0).size() == 0);
  CHECK_THROWS_AS(Array::arange(-1), ShapeError);
  CHECK_THROWS_WITH_AS(Array::from<float>({1, 2, 3}, {2}), "Array::from: 3 values for the shape (2,) of 2",
                       ShapeError);
}

TEST_CASE("Array: reading by index and as another type") {
  const Array a = naive::numbered({2, 3}, int64);
  CHECK(a.at({0, 0}) == 1);
  CHECK(a.at({1, 2}) == 6);
  CHECK(a.values<int64_t>()[4] == 5);
  CHECK_THROWS_AS(a.at({2, 0}), ShapeError);
  CHECK_THROWS_AS(a.at({0, 3}), ShapeError);
  CHECK_THROWS_AS(a.at({0}), ShapeError);
  CHECK_THROWS_AS(a.at({0, 0, 0}), ShapeError);
  CHECK_THROWS_AS(a.at({-1, 0}), ShapeError);
  CHECK_THROWS_WITH_AS(a.data<float>(), "array of int64 (2, 3) is read as float32", TypeError);
  CHECK_THROWS_AS(a.values<double>(), TypeError);
  CHECK_THROWS_WITH_AS(a.item(), "item: needs an array of one element, this one is (2, 3)", ShapeError);
  CHECK(Array::full({1, 1}, 5).item() == 5);
}

TEST_CASE("Array: one that was never given values is an error, not a crash") {
  Array none;
  CHECK(!none.defined());
  CHECK_THROWS_AS(none.data<float>(), StateError);
  CHECK_THROWS_AS(none.mutable_data<float>(), StateError);
  CHECK_THROWS_AS(none.mutable_bytes(), StateError);
  CHECK_THROWS_AS(none.item(), StateError);
  CHECK_THROWS_AS(none.at({}), StateError);
  CHECK_THROWS_AS(none.values<float>(), StateError);
  CHECK_THROWS_AS(none.fill(1), StateError);
  CHECK_THROWS_AS(none.to(float64), StateError);
  CHECK_THROWS_AS(none.all_finite(), StateError);
  CHECK(none.bytes() == nullptr);
  CHECK(!none.copy().defined());
  CHECK(none.identical(Array()));
  CHECK(!none.identical(Array::scalar(0)));
  CHECK(!none.shares_buffer(Array()));
}

TEST_CASE("Array: copies share the buffer, copy() and to() do not; every writing counts as a change") {
  Array a = naive::numbered({2, 3});
  CHECK(a.unique());
  const Array same = a;
  CHECK(!a.unique());
  CHECK(same.shares_buffer(a));
  const uint64_t version = a.version();
  a.mutable_data<float>()[0] = 9;
  CHECK(same.at({0, 0}) == 9);
  CHECK(same.version() == version + 1);
  const Array own = a.copy();
  CHECK(!own.shares_buffer(a));
  CHECK(own.identical(a));
  CHECK(a.to(float32).shares_buffer(a));
  CHECK(!a.to(float64).shares_buffer(a));
  a.fill(1);
  a.mutable_bytes();
  a.copy_from(own);
  CHECK(a.version() == version + 4);
  CHECK(a.identical(own));
  a.data<float>();
  a.copy_from(same);  // onto itself
  CHECK(a.version() == version + 4);
}

TEST_CASE("Array: the memory of one that is gone is used again") {
  const void* place = Array({12345}).bytes();
  CHECK(Array({12345}).bytes() == place);
  CHECK(reinterpret_cast<uintptr_t>(Array({3}).bytes()) % 64 == 0);
}

TEST_CASE("Array: reshape shares, copy_from checks") {
  const Array a = naive::numbered({2, 6});
  const Array b = a.reshape({3, -1});
  CHECK(b.shape() == Shape{3, 4});
  CHECK(b.shares_buffer(a));
  CHECK(b.at({2, 0}) == 9);
  CHECK(a.reshape(Shape{12}).dim(0) == 12);
  CHECK_THROWS_AS(a.reshape({5}), ShapeError);
  Array c = Array::zeros({2, 6});
  CHECK_THROWS_WITH_AS(c.copy_from(b), "copy_from: the array is (2, 6), the other (3, 4)", ShapeError);
  CHECK_THROWS_WITH_AS(c.copy_from(a.to(float64)), "copy_from: the array is float32, the other float64",
                       TypeError);
  CHECK(c.identical(Array::zeros({2, 6})));
}

TEST_CASE("Array: conversions between all types") {
  const Array numbers = Array::from<double>({0, 1, -2, 2.75, -2.75}, {5});
  CHECK(numbers.to(float32).identical(Array::from<float>({0, 1, -2, 2.75f, -2.75f}, {5})));
  CHECK(numbers.to(int32).identical(Array::from<int32_t>({0, 1, -2, 2, -2}, {5})));
  CHECK(numbers.to(int64).identical(Array::from<int64_t>({0, 1, -2, 2, -2}, {5})));
  CHECK(numbers.to(boolean).identical(Array::from<bool>({false, true, true, true, true}, {5})));
  CHECK(Array::from<bool>({true, false}, {2}).to(float32).identical(Array::from<float>({1, 0}, {2})));
  CHECK(Array::from<double>({std::nan("")}, {1}).to(boolean).item() == 1);
  CHECK(Array::from<double>({0.1, 1e300}, {2})
            .to(float32)
            .identical(Array::from<float>({0.1f, std::numeric_limits<float>::infinity()}, {2})));
  for (const DType from : all_types) {
    for (const DType to : all_types)
      CHECK(Array::ones({100000}, from).to(to).identical(Array::ones({100000}, to)));
  }
}

TEST_CASE("Array: a number that an integer type cannot hold is refused") {
  for (const double wrong : {3e9, -3e9, std::nan(""), std::numeric_limits<double>::infinity()}) {
    CHECK_THROWS_AS(Array::full({2}, wrong, int32), ValueError);
    CHECK_THROWS_AS(Array::full({2}, wrong).to(int32), ValueError);
  }
  CHECK(Array::full({1}, 2147483647.0, int32).item() == 2147483647.0);
  CHECK(Array::full({1}, -2147483648.0, float64).to(int32).item() == -2147483648.0);
  CHECK_THROWS_WITH(Array::full({1}, 2147483648.0, float64).to(int32), "array: 2147483648 is no int32");
}

TEST_CASE("Array: identical means shape, type and bytes") {
  const Array a = Array::from<float>({0, 1}, {2});
  CHECK(a.identical(Array::from<float>({0, 1}, {2})));
  CHECK(!a.identical(Array::from<float>({-0.0f, 1}, {2})));
  CHECK(!a.identical(a.reshape({1, 2})));
  CHECK(!a.identical(Array::from<double>({0, 1}, {2})));
  CHECK(!Array::zeros({2}, float32).identical(Array::zeros({2}, int32)));
  const Array nan = Array::from<float>({std::nanf("")}, {1});
  CHECK(nan.identical(nan.copy()));
}

TEST_CASE("Array: all_finite sees each NaN and infinity") {
  for (const DType dtype : {float32, float64}) {
    CHECK(Array({0}, dtype).all_finite());
    CHECK(Array::full({1000}, 1e30, dtype).all_finite());
    for (const double bad : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
      for (const int64_t place : {0, 1, 500, 999}) {
        Array a = Array::ones({1000}, float64);
        a.mutable_data<double>()[place] = bad;
        CHECK(!a.to(dtype).all_finite());
      }
    }
  }
  CHECK(Array::full({3}, 1e9, int64).all_finite());
  CHECK(Array::ones({3}, boolean).all_finite());
}

TEST_CASE("Array: a stretch is the same memory, and a change of the whole") {
  Array whole = Array::arange(40, float32).reshape({4, 10});
  const uint64_t before = whole.version();
  Array part = whole.stretch(16, 35);
  CHECK(whole.version() > before);
  CHECK(part.shape() == Shape{19});
  CHECK(part.data<float>()[0] == 16.0f);
  part.mutable_data<float>()[18] = -1.0f;
  CHECK(whole.at({3, 4}) == -1.0);
  whole = {};
  CHECK(part.data<float>()[1] == 17.0f);  // it keeps the memory alive
  Array again = Array::arange(40, float32);
  CHECK(again.stretch(32, 32).size() == 0);
  for (const auto& [begin, end] : {std::pair{8, 16}, {0, 41}, {16, 8}, {-16, 0}})
    CHECK_THROWS_AS(again.stretch(begin, end), ShapeError);
}
