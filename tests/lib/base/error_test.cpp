#include <doctest/doctest.h>
#include <weft/lib/array/shape.h>
#include <weft/lib/base/error.h>

#include <cstdlib>
#include <limits>
#include <string>

using namespace weft;

TEST_CASE("cat joins words, numbers and shapes") {
  const std::string word = "word";
  CHECK(str() == "");
  CHECK(str("a ", word, ' ', 3, " ", -4L, " ", size_t{5}, " ", true, false) == "a word 3 -4 5 truefalse");
  CHECK(str(INT64_MIN, " ", UINT64_MAX) == "-9223372036854775808 18446744073709551615");
  CHECK(str(Shape{2, 3}, " and ", Shape{}) == "(2, 3) and ()");
}

TEST_CASE("numbers are written so that they read back as the same number") {
  CHECK(str(0.1) == "0.1");
  CHECK(str(1e-5) == "1e-05");
  CHECK(str(-0.0) == "-0");
  CHECK(str(3.0f) == "3");
  CHECK(str(std::numeric_limits<double>::infinity()) == "inf");
  CHECK(str(std::numeric_limits<double>::quiet_NaN()) == "nan");
  for (const double x : {1.0 / 3, 5e-324, 1.7976931348623157e308, -2.5e-17})
    CHECK(std::strtod(str(x).c_str(), nullptr) == x);
}

TEST_CASE("float is written as float, not as the double beside it") {
  CHECK(str(0.1f, ' ', 16777216.0f, ' ', -1e-30f) == "0.1 16777216 -1e-30");
}

TEST_CASE("fail throws the type that is named, with the joined text") {
  CHECK_THROWS_WITH_AS(fail<ShapeError>("matmul: a is ", Shape{4, 3}, ", b is ", Shape{6}),
                       "matmul: a is (4, 3), b is (6,)", ShapeError);
  CHECK_THROWS_AS(fail<FileError>("x"), Error);
  CHECK_THROWS_AS(fail<MemoryError>("x"), std::runtime_error);
}

TEST_CASE("nearest finds what was meant, and nothing when nothing is near") {
  const std::string keys[] = {"batch_size", "block_size", "learning_rate", "seed"};
  const auto meant = [&](const char* name) { return nearest(name, std::begin(keys), std::end(keys)); };
  CHECK(meant("batchsize") == "batch_size");
  CHECK(meant("blok_size") == "block_size");
  CHECK(meant("learning_rat") == "learning_rate");
  CHECK(meant("sede") == "seed");
  CHECK(meant("seed") == "seed");
  CHECK(meant("temperature") == "");
  const std::string names[] = {"adamw", "sgd", "eps", "d"};
  const auto among = [&](const char* name) { return nearest(name, std::begin(names), std::end(names)); };
  CHECK(among("sdg") == "sgd");
  CHECK(among("adma") == "adamw");
  CHECK(among("lr") == "");
  CHECK(among("epochs") == "");
  CHECK(nearest("seed", keys, keys) == "");
}
