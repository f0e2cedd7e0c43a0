#include <doctest/doctest.h>
#include <weft/autograd/grad_sum.h>
#include <weft/autograd/ops.h>
#include <weft/lib/array/random.h>

using namespace weft;

namespace {

Array numbers(const Shape& shape, uint64_t stream) {
  return random_normal(shape, 0, 1, random_key(5, stream), float32);
}

}  // namespace

TEST_CASE("grad_sum: rows come to what the whole comes to") {
  const Shape shape{10, 3};
  const Array ids[] = {Array::from({7, 1, 7}, {3}), Array::from({0, 9, 1, 4}, {2, 2}), Array::from({7}, {1})};
  GradSum rows, whole, changed;
  whole.whole(shape, float32);
  for (uint64_t i = 0; i < 3; ++i) {
    const Array values = numbers(Shape{ids[i].size(), 3}, i);
    for (GradSum* sum : {&rows, &whole, &changed}) sum->add_rows(ids[i].reshape({-1}), values, shape);
    if (i == 1) changed.whole(shape, float32);
  }
  Array total = Array::zeros(shape), other = Array::zeros(shape);
  rows.add_to(total);
  whole.add_to(other);
  CHECK(total.identical(other));
  CHECK(rows.whole(shape, float32).identical(other));
  CHECK(changed.whole(shape, float32).identical(other));
  CHECK(GradSum().whole(shape, float32).identical(Array::zeros(shape)));
}

TEST_CASE("grad_sum: a table of which few rows are read is not summed whole") {
  Tensor table(numbers({4096, 16}, 1), true);
  const Array ids = Array::from({3, 4000, 3}, {3});
  sum(square(embedding(ids, table))).backward();  // to warm up
  table.zero_grad();
  const size_t before = memory_stats().in_use;
  sum(square(embedding(ids, table))).backward();
  CHECK(memory_stats().in_use - before < 4096);
  const Array g = table.grad().value();
  CHECK(g.at({3, 0}) == doctest::Approx(4 * table.value().at({3, 0})));
  CHECK(g.at({4000, 5}) == doctest::Approx(2 * table.value().at({4000, 5})));
  CHECK(g.at({5, 0}) == 0);
}

TEST_CASE("grad_sum: a tied table gets both its gradients, in micro-batches as at once") {
  Tensor table(numbers({50, 8}, 1), true);
  const Array ids = Array::from({3, 49, 3, 0, 7, 3}, {6});
  const auto loss = [&](const Array& part) { return sum(square(linear(embedding(part, table), table))); };
  loss(ids).backward();
  const Array at_once = table.grad().value().copy();
  table.zero_grad();
  for (int64_t i = 0; i < 6; i += 2)
    loss(Array::from({ids.data<int32_t>()[i], ids.data<int32_t>()[i + 1]}, {2})).backward();
  CHECK(table.grad().value().identical(at_once));
}
