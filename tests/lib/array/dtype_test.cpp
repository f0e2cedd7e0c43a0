#include <doctest/doctest.h>
#include <weft/lib/array/array.h>
#include <weft/lib/array/dtype.h>

#include <thread>

using namespace weft;

TEST_CASE("element types: names, sizes and C++ types belong together") {
  const struct {
    DType dtype;
    const char* name;
    size_t size;
    bool floating;
  } types[] = {{float32, "float32", 4, true},
               {float64, "float64", 8, true},
               {int32, "int32", 4, false},
               {int64, "int64", 8, false},
               {boolean, "bool", 1, false}};
  for (const auto& type : types) {
    CHECK(std::string(name_of(type.dtype)) == type.name);
    CHECK(str(type.dtype) == type.name);
    CHECK(size_of(type.dtype) == type.size);
    CHECK(is_floating(type.dtype) == type.floating);
    visit_dtype(type.dtype, [&]<class T>(T zero) {
      CHECK(dtype_of<T>() == type.dtype);
      CHECK(sizeof(T) == type.size);
      CHECK(zero == T{});
    });
  }
}

TEST_CASE("visit_floating: float and double pass, the others are refused by name") {
  CHECK(visit_floating("exp", float32, []<class T>(T) { return sizeof(T); }) == 4);
  CHECK(visit_floating("exp", float64, []<class T>(T) { return sizeof(T); }) == 8);
  const auto nothing = []<class T>(T) {};
  CHECK_THROWS_WITH_AS(visit_floating("exp", int64, nothing), "exp: needs float32 or float64, not int64",
                       TypeError);
  CHECK_THROWS_AS(visit_floating("exp", int32, nothing), TypeError);
  CHECK_THROWS_AS(visit_floating("exp", boolean, nothing), TypeError);
}

TEST_CASE("DTypeScope: the default while it lives, on its thread alone") {
  CHECK(default_dtype() == float32);
  {
    const DTypeScope doubles(float64);
    CHECK(default_dtype() == float64);
    CHECK(Array({2}).dtype() == float64);
    {
      const DTypeScope floats(float32);
      CHECK(Array::zeros({2}).dtype() == float32);
    }
    CHECK(Array::ones({2}).dtype() == float64);
    DType elsewhere = float64;
    std::thread([&] { elsewhere = default_dtype(); }).join();
    CHECK(elsewhere == float32);
  }
  CHECK(default_dtype() == float32);
  CHECK_THROWS_AS(DTypeScope{int64}, TypeError);
  CHECK(default_dtype() == float32);
}
