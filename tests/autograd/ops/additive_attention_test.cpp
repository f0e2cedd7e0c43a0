#include <doctest/doctest.h>
#include <weft/autograd/ops/composed.h>

#include <cmath>

#include "checks.h"
#include "op_table.h"

namespace weft::test {

namespace {

Tensor scores(const std::vector<Tensor>& in) { return additive_scores(in[0], in[1], in[2]); }

}  // namespace

std::vector<OpCase> additive_attention_cases() {
  std::vector<OpCase> cases;
  const auto row = [&](const char* how, int64_t B, int64_t T, int64_t S, int64_t A) {
    cases.push_back({"additive_scores(Tensor, Tensor, Tensor)",
                     str("additive_scores: ", how),
                     scores,
                     {{{B, T, A}}, {{B, S, A}}, {{A}}}});
  };
  row("plain", 2, 3, 4, 5);
  row("size 1", 1, 1, 1, 1);
  row("no samples", 0, 3, 4, 5);
  row("no queries", 2, 0, 4, 5);
  row("no keys", 2, 3, 0, 5);
  row("no width", 2, 3, 4, 0);
  return cases;
}

TEST_CASE("additive attention: all cases of the table") { check_cases(additive_attention_cases()); }

TEST_CASE("additive attention: fused equals composed, in sizes of which none fits the vectors") {
  check_composed(scores,
                 [](const std::vector<Tensor>& in) { return composed::additive_scores(in[0], in[1], in[2]); },
                 {{{3, 7, 83}}, {{3, 5, 83}}, {{83}}});
}

TEST_CASE("additive attention: gradients of a batch have the same bits in micro-batches") {
  const auto run = [&](int64_t rows) {
    std::vector<Tensor> in = drawn("parts", {{{6, 4, 21}}, {{6, 5, 21}}, {{21}}}, float32);
    for (int64_t b = 0; b < 6; b += rows) {
      const auto part = [&](const Tensor& x) { return slice(x.detach(), 0, b, b + rows); };
      sum(square(additive_scores(part(in[0]), part(in[1]), in[2]))).backward();
    }
    return in[2].grad().value();
  };
  for (const int64_t rows : {1, 2, 3}) CHECK(run(rows).identical(run(6)));
}

TEST_CASE("additive attention: where a score has no gradient, nothing is read") {
  std::vector<Tensor> in = drawn("masked", {{{1, 2, 5}}, {{1, 3, 5}}, {{5}}}, float32);
  Array spoiled = in[1].value().copy();
  for (int64_t a = 10; a < 15; ++a) spoiled.mutable_data<float>()[a] = NAN;
  in[1] = Tensor(spoiled, true);
  const Array seen = Array::from<int64_t>({1, 1, 0, 1, 1, 0}, {1, 2, 3}).to(boolean);
  const Tensor y = where(seen, additive_scores(in[0], in[1], in[2]), zeros({1, 2, 3}));
  for (const Tensor& g : grad({sum(y)}, {in[0], in[2]})) CHECK(g.value().all_finite());
}

TEST_CASE("additive attention: arguments that do not fit") {
  const auto z = [](const Shape& shape) { return zeros(shape); };
  refuses<ShapeError>(
      [&] {
        additive_scores(z({2, 3, 4}), z({2, 3, 5}), z({4}));
      },
      {"additive_scores", "(2, 3, 4)", "(2, 3, 5)", "(4,)"});
  refuses<ShapeError>([&] { additive_scores(z({2, 3, 4}), z({1, 3, 4}), z({4})); }, {"(1, 3, 4)"});
  refuses<ShapeError>([&] { additive_scores(z({2, 3, 4}), z({2, 3, 4}), z({5})); }, {"(5,)"});
  refuses<TypeError>(
      [&] {
        additive_scores(z({2, 3, 4}), z({2, 3, 4}), zeros({4}, float64));
      },
      {"float32", "float64"});
}

}  // namespace weft::test
