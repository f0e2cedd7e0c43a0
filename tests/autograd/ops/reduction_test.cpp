#include <doctest/doctest.h>

#include <limits>

#include "checks.h"
#include "op_table.h"

namespace weft::test {

namespace {

void add_reduction(std::vector<OpCase>& cases, const std::string& name,
                   Tensor (*op)(const Tensor&, const Axes&, bool), bool empty_too) {
  const std::string declared = name + "(Tensor, Axes, bool)";
  const auto row = [&](const char* how, const Shape& shape, const std::vector<int>& axes, bool keepdim) {
    cases.push_back({declared,
                     name + ": " + how,
                     [op, axes, keepdim](const std::vector<Tensor>& in) { return op(in[0], axes, keepdim); },
                     {{shape}}});
  };
  row("all", {2, 3, 4}, {}, false);
  row("all kept", {2, 3}, {}, true);
  row("first axis", {4, 3}, {0}, false);
  row("last axis", {3, 18}, {-1}, false);
  row("last axis kept", {3, 5}, {-1}, true);
  row("middle axis", {2, 3, 4}, {1}, false);
  row("two axes", {2, 3, 4}, {0, -1}, false);
  row("size 1", {1, 1}, {1}, false);
  row("scalar", {}, {}, false);
  row("size 0 kept apart", {0, 3}, {1}, false);
  if (empty_too) row("over size 0", {0, 3}, {0}, false);
  cases.push_back({declared,
                   name + ": shared",
                   [op](const std::vector<Tensor>& in) { return in[0] * op(in[0], {1}, true); },
                   {{{2, 3}}}});
}

}  // namespace

std::vector<OpCase> reduction_cases() {
  std::vector<OpCase> cases;
  add_reduction(cases, "sum", sum, true);
  add_reduction(cases, "mean", mean, false);
  add_reduction(cases, "max", max, false);
  add_reduction(cases, "min", min, false);
  add_reduction(cases, "logsumexp", logsumexp, false);
  const std::string variance = "var(Tensor, Axes, bool, double)";
  const auto var_row = [&](const char* how, const Shape& shape, const std::vector<int>& axes, bool keepdim,
                           double correction) {
    cases.push_back({variance,
                     str("var: ", how),
                     [=](const std::vector<Tensor>& in) { return var(in[0], axes, keepdim, correction); },
                     {{shape}}});
  };
  var_row("all", {2, 3, 4}, {}, false, 1);
  var_row("last axis", {3, 5}, {-1}, false, 1);
  var_row("uncorrected", {3, 5}, {-1}, true, 0);
  var_row("two axes", {2, 3, 4}, {0, 2}, false, 1);
  var_row("size 0 kept apart", {0, 3}, {1}, false, 1);
  const std::string down = "sum_to(Tensor, Shape)";
  const auto to_row = [&](const char* how, const Shape& shape, const Shape& to) {
    cases.push_back({down,
                     str("sum_to: ", how),
                     [to](const std::vector<Tensor>& in) { return sum_to(in[0], to); },
                     {{shape}}});
  };
  to_row("same", {2, 3}, {2, 3});
  to_row("leading", {4, 2, 3}, {3});
  to_row("kept", {4, 2, 3}, {4, 1, 3});
  to_row("scalar", {2, 3}, {});
  to_row("size 0", {0, 3}, {1, 3});
  cases.push_back({"max(Tensor, Axes, bool)",
                   "max: ties and NaN",
                   [](const std::vector<Tensor>& in) { return max(in[0], {1}); },
                   {}});
  return cases;
}

TEST_CASE("reduction: all cases of the table") { check_cases(reduction_cases()); }

TEST_CASE("reduction: means and variances over nothing are NaN, as in PyTorch") {
  CHECK(std::isnan(mean(zeros({0})).item()));
  CHECK(std::isnan(var(zeros({1})).item()));
  CHECK(mean(zeros({0, 3}), {0}).shape() == Shape{3});
}

TEST_CASE("reduction: argmax gives the first largest") {
  const Tensor x = tensor({1, 3, 3, 5, 2, 5}, {2, 3});
  CHECK(argmax(x, 1).identical(Array::from<int64_t>({1, 0}, {2})));
  CHECK(argmax(x, 0, true).identical(Array::from<int64_t>({1, 0, 1}, {1, 3})));
}

TEST_CASE("reduction: arguments that do not fit") {
  const Tensor x = zeros({2, 3});
  refuses<ShapeError>([&] { sum(x, {2}); }, {"sum", "2"});
  refuses<ShapeError>([&] { mean(x, {-3}); }, {"-3"});
  refuses<ShapeError>([&] { max(x, {5}); }, {"max", "5"});
  refuses<ShapeError>([&] { var(x, {5}); }, {"5"});
  refuses<ShapeError>([&] { sum(x, {1, -1}); }, {"sum", "1"});
  refuses<ShapeError>([&] { max(zeros({0, 3}), {0}); }, {"max", "(0, 3)"});
  refuses<ShapeError>([&] { argmax(x, 2); }, {"argmax", "2"});
  refuses<ShapeError>([&] { sum_to(x, {4}); }, {"sum_to", "(2, 3)", "(4,)"});
}

}  // namespace weft::test
