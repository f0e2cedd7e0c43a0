#include <doctest/doctest.h>
#include <weft/lib/array/random.h>

#include "checks.h"
#include "op_table.h"

namespace weft::test {

namespace {

Tensor composed_linear(const std::vector<Tensor>& in) {
  const Tensor y = matmul(in[0], transpose(in[1], 0, 1));
  return in.size() > 2 ? y + in[2] : y;
}

Tensor fused_linear(const std::vector<Tensor>& in) {
  return linear(in[0], in[1], in.size() > 2 ? in[2] : Tensor());
}

}  // namespace

std::vector<OpCase> product_cases() {
  std::vector<OpCase> cases;
  const Function product = [](const std::vector<Tensor>& in) { return matmul(in[0], in[1]); };
  const auto row = [&](const char* how, const Shape& a, const Shape& b) {
    cases.push_back({"matmul(Tensor, Tensor)", str("matmul: ", how), product, {{a}, {b}}});
  };
  row("matrices", {3, 4}, {4, 2});
  row("batch", {2, 3, 4}, {2, 4, 2});
  row("batch by matrix", {2, 3, 4}, {4, 2});
  row("matrix by batch", {3, 4}, {2, 4, 2});
  row("broadcast batches", {2, 1, 3, 4}, {3, 4, 2});
  row("row", {4}, {4, 2});
  row("column", {3, 4}, {4});
  row("dot", {4}, {4});
  row("row by batch", {4}, {2, 4, 3});
  row("batch by column", {2, 3, 4}, {4});
  row("size 1", {1, 1}, {1, 1});
  row("no inner", {2, 0}, {0, 3});
  row("no inner, batch by matrix", {2, 3, 0}, {0, 2});
  row("no rows", {0, 4}, {4, 2});
  row("no columns", {3, 4}, {4, 0});
  row("no batch", {0, 3, 4}, {4, 2});
  cases.push_back({"matmul(Tensor, Tensor)",
                   "matmul: shared",
                   [](const std::vector<Tensor>& in) { return matmul(in[0], in[0]); },
                   {{{3, 3}}}});
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      const auto transposed = [&](const char* how, const Shape& batch_a, const Shape& batch_b) {
        const auto shape = [](const Shape& batch, int64_t rows, int64_t columns) {
          return batch.inserted(batch.rank(), rows).inserted(batch.rank() + 1, columns);
        };
        cases.push_back({"matmul(Tensor, Tensor, bool, bool)",
                         str("matmul ", ta, " ", tb, ": ", how),
                         [ta, tb](const std::vector<Tensor>& in) { return matmul(in[0], in[1], ta, tb); },
                         {{ta ? shape(batch_a, 4, 3) : shape(batch_a, 3, 4)},
                          {tb ? shape(batch_b, 2, 4) : shape(batch_b, 4, 2)}}});
      };
      transposed("matrices", {}, {});
      transposed("batch", {2}, {2});
      transposed("batch by matrix", {2}, {});
      transposed("broadcast batches", {2, 1}, {3});
    }
  }
  const std::string op = "linear(Tensor, Tensor, Tensor)";
  cases.push_back({op, "linear", fused_linear, {{{5, 4}}, {{3, 4}}, {{3}}}});
  cases.push_back({op, "linear: no bias", fused_linear, {{{2, 5, 4}}, {{3, 4}}}});
  cases.push_back({op, "linear: three axes", fused_linear, {{{2, 5, 4}}, {{3, 4}}, {{3}}}});
  cases.push_back({op, "linear: one row", fused_linear, {{{4}}, {{3, 4}}, {{3}}}});
  cases.push_back({op, "linear: size 1", fused_linear, {{{1, 1}}, {{1, 1}}, {{1}}}});
  cases.push_back({op, "linear: no rows", fused_linear, {{{0, 4}}, {{3, 4}}, {{3}}}});
  cases.push_back({op, "linear: no inputs", fused_linear, {{{2, 0}}, {{3, 0}}, {{3}}}});
  cases.push_back({op, "linear: no outputs", fused_linear, {{{2, 4}}, {{0, 4}}, {{0}}}});
  cases.push_back(
      {op, "linear: shared", [](const std::vector<Tensor>& in) { return linear(in[0], in[0]); }, {{{3, 3}}}});
  cases.push_back({"linears(Tensor, std::initializer_list<LinearWeights>)",
                   "linears",
                   [](const std::vector<Tensor>& in) {
                     return cat(linears(in[0], {{in[1], Tensor()}, {in[2], in[3]}}), -1);
                   },
                   {{{2, 3, 4}}, {{3, 4}}, {{2, 4}}, {{2}}}});
  return cases;
}

