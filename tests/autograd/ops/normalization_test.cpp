#include <doctest/doctest.h>
#include <weft/autograd/ops/composed.h>

#include <cmath>

#include "checks.h"
#include "op_table.h"

namespace weft::test {

namespace {

enum class Parameters { none, weight, bias, both };

/// The inputs of a layer norm, x first, as three tensors.
std::array<Tensor, 3> spread_out(const std::vector<Tensor>& in, Parameters given) {
  return {in[0], given == Parameters::weight || given == Parameters::both ? in[1] : Tensor(),
          given == Parameters::bias || given == Parameters::both ? in.back() : Tensor()};
}

Function norm(Parameters given, double eps = 1e-5) {
  return [=](const std::vector<Tensor>& in) {
    const auto [x, weight, bias] = spread_out(in, given);
    return layer_norm(x, weight, bias, eps);
  };
}

/// Of x, and of the weight if there is one.
Function rms_norm_of(double eps = 1e-6) {
  return
      [=](const std::vector<Tensor>& in) { return rms_norm(in[0], in.size() > 1 ? in[1] : Tensor(), eps); };
}

}  // namespace

std::vector<OpCase> normalization_cases() {
  std::vector<OpCase> cases;
  for (const bool logarithm : {false, true}) {
    const std::string name = logarithm ? "log_softmax" : "softmax";
    const auto along = [logarithm](int axis) {
      return [=](const std::vector<Tensor>& in) {
        return logarithm ? log_softmax(in[0], axis) : softmax(in[0], axis);
      };
    };
    const auto row = [&](const char* how, const Shape& shape, int axis) {
      cases.push_back({name + "(Tensor, int)", name + ": " + how, along(axis), {{shape}}});
    };
    row("last axis", {3, 5}, -1);
    row("first axis", {3, 5}, 0);
    row("middle axis", {2, 3, 4}, 1);
    row("wide", {2, 35}, -1);
    row("size 1", {3, 1}, 1);
    row("one axis", {4}, 0);
    row("no rows", {0, 4}, -1);
    row("no columns", {3, 0}, -1);
    cases.push_back({name + "(Tensor, int)", name + ": large numbers", along(-1), {}});
  }
  const std::string op = "layer_norm(Tensor, Tensor, Tensor, double)";
  cases.push_back({op, "layer_norm", norm(Parameters::both), {{{3, 6}}, {{6}}, {{6}}}});
  cases.push_back({op, "layer_norm: three axes", norm(Parameters::both), {{{2, 3, 6}}, {{6}}, {{6}}}});
  cases.push_back({op, "layer_norm: weight alone", norm(Parameters::weight), {{{3, 6}}, {{6}}}});
  cases.push_back({op, "layer_norm: bias alone", norm(Parameters::bias), {{{3, 6}}, {{6}}}});
  cases.push_back({op, "layer_norm: plain", norm(Parameters::none), {{{3, 6}}}});
  cases.push_back({op, "layer_norm: eps", norm(Parameters::both, 0.5), {{{3, 6}}, {{6}}, {{6}}}});
  cases.push_back({op, "layer_norm: one row", norm(Parameters::both), {{{6}}, {{6}}, {{6}}}});
  cases.push_back({op, "layer_norm: size 1", norm(Parameters::both, 0.1), {{{3, 1}}, {{1}}, {{1}}}});
  cases.push_back({op, "layer_norm: no rows", norm(Parameters::both), {{{0, 6}}, {{6}}, {{6}}}});
  cases.push_back({op,
                   "layer_norm: shared",
                   [](const std::vector<Tensor>& in) { return layer_norm(in[0], in[0], in[0]); },
                   {{{6}}}});
  const std::string rms = "rms_norm(Tensor, Tensor, double)";
  cases.push_back({rms, "rms_norm", rms_norm_of(), {{{3, 6}}, {{6}}}});
  cases.push_back({rms, "rms_norm: three axes", rms_norm_of(), {{{2, 3, 6}}, {{6}}}});
  cases.push_back({rms, "rms_norm: plain", rms_norm_of(), {{{3, 6}}}});
  cases.push_back({rms, "rms_norm: eps", rms_norm_of(0.5), {{{3, 6}}, {{6}}}});
  cases.push_back({rms, "rms_norm: one row", rms_norm_of(), {{{6}}, {{6}}}});
  cases.push_back({rms, "rms_norm: size 1", rms_norm_of(0.1), {{{3, 1}}, {{1}}}});
  cases.push_back({rms, "rms_norm: no rows", rms_norm_of(), {{{0, 6}}, {{6}}}});
  cases.push_back({rms,
                   "rms_norm: shared",
                   [](const std::vector<Tensor>& in) { return rms_norm(in[0], in[0]); },
                   {{{6}}}});
  return cases;
}

TEST_CASE("normalization: all cases of the table") { check_cases(normalization_cases()); }

TEST_CASE("normalization: fused equals composed") {
  const std::vector<Draw> x = {{{5, 3, 37}, -4, 4}};
  check_composed([](const auto& in) { return softmax(in[0]); },
                 [](const auto& in) { return composed::softmax(in[0]); }, x);
  check_composed([](const auto& in) { return log_softmax(in[0]); },
                 [](const auto& in) { return composed::log_softmax(in[0]); }, x);
  for (const Parameters given : {Parameters::none, Parameters::weight, Parameters::bias, Parameters::both}) {
    std::vector<Draw> draws = x;
    const int parameters = given == Parameters::none ? 0 : given == Parameters::both ? 2 : 1;
    for (int k = 0; k < parameters; ++k) draws.push_back({{37}});
    check_composed(
        norm(given),
        [given](const std::vector<Tensor>& in) {
          const auto [input, weight, bias] = spread_out(in, given);
          return composed::layer_norm(input, weight, bias, 1e-5);
        },
        draws);
  }
  check_composed(rms_norm_of(), [](const auto& in) { return composed::rms_norm(in[0], in[1], 1e-6); },
                 {x[0], {{37}}});
  check_composed(
      rms_norm_of(), [](const auto& in) { return composed::rms_norm(in[0], {}, 1e-6); }, x);
}

TEST_CASE("normalization: what a norm made is made again with the same bits") {
  const Tensor x = drawn("again", {{{5, 37}}}, float32)[0], weight = drawn("again", {{{37}}}, float32)[0];
  const Array kept = grad({sum(square(rms_norm(x, weight)))}, {x})[0].value();
  const Tensor y = rms_norm(x, weight);
  CHECK(grad({y}, {x}, {Tensor((y * 2.0).value())})[0].value().identical(kept));
}

TEST_CASE("normalization: a row of -inf gives zeros and zero gradients") {
  for (const DType dtype : {float32, float64}) {
    const Tensor x(Array::from<double>({-INFINITY, -INFINITY, 0.0, 1.0}, {2, 2}).to(dtype), true);
    const Tensor p = softmax(x);
    CHECK(p.value().at({0, 0}) == 0);
    CHECK(p.value().at({0, 1}) == 0);
    const Array dx = grad({sum(p * tensor({1, 2, 3, 4}, {2, 2}, dtype))}, {x})[0].value();
    CHECK(dx.at({0, 0}) == 0);
    CHECK(dx.at({0, 1}) == 0);
    CHECK(dx.at({1, 1}) == doctest::Approx(0.19661193));
  }
}

TEST_CASE("normalization: arguments that do not fit") {
  const Tensor x = zeros({2, 3});
  refuses<ShapeError>([&] { softmax(x, 2); }, {"softmax", "2"});
  refuses<ShapeError>([&] { log_softmax(x, -3); }, {"log_softmax", "-3"});
  refuses<TypeError>([&] { softmax(Tensor(Array::arange(3))); }, {"int64"});
  refuses<ShapeError>([&] { softmax(zeros({})); }, {"softmax"});
  refuses<ShapeError>([&] { layer_norm(zeros({})); }, {"layer_norm", "()"});
  refuses<ShapeError>([&] { layer_norm(x, zeros({2})); }, {"layer_norm", "(2, 3)", "weight (2,)"});
  refuses<ShapeError>(
      [&] {
        layer_norm(x, zeros({3}), zeros({1, 3}));
      },
      {"layer_norm", "(2, 3)", "bias (1, 3)"});
  refuses<ValueError>([&] { layer_norm(x, {}, {}, 0); }, {"layer_norm", "eps 0"});
  refuses<TypeError>([&] { layer_norm(x, ones({3}, float64)); }, {"layer_norm", "float32", "float64"});
  refuses<ShapeError>([&] { rms_norm(zeros({})); }, {"rms_norm", "()"});
  refuses<ShapeError>([&] { rms_norm(x, zeros({2})); }, {"rms_norm", "(2, 3)", "weight (2,)"});
  refuses<ValueError>([&] { rms_norm(x, {}, -1); }, {"rms_norm", "eps -1"});
  refuses<TypeError>([&] { rms_norm(x, ones({3}, float64)); }, {"rms_norm", "float32", "float64"});
}

}  // namespace weft::test
