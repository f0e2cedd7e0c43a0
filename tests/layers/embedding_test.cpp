#include <doctest/doctest.h>
#include <weft/layers/embedding.h>
#include <weft/lib/array/random.h>

#include "reference.h"

namespace weft::test {

TEST_CASE("embedding: equals PyTorch's") {
  const RandomScope random({});
  Embedding table(5, 8);
  const Array ids = Array::from<int64_t>({1, 0, 4, 4, 4, 2}, {2, 3});
  check_layer("embedding", table, [&](const Inputs&) { return table(ids); });
}

TEST_CASE("embedding: first values are normal(0, 1)") {
  const RandomScope random({.seed = 3});
  const Embedding table(100, 100);
  CHECK(std::abs(mean(table.weight).item()) < 0.03);
  CHECK(var(table.weight).item() == doctest::Approx(1).scale(0).epsilon(0.05));
}

TEST_CASE("embedding: an id outside is refused by its value") {
  const RandomScope random({});
  const Embedding table(5, 2);
  refuses<ValueError>([&] { table(Array::full({1}, 5, int64)); }, {"5"});
}

}  // namespace weft::test