TEST_CASE("product: all cases of the table") { check_cases(product_cases()); }

TEST_CASE("product: linear equals the product and the sum") {
  check_composed(fused_linear, composed_linear, {{{2, 37, 19}}, {{23, 19}}, {{23}}});
  check_composed(fused_linear, composed_linear, {{{37, 19}}, {{23, 19}}});
}

TEST_CASE("product: several linears of few rows, unrecorded, give the bits of each alone") {
  const NoGrad no_grad;
  const auto numbers = [](const Shape& shape, uint64_t stream) {
    return Tensor(random_normal(shape, 0, 1, random_key(7, stream), float32));
  };
  const Tensor w[] = {numbers({384, 128}, 1), numbers({65, 128}, 2), numbers({100, 128}, 3)};
  const Tensor bias = numbers({65}, 4), none;
  for (const int64_t rows : {1, 3, 16, 20}) {
    const Tensor x = numbers({rows, 1, 128}, 5);
    for (int call = 0; call < 3; ++call) {  // the first, before weights are packed, and later ones
      const std::vector<Tensor> y = linears(x, {{w[0], none}, {w[1], bias}, {w[2], none}});
      REQUIRE(y.size() == 3);
      for (size_t i = 0; i < 3; ++i)
        CHECK(y[i].value().identical(linear(x, Tensor(w[i].value().copy()), i == 1 ? bias : none).value()));
    }
  }
  CHECK(linears(zeros({2, 0}), {}).empty());
  refuses<ShapeError>(
      [&] {
        linears(numbers({1, 64}, 6), {{w[0], none}});
      },
      {"linear", "(1, 64)", "(384, 128)"});
}

TEST_CASE("product: shapes and types that do not fit") {
  const auto z = [](const Shape& shape) { return zeros(shape); };
  refuses<ShapeError>(
      [&] {
        matmul(z({4, 3, 8}), z({6, 5}));
      },
      {"matmul: inner dimensions differ: a is (4, 3, 8), b is (6, 5)"});
  refuses<ShapeError>([&] { matmul(z({3, 4}), z({3, 4})); }, {"matmul", "a is (3, 4), b is (3, 4)"});
  refuses<ShapeError>([&] { matmul(z({3, 4}), z({5, 5}), true, true); }, {"matmul", "(3, 4)", "(5, 5)"});
  refuses<ShapeError>(
      [&] {
        matmul(z({4, 3, 8}), z({6, 5}), false, true);
      },
      {"matmul", "(4, 3, 8)", "(6, 5)"});
  refuses<ShapeError>([&] { matmul(z({2, 3, 4}), z({3, 4, 5})); }, {"matmul", "(2, 3, 4)", "(3, 4, 5)"});
  refuses<ShapeError>([&] { matmul(z({}), z({3})); }, {"matmul", "()", "(3,)"});
  refuses<ShapeError>([&] { matmul(z({3}), z({3, 2}), false, false); }, {"matmul", "(3,)", "(3, 2)"});
  refuses<TypeError>([&] { matmul(z({3, 4}), zeros({4, 2}, float64)); }, {"matmul", "float32", "float64"});
  refuses<ShapeError>([&] { linear(z({5, 4}), z({3, 5})); }, {"linear", "(5, 4)", "(3, 5)"});
  refuses<ShapeError>([&] { linear(z({5, 4}), z({3})); }, {"linear", "(5, 4)", "(3,)"});
  refuses<ShapeError>([&] { linear(z({5, 4}), z({3, 4}), z({4})); }, {"linear", "(4,)", "(3, 4)"});
  refuses<TypeError>([&] { linear(z({5, 4}), zeros({3, 4}, float64)); }, {"linear", "float32", "float64"});
}

}  // namespace weft::test
