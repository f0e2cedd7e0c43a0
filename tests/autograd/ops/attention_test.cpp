#include <doctest/doctest.h>
#include <weft/autograd/ops/composed.h>
#include <weft/lib/array/random.h>

#include <cmath>

#include "checks.h"
#include "op_table.h"

namespace weft::test {

namespace {

constexpr int64_t B = 2, H = 3, T = 4, S = 5, D = 2;

/// A bool array in which query t may attend to key s unless (3 t + s + 2 b) % 3 is 0; query 2 attends to
/// nothing.
Array allowed(const Shape& shape) {
  Array mask(shape, boolean);
  bool* const values = mask.mutable_data<bool>();
  const int64_t rows = shape.dim(-2), columns = shape.dim(-1);
  for (int64_t i = 0; i < shape.size(); ++i) {
    const int64_t s = i % columns, t = i / columns % rows, b = i / columns / rows;
    values[i] = (3 * t + s + 2 * b) % 3 != 0 && t != 2;
  }
  return mask;
}

Mask windowed(std::vector<int64_t> offsets, int64_t width) {
  Mask mask = Mask::causal(std::move(offsets));
  mask.window_width = width;
  return mask;
}

struct Setting {
  const char* name;
  Mask mask = {};
  Shape bias = {};
  bool biased = false;
  std::optional<double> scale = {};
  double dropout = 0;
  std::vector<double> slopes = {};
};

std::vector<Setting> settings() {
  return {{"plain"},
          {"causal", Mask::causal()},
          {"causal with offset", Mask::causal(1)},
          {"lengths", Mask::lengths({5, 3})},
          {"a length of 0", Mask::lengths({0, 2})},
          {"mask", Mask::allowed(allowed({B, H, T, S}))},
          {"mask for all heads", Mask::allowed(allowed({B, 1, T, S}))},
          {"mask for all", Mask::allowed(allowed({T, S}))},
          {"all masks", Mask::causal(1) & Mask::lengths({5, 3}) & Mask::allowed(allowed({B, 1, T, S}))},
          {"bias", {}, {B, H, T, S}, true},
          {"bias for all heads", {}, {B, 1, T, S}, true},
          {"bias for all samples", {}, {H, T, S}, true},
          {"bias of keys", {}, {B, 1, 1, S}, true},
          {"bias of one number", {}, {1}, true},
          {"bias and mask", Mask::causal() & Mask::lengths({4, 2}), {1, H, T, S}, true},
          {"scale", {}, {}, false, 0.3},
          {"dropout", Mask::causal(), {}, false, {}, 0.4},
          {"window", Mask::window(2)},
          {"window with lengths", Mask::window(3, 1) & Mask::lengths({5, 2})},
          {"offsets of samples", windowed({0, 2}, 2)},
          {"slopes", Mask::causal(1), {}, false, {}, 0, {0.5, 0.25, 0.125}},
          {"slopes both ways", {}, {}, false, {}, 0, {0.5, 0.25, 0.125}},
          {"slopes with offsets",
           Mask::causal({1, 0}) & Mask::lengths({5, 3}),
           {1, H, T, S},
           true,
           {},
           0,
           {0.5, 0, 0.25}}};
}

std::vector<Draw> draws_for(const Setting& setting, const Shape& q, const Shape& k) {
  std::vector<Draw> draws = {{q}, {k}, {k}};
  if (setting.biased) draws.push_back({setting.bias});
  return draws;
}

AttentionOptions options_of(const Setting& setting, const std::vector<Tensor>& in) {
  return {.mask = setting.mask,
          .bias = setting.biased ? in[3] : Tensor(),
          .scale = setting.scale,
          .dropout = setting.dropout,
          .slopes = setting.slopes};
}

Function apart(const Setting& setting) {
  return [setting](const std::vector<Tensor>& in) {
    const RandomScope random({.seed = 4});
    return scaled_dot_product_attention(in[0], in[1], in[2], options_of(setting, in));
  };
}

Function side_by_side(const Setting& setting) {
  return [setting](const std::vector<Tensor>& in) {
    const RandomScope random({.seed = 4});
    return multi_head_attention(in[0], in[1], in[2], H, options_of(setting, in));
  };
}

/// 6 heads of queries.
Function shared_heads(const Setting& setting) {
  return [setting](const std::vector<Tensor>& in) {
    const RandomScope random({.seed = 4});
    return multi_head_attention(in[0], in[1], in[2], 6, options_of(setting, in));
  };
}

Tensor heads_apart(const Tensor& x) { return permute(reshape(x, {x.dim(0), x.dim(1), H, -1}), {0, 2, 1, 3}); }
Tensor heads_together(const Tensor& x) { return reshape(permute(x, {0, 2, 1, 3}), {x.dim(0), x.dim(2), -1}); }

/// What slopes add to the scores.
Tensor distances(const Setting& setting) {
  Array bias = Array::zeros({B, H, T, S}, float64);
  double* const values = bias.mutable_data<double>();
  for (int64_t i = 0; i < bias.size() && !setting.slopes.empty(); ++i) {
    const int64_t s = i % S, t = i / S % T, h = i / S / T % H, b = i / S / T / H;
    const auto& offsets = setting.mask.causal_offsets;
    const int64_t place =
        t + (offsets.empty() ? setting.mask.causal_offset : offsets[static_cast<size_t>(b)]);
    values[i] = -setting.slopes[static_cast<size_t>(h)] * static_cast<double>(std::abs(s - place));
  }
  return Tensor(bias);
}

/// The formula itself, one row at a time, in double.
Array by_hand(const Tensor& q, const Tensor& k, const Tensor& v, const Array& allow, const Tensor& bias,
              double scale) {
  const auto at = [](const Tensor& x, int64_t b, int64_t h, int64_t t, int64_t d) {
    return x.value().at({b, h, t, d});
  };
  Array out = Array::zeros(q.shape(), float64);
  double* const y = out.mutable_data<double>();
  for (int64_t row = 0; row < B * H * T; ++row) {
    const int64_t b = row / (H * T), h = row / T % H, t = row % T;
    double total = 0;
    for (int64_t s = 0; s < S; ++s) {
      if (allow.at({b, h, t, s}) == 0) continue;
      double score = at(bias, b, h, t, s);
      for (int64_t d = 0; d < D; ++d) score += scale * at(q, b, h, t, d) * at(k, b, h, s, d);
      total += std::exp(score);
      for (int64_t d = 0; d < D; ++d) y[row * D + d] += std::exp(score) * at(v, b, h, s, d);
    }
    for (int64_t d = 0; d < D && total > 0; ++d) y[row * D + d] /= total;
  }
  return out;
}

}  // namespace

std::vector<OpCase> attention_cases() {
  std::vector<OpCase> cases;
  const std::string split_op = "scaled_dot_product_attention(Tensor, Tensor, Tensor, AttentionOptions)";
  const std::string joint_op = "multi_head_attention(Tensor, Tensor, Tensor, int64_t, AttentionOptions)";
  for (const Setting& setting : settings()) {
    cases.push_back({split_op, str("attention: ", setting.name), apart(setting),
                     draws_for(setting, {B, H, T, D}, {B, H, S, D})});
  }
  const Setting plain{"plain"}, causal{"causal", Mask::causal()};
  const auto shapes = [&](const char* how, const Shape& q, const Shape& k) {
    cases.push_back({split_op, str("attention: ", how), apart(plain), draws_for(plain, q, k)});
  };
  shapes("size 1", {1, 1, 1, 1}, {1, 1, 1, 1});
  shapes("no samples", {0, 2, 3, 2}, {0, 2, 4, 2});
  shapes("no queries", {2, 1, 0, 2}, {2, 1, 4, 2});
  shapes("no keys", {2, 1, 3, 2}, {2, 1, 0, 2});
  cases.push_back({split_op,
                   "attention: shared",
                   [](const std::vector<Tensor>& in) {
                     return scaled_dot_product_attention(in[0], in[0], in[0], {Mask::causal()});
                   },
                   {{{1, 2, 3, 2}}}});
  cases.push_back({joint_op, "multi_head_attention", side_by_side(plain),
                   draws_for(plain, {B, T, H * D}, {B, S, H * D})});
  cases.push_back({joint_op, "multi_head_attention: causal", side_by_side(causal),
                   draws_for(causal, {B, T, H * D}, {B, T, H * D})});
  cases.push_back({joint_op, "multi_head_attention: no samples", side_by_side(plain),
                   draws_for(plain, {0, T, H * D}, {0, S, H * D})});
  const Setting packed{"documents", Mask::causal() & Mask::documents({{0, 1, 3}, {0, 2}})};
  cases.push_back(
      {split_op, "attention: documents", apart(packed), draws_for(packed, {B, 4, 5, D}, {B, 2, 5, D})});
  // Heads of keys and values that several heads of queries share.
  cases.push_back(
      {split_op, "attention: shared heads", apart(plain), draws_for(plain, {B, 4, T, D}, {B, 2, S, D})});
  cases.push_back({split_op, "attention: one head for all", apart(causal),
                   draws_for(causal, {B, 4, T, D}, {B, 1, S, D})});
  cases.push_back({joint_op, "multi_head_attention: shared heads", shared_heads(plain),
                   draws_for(plain, {B, T, 6 * D}, {B, S, 2 * D})});
  return cases;
}

TEST_CASE("attention: all cases of the table") { check_cases(attention_cases()); }

TEST_CASE("attention: both layouts equal the composed form") {
  for (const Setting& setting : settings()) {
    CAPTURE(setting.name);
    const Function composed = [&](const std::vector<Tensor>& in) {
      const RandomScope random({.seed = 4});
      return composed::attention(in[0], in[1], in[2], options_of(setting, in));
    };
    check_composed(apart(setting), composed, draws_for(setting, {B, H, T, D}, {B, H, S, D}));
    const Function composed_together = [&](const std::vector<Tensor>& in) {
      std::vector<Tensor> four = in;
      for (size_t k = 0; k < 3; ++k) four[k] = heads_apart(in[k]);
      return heads_together(composed(four));
    };
    check_composed(side_by_side(setting), composed_together,
                   draws_for(setting, {B, T, H * D}, {B, S, H * D}));
  }
}

TEST_CASE("attention: shared heads of keys and values equal repeated ones") {
  const auto repeated = [](const Tensor& x, int64_t G) {
    const Tensor apart = reshape(x, {x.dim(0), x.dim(1), G, 1, D});
    return reshape(expand(apart, {x.dim(0), x.dim(1), G, 6 / G, D}), {x.dim(0), x.dim(1), 6 * D});
  };
  for (const Setting& setting :
       {Setting{"plain"}, Setting{"causal", Mask::causal(1) & Mask::lengths({5, 3})},
        Setting{"bias", {}, {B, 6, T, S}, true}, Setting{"dropout", {}, {}, false, {}, 0.4}}) {
    CAPTURE(setting.name);
    for (const int64_t G : {1, 2, 3}) {
      const std::vector<Draw> draws = draws_for(setting, {B, T, 6 * D}, {B, S, G * D});
      check_composed(
          shared_heads(setting),
          [&](const std::vector<Tensor>& in) {
            std::vector<Tensor> all = in;
            for (size_t k = 1; k < 3; ++k) all[k] = repeated(in[k], G);
            return shared_heads(setting)(all);
          },
          draws);
      const std::vector<Tensor> in = drawn("shared", draws, float32);
      CHECK(attention_weights(in[0], in[1], 6).identical(attention_weights(in[0], repeated(in[1], G), 6)));
    }
  }
}

TEST_CASE("attention: more keys than one tile") {
  for (const double dropout : {0.0, 0.3}) {
    const Setting setting{"long", Mask::causal(70) & Mask::lengths({150, 90}), {}, false, {}, dropout};
    check_composed(
        apart(setting),
        [&](const std::vector<Tensor>& in) {
          const RandomScope random({.seed = 4});
          return composed::attention(in[0], in[1], in[2], options_of(setting, in));
        },
        draws_for(setting, {2, 2, 80, 7}, {2, 2, 150, 7}));
  }
}

TEST_CASE("attention: equals the formula written out by hand") {
  for (const Setting& setting : settings()) {
    CAPTURE(setting.name);
    if (setting.dropout > 0) continue;
    const std::vector<Tensor> in = drawn("by hand", draws_for(setting, {B, H, T, D}, {B, H, S, D}));
    const Array everything = Array::full({B, H, T, S}, 1, boolean);
    const Tensor four_axes = zeros({B, H, T, S}, float64) + distances(setting);
    const Array allow = setting.mask.empty()
                            ? everything
                            : expand(Tensor(setting.mask.dense(B, H, T, S)), {B, H, T, S}).value();
    const Array expected = by_hand(in[0], in[1], in[2], allow, setting.biased ? four_axes + in[3] : four_axes,
                                   setting.scale.value_or(1 / std::sqrt(2.0)));
    CHECK(difference(apart(setting)(in).value(), expected, 1e-13) == "");
  }
}

TEST_CASE("attention: a query that may attend to nothing gives zeros and zero gradients") {
  for (const DType dtype : {float32, float64}) {
    CAPTURE(std::string(name_of(dtype)));
    const std::vector<Tensor> in = drawn("nothing", {{{1, 1, 2, D}}, {{1, 1, S, D}}, {{1, 1, S, D}}}, dtype);
    Array mask = Array::full({2, S}, 1, boolean);
    std::fill_n(mask.mutable_data<bool>(), S, false);
    const Tensor y = scaled_dot_product_attention(in[0], in[1], in[2], {Mask::allowed(mask)});
    for (int64_t d = 0; d < D; ++d) CHECK(y.value().at({0, 0, 0, d}) == 0);
    const std::vector<Tensor> grads = grad({sum(square(y))}, in);
    for (int64_t d = 0; d < D; ++d) CHECK(grads[0].value().at({0, 0, 0, d}) == 0);
    for (const Tensor& g : grads) CHECK(g.value().all_finite());
    // Where no query attends to anything, keys and values have no gradient either.
    const Tensor none = scaled_dot_product_attention(in[0], in[1], in[2], {Mask::lengths({0})});
    for (const Tensor& g : grad({sum(none)}, in)) CHECK(g.value().identical(Array::zeros(g.shape(), dtype)));
  }
}

TEST_CASE("attention: the weights are the softmax of the scores") {
  const Setting setting{"causal", Mask::causal(1), {}, false, {}, 0, {0.5, 0.25, 0.125}};
  const std::vector<Tensor> in =
      drawn("weights", {{{B, T, H * D}}, {{B, S, H * D}}, {{B, S, H * D}}}, float32);
  const Tensor weights(attention_weights(in[0], in[1], H, options_of(setting, in)));
  CHECK(weights.shape() == Shape{B, H, T, S});
  CHECK(difference(sum(weights, {-1}).value(), Array::ones({B, H, T}), 1e-6) == "");
  CHECK(weights.value().at({0, 0, 0, 2}) == 0);
  const Tensor y = heads_together(matmul(weights, heads_apart(in[2])));
  CHECK(difference(side_by_side(setting)(in).value(), y.value(), 2e-6) == "");
}

TEST_CASE("attention: the slopes are those of the paper") {
  CHECK(alibi_slopes(1) == std::vector<double>{1.0 / 256});
  CHECK(alibi_slopes(4) == std::vector<double>{0.25, 1.0 / 16, 1.0 / 64, 1.0 / 256});
  const std::vector<double> slopes = alibi_slopes(12);
  CHECK(slopes.size() == 12);
  for (size_t i = 0; i < 8; ++i) CHECK(slopes[i] == std::pow(0.5, static_cast<double>(i + 1)));
  for (size_t i = 8; i < 12; ++i)
    CHECK(slopes[i] == doctest::Approx(std::pow(0.5, static_cast<double>(i - 8) + 0.5)));
  refuses<ValueError>([] { alibi_slopes(0); }, {"alibi_slopes", "0 heads"});
  const Tensor x = zeros({B, 1, 6});
  KeyValueCache cache;
  for (const std::vector<double>& wrong : {std::vector<double>{1}, {1, 2, 3, 4}}) {
    refuses<ShapeError>([&] { multi_head_attention(x, x, x, H, {.slopes = wrong}); }, {"slopes", "3 heads"});
    refuses<ShapeError>([&] { attention_weights(x, x, H, {.slopes = wrong}); }, {"slopes", "3 heads"});
    refuses<ShapeError>([&] { cached_attention(x, x, x, H, cache, {}, {.slopes = wrong}); }, {"slopes"});
  }
}

TEST_CASE("attention: a row of a batch has the bits of the row alone, padded or not") {
  const std::vector<Tensor> in = drawn("rows", {{{3, 70, 6}}, {{3, 70, 6}}, {{3, 70, 6}}}, float32);
  const Tensor whole = multi_head_attention(in[0], in[1], in[2], H, {Mask::lengths({70, 66, 9})});
  const auto alone = [&](const Tensor& x) { return slice(slice(x, 0, 2, 3), 1, 0, 9); };
  CHECK(alone(whole).value().identical(
      multi_head_attention(alone(in[0]), alone(in[1]), alone(in[2]), H).value()));
}

TEST_CASE("attention: shapes and types that do not fit") {
  const auto z = [](const Shape& shape) { return zeros(shape); };
  const Tensor q = z({B, H, T, D}), k = z({B, H, S, D}), wide = z({B, T, H * D});
  const auto attend = [&](const Tensor& a, const Tensor& b, const Tensor& c,
                          const AttentionOptions& options = {}) {
    scaled_dot_product_attention(a, b, c, options);
  };
  const std::string name = "scaled_dot_product_attention";
  refuses<ShapeError>(
      [&] {
        attend(q, z({B, H, S, 3}), z({B, H, S, 3}));
      },
      {name, "q is (2, 3, 4, 2)", "k (2, 3, 5, 3)", "v (2, 3, 5, 3)"});
  refuses<ShapeError>([&] { attend(q, k, z({B, H, T, D})); }, {name, "k (2, 3, 5, 2)", "v (2, 3, 4, 2)"});
  refuses<ShapeError>([&] { attend(q, z({1, H, S, D}), z({1, H, S, D})); }, {name, "(1, 3, 5, 2)"});
  refuses<ShapeError>([&] { attend(wide, wide, wide); }, {name, "(2, 4, 6)"});
  for (const int64_t heads : {0, 2, 6})
    refuses<ShapeError>(
        [&] {
          attend(q, z({B, heads, S, D}), z({B, heads, S, D}));
        },
        {name, "(2, 3, 4, 2)", str("(2, ", heads, ", 5, 2)")});
  refuses<ShapeError>([&] { attend(q, k, k, {.bias = z({T, 3})}); }, {"bias (4, 3)", "(2, 3, 4, 5)"});
  refuses<ShapeError>([&] { attend(q, k, k, {Mask::lengths({1, 2, 3})}); }, {name, "3"});
  refuses<ShapeError>(
      [&] {
        attend(q, k, k, {Mask::allowed(allowed({T, T}))});
      },
      {name, "(4, 4)", "(2, 3, 4, 5)"});
  refuses<TypeError>([&] { Mask::allowed(Array::ones({T, S})); }, {"bool", "float32"});
  refuses<TypeError>(
      [&] {
        attend(q, zeros({B, H, S, D}, float64), zeros({B, H, S, D}, float64));
      },
      {"float32", "float64"});
  refuses<TypeError>([&] { attend(q, k, k, {.bias = zeros({T, S}, float64)}); }, {"float32", "float64"});
  refuses<ShapeError>([&] { multi_head_attention(wide, wide, wide, 4); },
                      {"multi_head_attention", "4 heads", "(2, 4, 6)"});
  refuses<ShapeError>([&] { multi_head_attention(wide, wide, wide, 0); },
                      {"multi_head_attention", "0 heads"});
  refuses<ShapeError>(
      [&] {
        multi_head_attention(wide, z({B, S, 4}), z({B, S, 4}), H);
      },
      {"multi_head_attention", "(2, 4, 6)", "(2, 5, 4)"});
  refuses<ShapeError>(
      [&] {
        attention_weights(wide, z({B, S, 4}), H);
      },
      {"attention_weights", "(2, 4, 6)", "(2, 5, 4)"});
}

namespace {

/// Settings whose documents share rows of `tokens`.
std::vector<Setting> packed_settings(int64_t tokens) {
  const Mask packed = Mask::documents({{0, 1, tokens / 3}, {0, tokens / 2}});
  const Shape square{B, H, tokens, tokens};
  return {{"packed", packed},
          {"packed, causal", packed & Mask::causal()},
          {"packed, window", packed & Mask::window(2)},
          {"packed, lengths", packed & Mask::causal() & Mask::lengths({tokens - 1, tokens / 3})},
          {"packed, mask", packed & Mask::allowed(allowed(square))},
          {"packed, bias", packed & Mask::causal(), {1, H, tokens, tokens}, true},
          {"packed, bias of keys", packed & Mask::causal(), {B, 1, 1, tokens}, true},
          {"packed, slopes", packed, {}, false, {}, 0, {0.5, 0.25, 0.125}},
          {"packed, dropout", packed & Mask::causal(), {}, false, {}, 0.4}};
}

}  // namespace

TEST_CASE("attention: documents that share rows, fused against composed and against a mask of all pairs") {
  for (const int64_t tokens : {7, 150})
    for (const Setting& setting : packed_settings(tokens)) {
      CAPTURE(tokens);
      CAPTURE(setting.name);
      const std::vector<Draw> draws = draws_for(setting, {B, H, tokens, D}, {B, H, tokens, D});
      check_composed(
          apart(setting),
          [&](const std::vector<Tensor>& in) {
            const RandomScope random({.seed = 4});
            return composed::attention(in[0], in[1], in[2], options_of(setting, in));
          },
          draws);
      if (setting.dropout > 0) continue;
      Setting dense = setting;
      dense.mask = Mask::allowed(setting.mask.dense(B, H, tokens, tokens));
      check_composed(apart(setting), apart(dense), draws);
    }
}

TEST_CASE("attention: a document has the bits that it has alone, and so have its gradients, in both types") {
  const Mask packed = Mask::causal() & Mask::documents({{0, 70, 75}, {0, 100}});
  const std::vector<Document> documents = documents_of(packed.begins, 2, 150);
  for (const DType dtype : {float32, float64}) {
    CAPTURE(std::string(name_of(dtype)));
    const std::vector<Tensor> in = drawn("alone", {{{2, 150, 6}}, {{2, 150, 6}}, {{2, 150, 6}}}, dtype);
    const Tensor whole = multi_head_attention(in[0], in[1], in[2], H, {packed});
    const std::vector<Tensor> grads = grad({sum(square(whole))}, in);
    for (const Document& of : documents) {
      CAPTURE(of.first);
      const auto own = [&](const Tensor& x) {
        const NoGrad no_grad;
        return slice(slice(x, 0, of.row, of.row + 1), 1, of.first, of.first + of.tokens).value();
      };
      std::vector<Tensor> one;
      for (const Tensor& x : in) one.emplace_back(own(x), true);
      const Tensor y = multi_head_attention(one[0], one[1], one[2], H, {Mask::causal()});
      CHECK(own(whole).identical(y.value()));
      const std::vector<Tensor> found = grad({sum(square(y))}, one);
      for (size_t k = 0; k < 3; ++k) CHECK(own(grads[k]).identical(found[k].value()));
    }
  }
  const Tensor x = zeros({2, 150, 6});
  refuses<ValueError>([&] { multi_head_attention(x, x, x, H, {Mask::documents({{0}})}); },
                      {"multi_head_attention", "of 1 rows"});
  const Tensor few = zeros({2, 9, 6});
  refuses<ValueError>([&] { multi_head_attention(x, few, few, H, {packed}); },
                      {"multi_head_attention", "keys"});
}

}  // namespace weft::test
