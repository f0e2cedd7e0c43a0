#include <doctest/doctest.h>

#include "checks.h"
#include "op_table.h"

namespace weft::test {

std::vector<OpCase> indexing_cases() {
  std::vector<OpCase> cases;
  const auto rows = [](const Array& ids) {
    return [ids](const std::vector<Tensor>& in) { return square(embedding(ids, in[0])); };
  };
  const std::string op = "embedding(Array, Tensor)";
  cases.push_back({op, "embedding", rows(Array::from<int64_t>({2, 0, 2, 4, 2, 1}, {2, 3})), {{{5, 3}}}});
  cases.push_back({op, "embedding: int32", rows(Array::from<int32_t>({1, 1}, {2})), {{{2, 3}}}});
  cases.push_back({op, "embedding: one id", rows(Array::from<int64_t>({1}, {})), {{{2, 1}}}});
  cases.push_back({op, "embedding: no ids", rows(Array::zeros({0, 2}, int64)), {{{2, 3}}}});
  cases.push_back({op,
                   "embedding: shared",
                   [](const std::vector<Tensor>& in) {
                     const Array ids = Array::from<int64_t>({1, 0, 1}, {3});
                     return matmul(embedding(ids, in[0]), in[0], false, true);
                   },
                   {{{4, 3}}}});
  const auto picked = [](int axis, const Array& index) {
    return [=](const std::vector<Tensor>& in) { return square(gather(in[0], axis, index)); };
  };
  const std::string pick = "gather(Tensor, int, Array)";
  const Array index = Array::from<int64_t>({2, 2, 0, 1, 0, 0, 2, 1}, {2, 4});
  cases.push_back({pick, "gather: last axis", picked(1, index), {{{2, 3}}}});
  cases.push_back(
      {pick, "gather: first axis", picked(-2, Array::from<int64_t>({1, 0, 1, 1}, {2, 2})), {{{3, 2}}}});
  cases.push_back({pick, "gather: part", picked(1, Array::from<int64_t>({2}, {1, 1})), {{{2, 3}}}});
  cases.push_back({pick, "gather: size 0", picked(1, Array::zeros({2, 0}, int64)), {{{2, 3}}}});
  const auto scattered = [](const Shape& shape, int axis, const Array& at) {
    return [=](const std::vector<Tensor>& in) { return square(scatter_add(in[0], shape, axis, at)); };
  };
  const std::string put = "scatter_add(Tensor, Shape, int, Array)";
  cases.push_back({put, "scatter_add: last axis", scattered({2, 3}, 1, index), {{{2, 4}}}});
  cases.push_back({put,
                   "scatter_add: first axis",
                   scattered({3, 2}, 0, Array::from<int64_t>({1, 0, 1, 1}, {2, 2})),
                   {{{2, 2}}}});
  cases.push_back(
      {put, "scatter_add: size 0", scattered({2, 3}, 1, Array::zeros({2, 0}, int64)), {{{2, 0}}}});
  return cases;
}

TEST_CASE("indexing: all cases of the table") { check_cases(indexing_cases()); }

TEST_CASE("indexing: ids and indices that do not fit") {
  const Tensor table = zeros({5, 3});
  const auto ids = [](int64_t id) { return Array::from<int64_t>({0, id}, {2}); };
  refuses<ValueError>([&] { embedding(ids(5), table); }, {"5"});
  refuses<ValueError>([&] { embedding(ids(-1), table); }, {"-1"});
  refuses<TypeError>([&] { embedding(Array::zeros({2}), table); }, {"float32"});
  refuses<ShapeError>([&] { embedding(ids(0), zeros({})); }, {"()"});
  refuses<ValueError>([&] { gather(table, 1, Array::full({1, 1}, 3, int64)); }, {"gather", "3"});
  refuses<ValueError>([&] { gather(table, 1, Array::full({1, 1}, -1, int64)); }, {"gather", "-1"});
  refuses<ShapeError>([&] { gather(table, 1, ids(0)); }, {"gather", "(5, 3)", "(2,)"});
  refuses<ShapeError>([&] { gather(table, 1, Array::zeros({6, 1}, int64)); }, {"gather", "(5, 3)", "(6, 1)"});
  refuses<TypeError>([&] { gather(table, 1, Array::zeros({1, 1})); }, {"gather", "float32"});
  refuses<ShapeError>([&] { scatter_add(zeros({2}), {4}, 0, Array::zeros({3}, int64)); },
                      {"scatter_add", "(2,)", "(3,)"});
  refuses<ValueError>([&] { scatter_add(zeros({2}), {4}, 0, Array::full({2}, 4, int64)); },
                      {"scatter_add", "4"});
}

}  // namespace weft::test
