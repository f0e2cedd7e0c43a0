#include <doctest/doctest.h>
#include <weft/layers/models/pooling.h>

#include "checks.h"

namespace weft {

TEST_CASE("pooled: the mean, the last and the first of what counts") {
  const Array x = Array::from<float>({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {2, 3, 2});
  const auto is = [](const Array& found, const std::vector<float>& wanted) {
    return found.identical(Array::from(wanted, {2, 2}));
  };
  const HiddenStates all{Tensor(x), {}}, some{Tensor(x), {2, 1}};
  CHECK(is(pooled(all, Pooling::mean), {3, 4, 9, 10}));
  CHECK(is(pooled(all, Pooling::last), {5, 6, 11, 12}));
  CHECK(is(pooled(all, Pooling::first), {1, 2, 7, 8}));
  CHECK(is(pooled(some, Pooling::mean), {2, 3, 7, 8}));
  CHECK(is(pooled(some, Pooling::last), {3, 4, 7, 8}));
  CHECK(is(pooled(some, Pooling::first), {1, 2, 7, 8}));
}

TEST_CASE("pooled: lengths that do not fit are refused") {
  const Tensor x(Array::zeros({2, 3, 2}, float32));
  for (const std::vector<int64_t>& lengths : std::vector<std::vector<int64_t>>{{1}, {0, 1}, {4, 1}})
    test::refuses<ShapeError>([&] { pooled({x, lengths}, Pooling::mean); }, {"hidden states (2, 3, 2)"});
  CHECK_THROWS_AS(pooled({Tensor(Array({2, 0, 2}, float32)), {}}, Pooling::first), ShapeError);
}

}  // namespace weft
