#include <doctest/doctest.h>

#include "checks.h"
#include "op_table.h"

namespace weft::test {

namespace {

Tensor bias_of(const std::vector<Tensor>& in) { return in.size() > 2 ? in[2] : Tensor(); }

/// A convolution as PyTorch's own definition has it: each output is a sum over a kernel of the padded input.
Tensor composed_conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                       const Conv2dOptions& options) {
  const auto [down, across] = options.stride;
  const Shape padded{x.dim(0), x.dim(1), x.dim(2) + 2 * options.padding[0],
                     x.dim(3) + 2 * options.padding[1]};
  const Tensor wide = unslice(x, x.shape().with(2, padded[2]), 2, options.padding[0]);
  const Tensor picture = unslice(wide, padded, 3, options.padding[1]);
  const int64_t high = options.dilation[0] * (weight.dim(2) - 1) + 1;
  const int64_t broad = options.dilation[1] * (weight.dim(3) - 1) + 1;
  const int64_t G = options.groups, C = x.dim(1) / G, O = weight.dim(0) / G;
  std::vector<Tensor> rows;
  for (int64_t i = 0; i + high <= padded[2]; i += down) {
    std::vector<Tensor> places;
    for (int64_t j = 0; j + broad <= padded[3]; j += across) {
      std::vector<Tensor> outputs;
      for (int64_t g = 0; g < G; ++g) {
        Tensor total;
        for (int64_t a = 0; a < weight.dim(2); ++a)
          for (int64_t b = 0; b < weight.dim(3); ++b) {
            const int64_t y = i + a * options.dilation[0], z = j + b * options.dilation[1];
            const Tensor pixel =
                slice(slice(slice(picture, 1, g * C, (g + 1) * C), 2, y, y + 1), 3, z, z + 1);
            const Tensor kernel =
                slice(slice(slice(weight, 0, g * O, (g + 1) * O), 2, a, a + 1), 3, b, b + 1);
            const Tensor part = matmul(reshape(pixel, {x.dim(0), C}), reshape(kernel, {O, C}), false, true);
            total = total.defined() ? total + part : part;
          }
        outputs.push_back(total);
      }
      const Tensor all = cat(outputs, 1);  // (B, O)
      places.push_back(bias.defined() ? all + bias : all);
    }
    rows.push_back(stack(places, -1));
  }
  return stack(rows, 2);
}

struct Conv {
  const char* name;
  Shape x, weight;
  Conv2dOptions options{};
};

const std::vector<Conv>& convolutions() {
  static const std::vector<Conv> all = {
      {"plain", {2, 3, 4, 5}, {4, 3, 2, 3}},
      {"stride", {2, 3, 5, 6}, {4, 3, 2, 3}, {.stride = {2, 3}}},
      {"padding", {2, 3, 3, 4}, {4, 3, 2, 3}, {.padding = {1, 2}}},
      {"dilation", {2, 3, 5, 6}, {4, 3, 2, 3}, {.dilation = {3, 2}}},
      {"groups", {2, 6, 4, 4}, {4, 3, 2, 2}, {.groups = 2}},
      {"depthwise", {2, 3, 4, 4}, {6, 1, 3, 3}, {.padding = {1, 1}, .groups = 3}},
      {"all together",
       {1, 4, 7, 6},
       {6, 2, 3, 2},
       {.stride = {2, 1}, .padding = {2, 1}, .dilation = {2, 3}, .groups = 2}},
      {"size 1", {1, 1, 1, 1}, {1, 1, 1, 1}},
  };
  return all;
}

}  // namespace

