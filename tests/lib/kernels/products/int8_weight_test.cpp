#include <doctest/doctest.h>
#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/products/int8_weight.h>
#include <weft/lib/kernels/products/matmul.h>
#include <weft/lib/machine/cores.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "checks.h"
#include "lib/naive.h"
#include "lib/threads.h"

using namespace weft;
using namespace weft::kernels;
using isa::Int8Functions;
using test::Threads;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

/// A row by the rule of int8_weight.h, one value after another.
struct Row {
  std::vector<int> q;
  std::vector<float> scales;

  Row(const float* x, int64_t k) {
    for (int64_t p = 0; p < k; p += 64) {
      const int64_t end = std::min(k, p + 64);
      float most = 0;
      bool finite = true;
      for (int64_t i = p; i < end; ++i) {
        finite = finite && std::isfinite(x[i]);
        most = std::max(most, std::abs(x[i]));
      }
      const bool none = !finite || most < 0x1p-100f;
      scales.push_back(!finite ? NAN : none ? 0.0f : most / 127.0f);
      for (int64_t i = p; i < end; ++i)
        q.push_back(none ? 0 : static_cast<int>(std::nearbyint(x[i] * (127.0f / most))));
    }
  }
};

Array by_rule(const Array& x, const Array& weight, const Array& bias) {
  const int64_t m = x.dim(0), n = weight.dim(0), k = x.dim(1);
  Array y({m, n}, float32);
  std::vector<Row> columns;
  for (int64_t j = 0; j < n; ++j) columns.emplace_back(weight.data<float>() + j * k, k);
  for (int64_t i = 0; i < m; ++i) {
    const Row row(x.data<float>() + i * k, k);
    for (int64_t j = 0; j < n; ++j) {
      const Row& column = columns[static_cast<size_t>(j)];
      float total = 0;
      for (size_t g = 0; g < row.scales.size(); ++g) {
        const auto begin = static_cast<std::ptrdiff_t>(64 * g),
                   end = static_cast<std::ptrdiff_t>(std::min(static_cast<size_t>(k), 64 * g + 64));
        const int sum =
            std::inner_product(row.q.begin() + begin, row.q.begin() + end, column.q.begin() + begin, 0);
        total = std::fma(static_cast<float>(sum), column.scales[g] * row.scales[g], total);
      }
      if (bias.defined()) total += bias.data<float>()[j];
      y.mutable_data<float>()[i * n + j] = total;
    }
  }
  return y;
}

/// Rows and columns of all 127s, of -127s, by turns, of zeros, and of numbers too small to count.
Array extremes(const Shape& shape) {
  Array x = naive::random(shape, float32, 5);
  const int64_t k = shape.dim(1);
  for (int64_t i = 0; i < x.size(); ++i) {
    const int64_t row = i / k % 7, p = i % k;
    float& value = x.mutable_data<float>()[i];
    if (row == 0) value = 1.0f;
    if (row == 1) value = -1.0f;
    if (row == 2) value = p % 2 == 0 ? 3.0e38f : -3.0e38f;
    if (row == 3) value = 0.0f;
    if (row == 4) value = p % 3 == 0 ? 1e-45f : -1e-40f;
    if (row == 5) value = p % 2 == 0 ? 0x1p-100f : 0x1p-101f;
  }
  return x;
}

std::vector<const Int8Functions*> all_sets() {
  std::vector<const Int8Functions*> all;
  for (const isa::Set set : {isa::Set::scalar, isa::Set::avx2, isa::Set::avx512})
    if (isa::supported(set)) all.push_back(&isa::table_of(set).int8);
  if (isa::vnni_supported()) all.push_back(&isa::avx512_vnni_functions);
  return all;
}

}  // namespace

