#include <doctest/doctest.h>

#include <limits>

#include "checks.h"
#include "op_table.h"

namespace weft::test {

namespace {

using BinaryOp = Tensor (*)(const Tensor&, const Tensor&);

/// Every way in which two shapes meet, both drawn from [low, high).
void add_binary(std::vector<OpCase>& cases, const std::string& name, BinaryOp op, double low, double high,
                const std::string& declared) {
  const std::string declaration = declared + "(Tensor, Tensor)";
  const Function f = [op](const std::vector<Tensor>& in) { return op(in[0], in[1]); };
  const auto row = [&](const char* how, const Shape& a, const Shape& b) {
    cases.push_back({declaration, name + ": " + how, f, {{a, low, high}, {b, low, high}}});
  };
  row("same", {2, 3}, {2, 3});
  row("broadcast", {4, 1, 3}, {2, 1});
  row("rows", {4, 3}, {3});
  row("size 1", {1}, {1});
  row("scalar", {}, {2, 2});
  row("size 0", {0, 3}, {3});
  row("size 0 by 1", {2, 0}, {2, 1});
  cases.push_back({declaration,
                   name + ": shared",
                   [op](const std::vector<Tensor>& in) { return op(in[0], in[0]); },
                   {{{2, 3}, low, high}}});
}

void add_number(std::vector<OpCase>& cases, const std::string& op, const std::string& name, const Function& f,
                double low = -1.5, double high = 1.5) {
  cases.push_back({op, name, f, {{{2, 3}, low, high}}});
  cases.push_back({op, name + ", scalar", f, {{{}, low, high}}});
  cases.push_back({op, name + ", size 0", f, {{{2, 0}, low, high}}});
}

Tensor negative(const Tensor& x) { return -x; }

}  // namespace

std::vector<OpCase> arithmetic_cases() {
  std::vector<OpCase> cases;
  add_binary(cases, "add", add, -1.5, 1.5, "add");
  add_binary(cases, "sub", sub, -1.5, 1.5, "sub");
  add_binary(cases, "mul", mul, -1.5, 1.5, "mul");
  add_binary(cases, "div", div, 0.5, 2, "div");
  add_binary(cases, "pow", pow, 0.5, 2, "pow");
  add_binary(cases, "maximum", maximum, -1.5, 1.5, "maximum");
  add_binary(cases, "minimum", minimum, -1.5, 1.5, "minimum");
  // f(x, x) is a kink everywhere: its gradient is right, but central differences of second order see noise.
  std::erase_if(cases, [](const OpCase& row) {
    return row.name == "maximum: shared" || row.name == "minimum: shared";
  });
  add_binary(cases, "operator+", operator+, -1.5, 1.5, "operator+");
  add_binary(cases, "operator-", operator-, -1.5, 1.5, "operator-");
  add_binary(cases, "operator*", operator*, -1.5, 1.5, "operator*");
  add_binary(cases, "operator over", operator/, 0.5, 2, "operator/");

  const auto unary = [&](const std::string& op, const std::string& name, auto f, double low = -1.5,
                         double high = 1.5) {
    add_number(
        cases, op, name, [f](const std::vector<Tensor>& in) { return f(in[0]); }, low, high);
  };
  unary("operator+(Tensor, double)", "plus number", [](const Tensor& x) { return x + 2.5; });
  unary("operator-(Tensor, double)", "minus number", [](const Tensor& x) { return x - 2.5; });
  unary("operator*(Tensor, double)", "times number", [](const Tensor& x) { return x * 2.5; });
  unary("operator/(Tensor, double)", "over number", [](const Tensor& x) { return x / 2.5; });
  unary("operator+(double, Tensor)", "number plus", [](const Tensor& x) { return 2.5 + x; });
  unary("operator-(double, Tensor)", "number minus", [](const Tensor& x) { return 2.5 - x; });
  unary("operator*(double, Tensor)", "number times", [](const Tensor& x) { return 2.5 * x; });
  unary(
      "operator/(double, Tensor)", "number over", [](const Tensor& x) { return 2.5 / x; }, 0.5, 2);
  unary("operator-(Tensor)", "neg", negative);
  unary(
      "pow(Tensor, double)", "pow number", [](const Tensor& x) { return pow(x, 2.5); }, 0.5, 2);
  unary("pow(Tensor, double)", "pow 3", [](const Tensor& x) { return pow(x, 3.0); });
  unary("pow(Tensor, double)", "pow 1", [](const Tensor& x) { return pow(x, 1.0); });
  unary("pow(Tensor, double)", "pow 0", [](const Tensor& x) { return pow(x, 0.0); });
  unary(
      "pow(Tensor, double)", "pow -1", [](const Tensor& x) { return pow(x, -1.0); }, 0.5, 2);

  const auto edge = [&](const std::string& op, const std::string& name, const Function& f) {
    cases.push_back({op, name, f, {}});
  };
  const auto of_both = [](BinaryOp op) {
    return [op](const std::vector<Tensor>& in) { return op(in[0], in[1]); };
  };
  edge("div(Tensor, Tensor)", "div: zeros and infinities", of_both(div));
  edge("pow(Tensor, Tensor)", "pow: zeros", of_both(pow));
  edge("pow(Tensor, double)", "pow 2: zeros", [](const std::vector<Tensor>& in) { return pow(in[0], 2.0); });
  edge("maximum(Tensor, Tensor)", "maximum: ties and NaN", of_both(maximum));
  edge("minimum(Tensor, Tensor)", "minimum: ties and NaN", of_both(minimum));
  return cases;
}

TEST_CASE("arithmetic: all cases of the table") { check_cases(arithmetic_cases()); }

TEST_CASE("arithmetic: an extremum of a tensor with itself gives it the whole gradient") {
  const Tensor x(Array::from({1.0, -2.0}, {2}), true);
  for (const BinaryOp op : {maximum, minimum}) {
    CHECK(grad({sum(op(x, x))}, {x})[0].value().identical(Array::ones({2}, float64)));
  }
}

TEST_CASE("arithmetic: comparisons give bool arrays") {
  const Tensor a = tensor({1, 2, 3}, {3}), b = tensor({2}, {1});
  const auto holds = [](const Array& found, const std::vector<bool>& expected) {
    REQUIRE(found.dtype() == boolean);
    for (size_t i = 0; i < expected.size(); ++i) CHECK(found.values<bool>()[i] == expected[i]);
  };
  holds(a < b, {true, false, false});
  holds(a <= b, {true, true, false});
  holds(a > b, {false, false, true});
  holds(a >= b, {false, true, true});
  holds(a < 2.0, {true, false, false});
  holds(a <= 2.0, {true, true, false});
  holds(a > 2.0, {false, false, true});
  holds(a >= 2.0, {false, true, true});
  const Tensor nan = full({1}, std::numeric_limits<double>::quiet_NaN());
  holds(nan >= nan, {false});
}

TEST_CASE("arithmetic: shapes and types that do not fit") {
  const Tensor a = zeros({2, 3}), b = zeros({4}), d = zeros({2, 3}, float64);
  const std::pair<const char*, BinaryOp> all[] = {{"add", add},        {"sub", sub}, {"mul", mul},
                                                  {"div", div},        {"pow", pow}, {"maximum", maximum},
                                                  {"minimum", minimum}};
  for (const auto& entry : all) {
    refuses<ShapeError>([&] { entry.second(a, b); }, {entry.first, "(2, 3)", "(4,)"});
    refuses<TypeError>([&] { entry.second(a, d); }, {entry.first, "float32", "float64"});
    refuses<StateError>([&] { entry.second(a, Tensor()); }, {"never given values"});
  }
  refuses<ShapeError>([&] { (void)(a < b); }, {"(2, 3)", "(4,)"});
}

}  // namespace weft::test