std::vector<OpCase> convolution_cases() {
  std::vector<OpCase> cases;
  const std::string two = "conv2d(Tensor, Tensor, Tensor, Conv2dOptions)";
  const std::string one = "conv1d(Tensor, Tensor, Tensor, Conv1dOptions)";
  for (const Conv& c : convolutions()) {
    const Function f = [options = c.options](const std::vector<Tensor>& in) {
      return conv2d(in[0], in[1], bias_of(in), options);
    };
    cases.push_back({two, str("conv2d: ", c.name), f, {{c.x}, {c.weight}, {{c.weight[0]}}}});
  }
  const Function plain = [](const std::vector<Tensor>& in) { return conv2d(in[0], in[1], bias_of(in)); };
  cases.push_back({two, "conv2d: no bias", plain, {{{2, 3, 4, 5}}, {{4, 3, 2, 3}}}});
  cases.push_back({two, "conv2d: no samples", plain, {{{0, 3, 4, 5}}, {{4, 3, 2, 3}}, {{4}}}});
  cases.push_back({two, "conv2d: no outputs", plain, {{{2, 3, 4, 5}}, {{0, 3, 2, 3}}, {{0}}}});
  cases.push_back({two, "conv2d: no channels", plain, {{{2, 0, 4, 5}}, {{4, 0, 2, 3}}, {{4}}}});
  const auto row = [&](const char* how, const Conv1dOptions& options, const Shape& x, const Shape& weight) {
    cases.push_back(
        {one,
         str("conv1d: ", how),
         [options](const std::vector<Tensor>& in) { return conv1d(in[0], in[1], bias_of(in), options); },
         {{x}, {weight}, {{weight[0]}}}});
  };
  row("plain", {}, {2, 3, 6}, {4, 3, 3});
  row("all together", {.stride = 2, .padding = 3, .dilation = 2, .groups = 2}, {2, 4, 7}, {6, 2, 3});
  const std::array<int64_t, 2> size{2, 3};
  const Conv2dOptions how{.stride = {2, 1}, .padding = {1, 0}, .dilation = {1, 2}};
  cases.push_back({"unfold(Tensor, std::array<int64_t, 2>, Conv2dOptions)",
                   "unfold",
                   [=](const std::vector<Tensor>& in) { return square(unfold(in[0], size, how)); },
                   {{{2, 3, 4, 6}}}});
  cases.push_back({"fold(Tensor, Shape, std::array<int64_t, 2>, Conv2dOptions)",
                   "fold",
                   [=](const std::vector<Tensor>& in) {
                     return square(fold(in[0], {2, 3, 4, 6}, size, how));
                   },
                   {{{2, 6, 18}}}});
  const std::string grouped = "grouped_linear(Tensor, Tensor, Tensor, int64_t)";
  for (const int64_t groups : {1, 3})
    cases.push_back({grouped,
                     str("grouped_linear: ", groups),
                     [groups](const std::vector<Tensor>& in) {
                       return grouped_linear(in[0], in[1], bias_of(in), groups);
                     },
                     {{{2, 5, 4 * groups}}, {{6, 2, 2}}, {{6}}}});
  return cases;
}

TEST_CASE("convolution: all cases of the table") { check_cases(convolution_cases()); }

TEST_CASE("convolution: equals the sum over each kernel") {
  for (const Conv& c : convolutions()) {
    CAPTURE(std::string(c.name));
    check_composed(
        [&](const std::vector<Tensor>& in) { return conv2d(in[0], in[1], in[2], c.options); },
        [&](const std::vector<Tensor>& in) { return composed_conv2d(in[0], in[1], in[2], c.options); },
        {{c.x}, {c.weight}, {{c.weight[0]}}});
  }
}

TEST_CASE("convolution: gradients of a batch have the same bits in micro-batches") {
  for (const int64_t groups : {1, 2}) {
    const Conv2dOptions options{.padding = {1, 1}, .groups = groups};
    const auto run = [&](int64_t rows) {
      std::vector<Tensor> in = drawn("parts", {{{6, 4, 5, 7}}, {{8, 4 / groups, 3, 3}}, {{8}}}, float32);
      for (int64_t b = 0; b < 6; b += rows)
        sum(square(conv2d(slice(in[0].detach(), 0, b, b + rows), in[1], in[2], options))).backward();
      return std::pair(in[1].grad().value(), in[2].grad().value());
    };
    const auto whole = run(6);
    for (const int64_t rows : {1, 2, 3}) {
      CAPTURE(rows);
      CHECK(run(rows).first.identical(whole.first));
      CHECK(run(rows).second.identical(whole.second));
    }
  }
}

