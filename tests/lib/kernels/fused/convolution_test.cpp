#include <doctest/doctest.h>
#include <weft/lib/array/random.h>
#include <weft/lib/kernels/fused/convolution.h>
#include <weft/lib/machine/parallel.h>

#include "checks.h"
#include "lib/kernels/fused/some.h"

namespace weft::test {

namespace {

using kernels::Window;

double dot(const Array& a, const Array& b) {
  double sum = 0;
  for (int64_t i = 0; i < a.size(); ++i)
    sum += static_cast<double>(a.data<float>()[i]) * static_cast<double>(b.data<float>()[i]);
  return sum;
}

}  // namespace

TEST_CASE("convolution: patches of a small picture") {
  const Array x = Array::arange(6).to(float32).reshape({1, 1, 2, 3});  // 0 1 2 / 3 4 5
  const Array patches = kernels::unfold(x, {.size = {2, 2}});
  CHECK(patches.identical(Array::from<float>({0, 1, 3, 4, 1, 2, 4, 5}, {1, 2, 4})));
  const Array padded = kernels::unfold(x, {.size = {1, 2}, .stride = {1, 3}, .padding = {0, 1}});
  CHECK(padded.identical(Array::from<float>({0, 0, 2, 0, 0, 3, 5, 0}, {1, 4, 2})));
  const Array dilated = kernels::unfold(x, {.size = {2, 2}, .dilation = {1, 2}});
  CHECK(dilated.identical(Array::from<float>({0, 2, 3, 5}, {1, 1, 4})));
  CHECK(kernels::fold(patches, x.shape(), {.size = {2, 2}})
            .identical(Array::from<float>({0, 2, 2, 3, 8, 5}, {1, 1, 2, 3})));
}

TEST_CASE("convolution: the number of places") {
  const Window window{.size = {3, 2}, .stride = {2, 1}, .padding = {1, 0}, .dilation = {2, 4}};
  CHECK(window.places(0, 3) == 1);
  CHECK(window.places(0, 5) == 2);
  CHECK(window.places(0, 2) == 0);
  CHECK(window.places(1, 4) == 0);
  CHECK(window.places(1, 7) == 3);
}

TEST_CASE("convolution: fold is the transpose of unfold, whatever the window") {
  const Shape shape{2, 3, 7, 8};
  for (const Window& window :
       {Window{.size = {1, 1}}, Window{.size = {3, 2}, .stride = {2, 3}},
        Window{.size = {2, 3}, .padding = {2, 1}}, Window{.size = {3, 3}, .dilation = {3, 2}},
        Window{.size = {2, 2}, .stride = {3, 2}, .padding = {1, 2}, .dilation = {2, 3}}}) {
    const Array x = some(shape, 1), patches = kernels::unfold(x, window), dy = some(patches.shape(), 2);
    CHECK(dot(patches, dy) == doctest::Approx(dot(x, kernels::fold(dy, shape, window))).epsilon(1e-6));
    CHECK(difference(kernels::unfold(x.to(float64), window), patches, 0) == "");
  }
}

TEST_CASE("convolution: groups are products of their own, and any number of threads gives the same bits") {
  const Array x = some({4, 30, 24}, 1), weight = some({20, 2, 6}, 2), bias = some({20}, 3);
  const Array dy = some({4, 30, 20}, 4);
  const auto run = [&] {
    Array dw = Array::ones(weight.shape());
    kernels::accumulate_grouped_outer(dw, dy, x, 2, false);
    return std::vector<Array>{kernels::grouped_linear(x, weight, bias, 2), dw,
                              kernels::unfold(some({3, 4, 9, 9}, 5), {.size = {3, 3}}),
                              kernels::fold(some({3, 49, 36}, 6), {3, 4, 9, 9}, {.size = {3, 3}})};
  };
  const int before = num_threads();
  set_num_threads(1);
  const std::vector<Array> one = run();
  set_num_threads(3);
  const std::vector<Array> three = run();
  set_num_threads(before);
  for (size_t k = 0; k < one.size(); ++k) CHECK(three[k].identical(one[k]));
  double expected = bias.at({13});
  for (int64_t k = 0; k < 12; ++k) expected += x.at({2, 7, 12 + k}) * weight.at({13, k / 6, k % 6});
  CHECK(one[0].at({2, 7, 13}) == doctest::Approx(expected).epsilon(1e-6));
  const Array doubled = kernels::grouped_linear(x.to(float64), weight.to(float64), bias.to(float64), 2);
  CHECK(difference(one[0], doubled, 1e-6) == "");
}

TEST_CASE("convolution: arguments that do not fit") {
  const Array x = some({1, 2, 3, 4}, 1);
  refuses<ShapeError>(
      [&] {
        kernels::unfold(some({2, 3, 4}, 1), {.size = {1, 1}});
      },
      {"unfold", "(2, 3, 4)"});
  refuses<ShapeError>([&] { kernels::unfold(x, {.size = {4, 1}}); }, {"(4, 1)", "(1, 2, 3, 4)"});
  refuses<ValueError>([&] { kernels::unfold(x, {.size = {1, 1}, .dilation = {1, 0}}); }, {"dilation 0"});
  refuses<ValueError>([&] { kernels::unfold(x, {.size = {1, 1}, .padding = {INT64_MAX, 0}}); }, {"padding"});
  refuses<ShapeError>([&] { kernels::fold(x, {1, 2, 3, 4}, {.size = {1, 1}}); }, {"fold", "(1, 12, 2)"});
  refuses<ShapeError>([&] { kernels::grouped_linear(x, some({4, 3}, 1), {}, 2); }, {"2 groups", "(4, 3)"});
  refuses<ValueError>([&] { kernels::grouped_linear(x, some({3, 2}, 1), {}, 2); }, {"2 groups", "(3, 2)"});
  refuses<ShapeError>([&] { kernels::grouped_linear(x, some({4}, 1), {}, 2); }, {"(4,)"});
  refuses<ShapeError>(
      [&] {
        kernels::grouped_linear(x, some({4, 2}, 1), some({3}, 1), 2);
      },
      {"bias is (3,)"});
  Array into = Array::zeros({4, 2});
  refuses<ShapeError>([&] { kernels::accumulate_grouped_outer(into, x, x, 1, true); }, {"(4, 2)"});
  refuses<ShapeError>(
      [&] {
        kernels::accumulate_grouped_outer(into, some({1, 2, 3, 5}, 1), x, 2, true);
      },
      {"dy is (1, 2, 3, 5)"});
}

}  // namespace weft::test
