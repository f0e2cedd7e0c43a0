#include <doctest/doctest.h>

#include <cmath>

#include "checks.h"
#include "op_table.h"

namespace weft::test {

namespace {

/// The same of small operations.
Tensor composed_rotary(const Tensor& x, int64_t heads, double base, int64_t offset) {
  const int64_t tokens = x.dim(1), width = x.dim(2) / heads, half = width / 2;
  Array angles({tokens, 1, half}, float64);
  for (int64_t t = 0; t < tokens; ++t)
    for (int64_t i = 0; i < half; ++i)
      angles.mutable_data<double>()[t * half + i] =
          static_cast<double>(offset + t) *
          std::pow(base, -2.0 * static_cast<double>(i) / static_cast<double>(width));
  const Tensor cosines(cos(Tensor(angles)).value().to(x.dtype()));
  const Tensor sines(sin(Tensor(angles)).value().to(x.dtype()));
  const Tensor apart = reshape(x, {x.dim(0), tokens, heads, width});
  const Tensor first = slice(apart, 3, 0, half), second = slice(apart, 3, half, width);
  return reshape(cat({first * cosines - second * sines, second * cosines + first * sines}, 3), x.shape());
}

Function rotary_of(int64_t heads, double base = 10000.0, int64_t offset = 0) {
  return [=](const std::vector<Tensor>& in) { return square(rotary(in[0], heads, base, offset)); };
}

}  // namespace

std::vector<OpCase> rotary_cases() {
  const std::string op = "rotary(Tensor, int64_t, RotaryFrequencies, int64_t)";
  return {{op, "rotary", rotary_of(2), {{{2, 5, 12}}}},
          {"rotary(Tensor, int64_t, RotaryFrequencies, std::span< int64_t>)",
           "rotary: offset",
           [](const std::vector<Tensor>& in) {
             const std::vector<int64_t> offsets(static_cast<size_t>(in[0].dim(0)), 7);
             return square(rotary(in[0], 3, 10000.0, offsets));
           },
           {{{2, 4, 12}}}},
          {"rotary(Tensor, int64_t, RotaryFrequencies, Array)",
           "rotary: places",
           [](const std::vector<Tensor>& in) {
             return square(rotary(in[0], 3, 10000.0, Array::from<int64_t>({0, 1, 0, 7, 0, 1, 2, 3}, {2, 4})));
           },
           {{{2, 4, 12}}}},
          {op, "rotary: base", rotary_of(1, 50.0, 1), {{{1, 4, 8}}}},
          {op, "rotary: size 1", rotary_of(1, 10000.0, 3), {{{1, 1, 2}}}},
          {op, "rotary: no samples", rotary_of(2), {{{0, 5, 12}}}},
          {op, "rotary: no width", rotary_of(2), {{{2, 5, 0}}}}};
}

TEST_CASE("rotary: all cases of the table") { check_cases(rotary_cases()); }

TEST_CASE("rotary: fused equals composed") {
  check_composed([](const auto& in) { return rotary(in[0], 3, 10000.0, 11); },
                 [](const auto& in) { return composed_rotary(in[0], 3, 10000.0, 11); }, {{{2, 9, 102}}});
}

TEST_CASE("rotary: products depend on the distance alone, lengths do not change") {
  const std::vector<Tensor> in = drawn("distance", {{{1, 1, 16}}, {{1, 1, 16}}});
  const auto product = [&](int64_t query, int64_t key) {
    return sum(rotary(in[0], 1, 10000.0, query) * rotary(in[1], 1, 10000.0, key)).item();
  };
  CHECK(product(9, 2) == doctest::Approx(product(1007, 1000)).epsilon(1e-10));
  CHECK(std::abs(product(9, 2) - product(9, 3)) > 1e-3);
  CHECK(product(0, 0) == doctest::Approx(sum(in[0] * in[1]).item()).epsilon(1e-14));
  const Tensor far = rotary(in[0], 2, 10000.0, 123456);
  CHECK(sum(square(far)).item() == doctest::Approx(sum(square(in[0])).item()).epsilon(1e-14));
}

TEST_CASE("rotary: a token alone has the bits of the whole pass") {
  const Tensor x = drawn("decoding", {{{2, 20, 12}}}, float32)[0];
  const Tensor whole = rotary(x, 2, 10000.0, 5);
  for (int64_t t = 0; t < 20; ++t)
    CHECK(rotary(slice(x, 1, t, t + 1), 2, 10000.0, 5 + t)
              .value()
              .identical(slice(whole, 1, t, t + 1).value()));
}

TEST_CASE("rotary: rows at offsets of their own have the bits of each alone") {
  const std::vector<int64_t> offsets = {5, 0, 1234567};
  for (const DType dtype : {float32, float64}) {
    const Tensor x = drawn("offsets", {{{3, 4, 12}}}, dtype)[0];
    const Tensor y = rotary(x, 3, 500.0, offsets);
    const Tensor dx = grad({sum(square(y) * 0.5)}, {x})[0];
    for (int64_t b = 0; b < 3; ++b) {
      const Tensor row = slice(x, 0, b, b + 1);
      CHECK(slice(y, 0, b, b + 1)
                .value()
                .identical(rotary(row, 3, 500.0, offsets[static_cast<size_t>(b)]).value()));
    }
    CHECK(difference(dx.value(), x.value(), dtype == float32 ? 1e-6 : 1e-14) == "");
  }
  const Tensor none = zeros({0, 4, 12});
  CHECK(rotary(none, 3, 500.0, std::vector<int64_t>()).shape() == Shape{0, 4, 12});
}

TEST_CASE("rotary: arguments that do not fit") {
  const Tensor x = zeros({2, 3, 12});
  refuses<ShapeError>([&] { rotary(x, 5); }, {"rotary", "(2, 3, 12)", "5 heads"});
  refuses<ShapeError>([&] { rotary(x, 4); }, {"rotary", "(2, 3, 12)", "4 heads", "even"});
  refuses<ShapeError>([&] { rotary(x, 0); }, {"rotary", "0 heads"});
  refuses<ShapeError>([&] { rotary(zeros({3, 12}), 2); }, {"rotary", "(3, 12)"});
  refuses<ValueError>([&] { rotary(x, 2, 0); }, {"rotary", "base 0"});
  refuses<ValueError>([&] { rotary(x, 2, INFINITY); }, {"rotary", "base inf"});
  refuses<ValueError>([&] { rotary(x, 2, NAN); }, {"rotary", "base"});
  refuses<ValueError>([&] { rotary(x, 2, 10000.0, -1); }, {"rotary", "offset -1"});
  refuses<ShapeError>([&] { rotary(x, 2, 10000.0, std::vector<int64_t>{1}); },
                      {"rotary", "1 offsets", "(2, 3, 12)"});
  refuses<ValueError>([&] { rotary(x, 2, 10000.0, std::vector<int64_t>{1, -1}); }, {"rotary", "offset -1"});
  refuses<TypeError>([&] { rotary(Tensor(Array::zeros({2, 3, 12}, int64)), 2); }, {"rotary", "int64"});
}

TEST_CASE("rotary: tokens at places of their own have the bits of an offset") {
  const Tensor x = drawn("places", {{{2, 4, 12}}}, float32)[0];
  const Array places = Array::from<int64_t>({0, 1, 0, 7, 0, 1, 2, 3}, {2, 4});
  const Tensor y = rotary(x, 3, 500.0, places);
  for (int64_t b = 0; b < 2; ++b)
    for (int64_t t = 0; t < 4; ++t) {
      const auto one = [&](const Tensor& of) { return slice(slice(of, 0, b, b + 1), 1, t, t + 1); };
      const int64_t place = places.data<int64_t>()[4 * b + t];
      CHECK(one(y).value().identical(rotary(one(x), 3, 500.0, place).value()));
    }
  CHECK(rotary(zeros({0, 4, 12}), 3, 500.0, Array::zeros({0, 4}, int64)).shape() == Shape{0, 4, 12});
  refuses<ShapeError>(
      [&] {
        rotary(x, 3, 500.0, Array::zeros({2, 3}, int64));
      },
      {"rotary", "(2, 3)", "(2, 4, 12)"});
  refuses<ShapeError>([&] { rotary(x, 3, 500.0, Array::zeros({2, 4})); }, {"rotary", "float32", "int64"});
  refuses<ValueError>([&] { rotary(x, 3, 500.0, Array::full({2, 4}, -1, int64)); }, {"rotary", "place -1"});
}

}  // namespace weft::test