TEST_CASE("convolution: of nothing, however large, at once") {
  const int64_t large = int64_t{1} << 40;
  const auto works = [](const Shape& expected, const Shape& x, const Shape& weight) {
    const Tensor leaf(Array::zeros(x), true), y = conv2d(leaf, zeros(weight));
    CHECK(y.shape() == expected);
    CHECK(grad({y}, {leaf}, {zeros(expected)})[0].shape() == x);
  };
  works({0, 2, large - 2, 4}, {0, 3, large, 4}, {2, 3, 3, 1});
  works({2, 0, large, 4}, {2, 0, large, 4}, {0, 0, 1, 1});
}

TEST_CASE("convolution: arguments that do not fit") {
  const auto z = [](const Shape& shape) { return zeros(shape); };
  const Tensor x = z({2, 4, 5, 6});
  refuses<ShapeError>(
      [&] {
        conv2d(z({4, 5, 6}), z({2, 4, 3, 3}));
      },
      {"conv2d", "(4, 5, 6)", "(2, 4, 3, 3)"});
  refuses<ShapeError>(
      [&] {
        conv2d(x, z({2, 3, 3, 3}));
      },
      {"conv2d", "(2, 4, 5, 6)", "(2, 3, 3, 3)", "must be 4"});
  refuses<ValueError>([&] { conv2d(x, z({3, 2, 3, 3}), {}, {.groups = 2}); }, {"conv2d", "2 groups"});
  refuses<ValueError>([&] { conv2d(x, z({0, 2, 3, 3}), {}, {.groups = INT64_MAX}); }, {"conv2d", "groups"});
  refuses<ShapeError>([&] { conv2d(x, z({2, 4, 3, 3}), z({3})); }, {"conv2d", "bias is (3,)"});
  refuses<ShapeError>([&] { conv2d(x, z({2, 4, 6, 3})); }, {"unfold", "(6, 3)", "(2, 4, 5, 6)"});
  refuses<ShapeError>(
      [&] {
        conv2d(x, z({2, 4, 3, 3}), {}, {.dilation = {3, 1}});
      },
      {"unfold", "does not fit"});
  refuses<ValueError>([&] { conv2d(x, z({2, 4, 3, 3}), {}, {.groups = 0}); }, {"conv2d", "0 groups"});
  refuses<ValueError>([&] { conv2d(x, z({2, 4, 3, 3}), {}, {.stride = {0, 1}}); }, {"unfold", "stride 0"});
  refuses<ValueError>([&] { conv2d(x, z({2, 4, 3, 3}), {}, {.padding = {0, -1}}); }, {"padding -1"});
  refuses<ValueError>([&] { conv2d(x, z({2, 4, 0, 3})); }, {"unfold", "size 0"});
  const int64_t huge = INT64_MAX;
  refuses<ValueError>([&] { conv2d(x, z({2, 4, 3, 3}), {}, {.dilation = {huge, 1}}); }, {"dilation"});
  refuses<ValueError>([&] { conv2d(x, z({2, 4, 3, 3}), {}, {.padding = {huge, 1}}); }, {"padding"});
  refuses<ShapeError>([&] { conv1d(x, z({2, 4, 3})); }, {"conv1d", "(2, 4, 5, 6)"});
  refuses<ShapeError>([&] { conv1d(z({2, 4, 5}), z({2, 4, 6})); }, {"(1, 6)"});
  refuses<ShapeError>([&] { fold(z({2, 3, 4}), {2, 1, 3, 3}, {2, 2}); }, {"fold", "(2, 3, 4)", "(2, 4, 4)"});
  refuses<TypeError>([&] { conv2d(x, zeros({2, 4, 3, 3}, float64)); }, {"float32", "float64"});
}

}  // namespace weft::test
