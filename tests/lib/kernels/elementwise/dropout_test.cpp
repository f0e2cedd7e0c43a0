#include <weft/lib/array/random.h>
#include <weft/lib/base/error.h>
#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/lib/kernels/movement.h>

#include <cmath>
#include <vector>

#include "lib/naive.h"

namespace {

using namespace weft;

constexpr RandomKey key{0x12345678, 0x9abcdef0};

}  // namespace

TEST_CASE("dropout: keeps what the words of philox say") {
  for (const DType dtype : {float32, float64})
    for (const Shape& shape : {Shape{3, 5}, Shape{2, 64}, Shape{2, 129}, Shape{5}, Shape{}, Shape{2, 0},
                               Shape{0, 4}, Shape{1, 20011}}) {
      const Array x = naive::random(shape, dtype);
      const int64_t places = shape.rank() == 0 ? 1 : shape.size() / std::max<int64_t>(1, shape[0]);
      constexpr double p = 0.3;
      const uint64_t first_sample = (uint64_t{1} << 40) + 5;
      const Array y = kernels::dropout(x, p, key, first_sample);
      CHECK(y.shape() == shape);
      bool good = true;
      for (int64_t i = 0; i < x.size(); ++i) {
        const auto place = static_cast<uint64_t>(i % places),
                   sample = first_sample + static_cast<uint64_t>(i / places);
        const bool kept = philox(key, sample, place / 4)[place % 4] >= p * 0x1p32;
        const double value = x.reshape({-1}).at({i});
        const double expected =
            dtype == float32
                ? static_cast<double>(static_cast<float>(value) * static_cast<float>(1 / (1 - p)))
                : value * (1 / (1 - p));
        good = good && y.reshape({-1}).at({i}) == (kept ? expected : 0);
      }
      CHECK_MESSAGE(good, to_string(shape));
    }
}

TEST_CASE("dropout: a batch in pieces is the batch at once") {
  const Array x = naive::random({7, 300});
  const Array whole = kernels::dropout(x, 0.5, key, 10);
  const Array a = kernels::dropout(kernels::slice(x, 0, 0, 3), 0.5, key, 10);
  const Array b = kernels::dropout(kernels::slice(x, 0, 3, 7), 0.5, key, 13);
  CHECK(kernels::cat({a, b}, 0).identical(whole));
}

TEST_CASE("dropout: the share kept, the ends, threads, bad p") {
  const Array ones = Array::ones({100, 1000}, float32);
  const Array y = kernels::dropout(ones, 0.1, key, 0);
  int64_t kept = 0;
  for (const float value : y.values<float>()) kept += value != 0;
  CHECK(std::fabs(static_cast<double>(kept) / 1e5 - 0.9) < 0.004);  // four deviations
  CHECK(kernels::dropout(ones, 0, key, 0).identical(ones));
  CHECK(kernels::dropout(ones, 1, key, 0).identical(Array::zeros({100, 1000}, float32)));
  CHECK(kernels::dropout(Array::full({3}, NAN, float32), 1, key, 0).identical(Array::zeros({3}, float32)));
  naive::same_for_threads([&] { return kernels::dropout(ones, 0.1, key, 0); });
  for (const double p : {-0.1, 1.1, static_cast<double>(NAN)})
    CHECK_THROWS_AS(kernels::dropout(ones, p, key, 0), ValueError);
  CHECK_THROWS_AS(kernels::dropout(ones.to(int64), 0.5, key, 0), TypeError);
  CHECK(kernels::dropout(Array({int64_t{1} << 40, 0}, float32), 0.5, key, 0).size() == 0);  // at once
}
