#include <doctest/doctest.h>

#include "checks.h"
#include "op_table.h"

namespace weft::test {

namespace {

using UnaryOp = Tensor (*)(const Tensor&);

void add_unary(std::vector<OpCase>& cases, const std::string& op, const std::string& name, const Function& f,
               double low = -2, double high = 2) {
  cases.push_back({op, name, f, {{{3, 5}, low, high}}});
  cases.push_back({op, name + ": scalar", f, {{{}, low, high}}});
  cases.push_back({op, name + ": size 1", f, {{{1, 1}, low, high}}});
  cases.push_back({op, name + ": size 0", f, {{{0, 2}, low, high}}});
  // More than one vector and a rest, with numbers that PyTorch gives too.
  cases.push_back({op, name + ": edges", f, {}});
}

const Array& condition() {
  static const Array mask = (Tensor(Array::from({1.0, 0.0, 0.0, 1.0, 1.0, 0.0}, {2, 3})) > 0.5);
  return mask;
}

}  // namespace

std::vector<OpCase> pointwise_cases() {
  std::vector<OpCase> cases;
  const auto unary = [&](const std::string& name, UnaryOp op, double low = -2, double high = 2) {
    add_unary(
        cases, name + "(Tensor)", name, [op](const std::vector<Tensor>& in) { return op(in[0]); }, low, high);
  };
  unary("exp", exp);
  unary("log", log, 0.2, 3);
  unary("sqrt", sqrt, 0.2, 3);
  unary("square", square);
  unary("sin", sin);
  unary("cos", cos);
  unary("erf", erf);
  unary("abs", abs);
  unary("tanh", tanh);
  unary("sigmoid", sigmoid);
  unary("relu", relu);
  unary("silu", silu);
  add_unary(cases, "gelu(Tensor, Gelu)", "gelu", [](const std::vector<Tensor>& in) { return gelu(in[0]); });
  add_unary(cases, "gelu(Tensor, Gelu)", "gelu tanh",
            [](const std::vector<Tensor>& in) { return gelu(in[0], Gelu::tanh); });
  add_unary(cases, "clamp(Tensor, double, double)", "clamp",
            [](const std::vector<Tensor>& in) { return clamp(in[0], -1.0, 0.5); });

  const std::string op = "where(Array, Tensor, Tensor)";
  const Function choose = [](const std::vector<Tensor>& in) { return where(condition(), in[0], in[1]); };
  cases.push_back({op, "where", choose, {{{2, 3}}, {{2, 3}}}});
  cases.push_back({op, "where: broadcast", choose, {{{4, 1, 3}}, {{1}}}});
  cases.push_back({op,
                   "where: shared",
                   [](const std::vector<Tensor>& in) { return where(condition(), in[0], in[0] * in[0]); },
                   {{{3}}}});
  cases.push_back({op, "where: size 0", choose, {{{0, 2, 3}}, {{3}}}});

  const std::string fill = "masked_fill(Tensor, Array, double)";
  const Function filled = [](const std::vector<Tensor>& in) { return masked_fill(in[0], condition(), 0.25); };
  cases.push_back({fill, "masked_fill", filled, {{{2, 3}}}});
  cases.push_back({fill, "masked_fill: broadcast", filled, {{{2, 1}}}});
  cases.push_back({fill, "masked_fill: size 0", filled, {{{0, 2, 3}}}});
  return cases;
}

TEST_CASE("pointwise: all cases of the table") { check_cases(pointwise_cases()); }

TEST_CASE("pointwise: a clamp passes the gradient at its bounds") {
  const Tensor x(Array::from<double>({-1, 0.5, -1.5, 1}, {4}), true);
  CHECK(grad({sum(clamp(x, -1, 0.5))}, {x})[0].value().identical(Array::from<double>({1, 1, 0, 0}, {4})));
}

TEST_CASE("pointwise: arguments that do not fit") {
  const Tensor x = zeros({2, 3}), whole(Array::arange(3));
  for (const auto& entry : std::initializer_list<std::pair<const char*, UnaryOp>>{{"exp", exp},
                                                                                  {"log", log},
                                                                                  {"sqrt", sqrt},
                                                                                  {"sin", sin},
                                                                                  {"cos", cos},
                                                                                  {"erf", erf},
                                                                                  {"tanh", tanh},
                                                                                  {"sigmoid", sigmoid},
                                                                                  {"silu", silu}}) {
    refuses<TypeError>([&] { entry.second(whole); }, {entry.first, "int64"});
  }
  refuses<TypeError>([&] { gelu(whole); }, {"gelu", "int64"});
  refuses<ValueError>([&] { clamp(x, 1.0, -1.0); }, {"clamp", "1", "-1"});
  refuses<ShapeError>([&] { where(condition(), zeros({4}), x); }, {"where", "(2, 3)", "(4,)"});
  refuses<ShapeError>([&] { masked_fill(zeros({4}), condition(), 0.0); }, {"(2, 3)", "(4,)"});
  refuses<TypeError>([&] { where(Array::arange(3), x, x); }, {"where", "bool", "int64"});
  refuses<TypeError>([&] { where(condition(), x, zeros({3}, float64)); }, {"where", "float32", "float64"});
}

}  // namespace weft::test