TEST_CASE("int8: products are those of the rule, bit for bit") {
  for (const int64_t k : {1, 3, 4, 15, 16, 60, 63, 64, 65, 67, 128, 200, 768})
    for (const int64_t n : {1, 2, 15, 16, 17, 31, 32, 48, 63, 64, 65, 100, 129})
      for (const int64_t m : {1, 2, 3, 4, 5, 7, 66}) {
        if (m * n * k > 300'000) continue;
        CAPTURE(m);
        CAPTURE(n);
        CAPTURE(k);
        const Array x = naive::random({m, k}, float32, 1), weight = naive::random({n, k}, float32, 2);
        const Int8Weight integers(weight);
        for (const Array& bias : {Array(), naive::random({n}, float32, 3)})
          REQUIRE(linear(x, integers, bias).identical(by_rule(x, weight, bias)));
      }
}

TEST_CASE("int8: the largest sums are exact, and what is too small counts as nothing") {
  const Array x = extremes({7, 200}), weight = extremes({21, 200});
  const Array y = linear(x, Int8Weight(weight), Array());
  CHECK(test::difference(y, by_rule(x, weight, Array()), 0) == "");
  CHECK(y.at({0, 0}) == doctest::Approx(200).epsilon(1e-6));
  CHECK(y.at({0, 1}) == doctest::Approx(-200).epsilon(1e-6));
  CHECK(y.at({4, 0}) == 0);
  CHECK(y.at({0, 4}) == 0);
  CHECK(y.at({5, 0}) > 0);
}

TEST_CASE("int8: a row with NaN or infinity is NaN, and no other row; a weight with one is refused") {
  for (const float bad : {NAN, infinity, -infinity}) {
    Array x = naive::random({5, 70}, float32, 1);
    const Array weight = naive::random({33, 70}, float32, 2), before = linear(x, Int8Weight(weight), Array());
    x.mutable_data<float>()[2 * 70 + 68] = bad;
    const Array after = linear(x, Int8Weight(weight), Array());
    for (int64_t i = 0; i < 5; ++i)
      for (int64_t j = 0; j < 33; ++j) {
        if (i == 2)
          CHECK(std::isnan(after.at({i, j})));
        else
          CHECK(after.at({i, j}) == before.at({i, j}));
      }
    Array spoilt = weight.copy();
    spoilt.mutable_data<float>()[7] = bad;
    test::refuses<ValueError>([&] { Int8Weight{spoilt}; }, {"int8", "(33, 70)", "NaN or infinity"});
  }
}

TEST_CASE("int8: every instruction set quantizes and multiplies alike") {
  const std::vector<const Int8Functions*> sets = all_sets();
  if (sets.size() < 4) MESSAGE("skipped: the sets that this processor lacks");
  for (const int64_t k : {5, 64, 130}) {
    const int64_t m = 9, n = 77, row = 192, groups = Int8Functions::groups(k);
    const Array x = extremes({m, k}), weight = naive::random({n, k}, float32, 2);
    const Int8Weight integers(weight);
    std::vector<int8_t> first_values;
    std::vector<float> first_y;
    for (const Int8Functions* const set : sets) {
      std::vector<int8_t> values(static_cast<size_t>(m * row));
      std::vector<float> scales(static_cast<size_t>(m * groups)), y(static_cast<size_t>(m * n + 16), 42.0f);
      std::vector<int32_t> sums(static_cast<size_t>(m * groups));
      set->quantize(m, k, x.data<float>(), values.data(), row, scales.data(), sums.data());
      for (int64_t i = 0; i < m; ++i)
        for (int64_t g = 0; g < groups; ++g) {
          const auto at = values.begin() + i * row + 64 * g;
          CHECK(std::accumulate(at, at + 64, 0) == sums[static_cast<size_t>(i * groups + g)]);
        }
      set->multiply(m, n, k, {values.data(), row, scales.data(), sums.data()}, integers.panels(), y.data(), n,
                    nullptr);
      for (size_t i = static_cast<size_t>(m * n); i < y.size(); ++i) CHECK(y[i] == 42.0f);
      if (set == sets.front()) first_values = values, first_y = y;
      CHECK(values == first_values);
      CHECK(y == first_y);
    }
  }
}

TEST_CASE("int8: neither threads nor what shares the batch change a bit") {
  const Array x = naive::random({70, 320}, float32, 1), weight = naive::random({500, 320}, float32, 2),
              bias = naive::random({500}, float32, 3);
  const Int8Weight integers(weight);
  const Array whole = linear(x, integers, bias);
  for (int threads = 1; threads <= 4; ++threads) {
    const Threads some(threads);
    CHECK(linear(x, Int8Weight(weight), bias).identical(whole));
    for (int64_t i = 0; i < 70; i += 23) {
      Array row({320}, float32), expected({500}, float32);
      std::copy_n(x.data<float>() + i * 320, 320, row.mutable_data<float>());
      std::copy_n(whole.data<float>() + i * 500, 500, expected.mutable_data<float>());
      CHECK(linear(row, integers, bias).identical(expected));
    }
  }
}

TEST_CASE("int8: several weights in one loop, any leading axes, and none") {
  const Array x = naive::random({2, 3, 96}, float32, 1), none;
  const Array first = naive::random({65, 96}, float32, 2), second = naive::random({10, 96}, float32, 3),
              bias = naive::random({10}, float32, 4);
  const Int8Weight a(first), b(second);
  const Int8LinearWeights both[] = {{a, none}, {b, bias}};
  const std::vector<Array> y = linears(x, both);
  CHECK(y[0].identical(linear(x, a, none)));
  CHECK(y[1].identical(linear(x, b, bias)));
  CHECK(y[0].shape() == Shape{2, 3, 65});
  CHECK(linear(Array({0, 96}, float32), a, none).shape() == Shape{0, 65});
  CHECK(linear(Array({4, 0}, float32), Int8Weight(Array({10, 0}, float32)), bias).at({3, 9}) == bias.at({9}));
}

TEST_CASE("int8: close to the product in float, and a quarter of the bytes") {
  const Array x = naive::random({8, 768}, float32, 1), weight = naive::random({640, 768}, float32, 2);
  const Int8Weight integers(weight);
  CHECK(test::difference(linear(x, integers, Array()), linear(x, weight, Array()), 0.02) == "");
  CHECK(test::difference(integers.dequantized(), weight, 0.5 / 127 + 1e-6) == "");
  CHECK(integers.bytes() == 640 * (768 + 12 * 4));
}

TEST_CASE("int8: what does not fit is refused") {
  const Int8Weight weight(naive::random({4, 6}));
  const Array none;
  test::refuses<ShapeError>(
      [&] {
        linear(Array({2, 5}, float32), weight, none);
      },
      {"(2, 5)", "(4, 6) in int8"});
  test::refuses<ShapeError>(
      [&] {
        linear(Array({2, 6}, float32), weight, Array({3}, float32));
      },
      {"bias must be (4,)", "not (3,)"});
  test::refuses<TypeError>(
      [&] {
        linear(Array({2, 6}, float64), weight, none);
      },
      {"float32", "x is float64"});
  test::refuses<TypeError>([&] { Int8Weight{Array({2, 6}, float64)}; }, {"must be float32"});
  test::refuses<ShapeError>([&] { Int8Weight{Array({2, 6, 1}, float32)}; }, {"must be (O, I)"});
}
