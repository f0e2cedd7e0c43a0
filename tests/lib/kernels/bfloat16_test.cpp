// What kernels compute of bfloat16: that of float32, rounded once; and products by their own rule.
#include <doctest/doctest.h>
#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/lib/kernels/fused/attention.h>
#include <weft/lib/kernels/fused/fused.h>
#include <weft/lib/kernels/fused/rotary.h>
#include <weft/lib/kernels/movement.h>
#include <weft/lib/kernels/products/matmul.h>
#include <weft/lib/kernels/reduce.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include "checks.h"
#include "lib/isa/whole_pairs.h"
#include "lib/naive.h"

using namespace weft;
using namespace weft::kernels;
using test::refuses;

namespace {

Array narrow_random(const Shape& shape, unsigned seed = 1) {
  return naive::random(shape, float32, seed).to(bfloat16);
}

Array wide(const Array& x) { return x.defined() && x.dtype() == bfloat16 ? x.to(float32) : x; }

/// 0, with its sign, for a subnormal number.
float flushed(float x) { return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.0f, x) : x; }

/// Element (i, j) of C + A B by the rule of matmul.h, A (m, k) and B (k, n) of values that bfloat16 holds.
float chain(const Array& a, const Array& b, int64_t i, int64_t j, float sum) {
  const int64_t k = a.dim(1), n = b.dim(1);
  const auto left = [&](int64_t p) { return p < k ? flushed(a.data<float>()[i * k + p]) : 0.0f; };
  const auto right = [&](int64_t p) { return p < k ? flushed(b.data<float>()[p * n + j]) : 0.0f; };
  sum = flushed(sum);
  for (int64_t p = 0; p < k; p += 2) {
    sum = flushed(std::fma(left(p + 1), right(p + 1), sum));
    sum = flushed(std::fma(left(p), right(p), sum));
  }
  return sum;
}

Array product(const Array& a, const Array& b, const Array& begin = {}) {
  Array c({a.dim(0), b.dim(1)}, float32);
  for (int64_t i = 0; i < a.dim(0); ++i)
    for (int64_t j = 0; j < b.dim(1); ++j)
      c.mutable_data<float>()[i * b.dim(1) + j] =
          chain(a, b, i, j, begin.defined() ? begin.data<float>()[i * b.dim(1) + j] : 0.0f);
  return c;
}

Array turned(const Array& x) {
  const int order[] = {1, 0};
  return permute(x, order);
}

}  // namespace

TEST_CASE("bfloat16: every pattern widens and rounds as base/bfloat16.h says, on every instruction set") {
  std::vector<uint16_t> all(1 << 16);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint16_t>(i);
  std::vector<float> some;
  for (uint32_t upper = 0; upper < (1u << 16); ++upper)
    for (const uint32_t lower : {0u, 1u, 0x7FFFu, 0x8000u, 0x8001u, 0xFFFFu})
      some.push_back(std::bit_cast<float>(upper << 16 | lower));
  some.resize(some.size() - 3);  // no whole vectors
  for (const isa::Set set : {isa::Set::scalar, isa::Set::avx2, isa::Set::avx512}) {
    if (!isa::supported(set)) continue;
    CAPTURE(isa::name_of(set));
    const isa::ElementwiseFunctions& f = isa::table_of(set).elementwise;
    std::vector<float> widened(all.size());
    f.widen(all.data(), widened.data(), std::ssize(all));
    std::vector<uint16_t> narrowed(some.size());
    f.narrow(some.data(), narrowed.data(), std::ssize(some));
    size_t wrong = 0;
    for (size_t i = 0; i < all.size(); ++i)
      wrong += std::bit_cast<uint32_t>(widened[i]) != std::bit_cast<uint32_t>(float_of_bfloat16(all[i]));
    for (size_t i = 0; i < some.size(); ++i) wrong += narrowed[i] != bfloat16_of(some[i]);
    CHECK(wrong == 0);
  }
}

TEST_CASE("bfloat16: an array converts, fills, and tells of infinities") {
  const Array x = Array::from({1.0f, -2.5f, 3.14159f}, {3}).to(bfloat16);
  CHECK(x.nbytes() == 6);
  CHECK(x.at({1}) == -2.5);
  CHECK(x.to(float64).at({2}) == double{float_of_bfloat16(bfloat16_of(3.14159f))});
  CHECK(Array::full({2}, 0.1, bfloat16).at({1}) == double{float_of_bfloat16(bfloat16_of(0.1f))});
  CHECK(x.all_finite());
  CHECK_FALSE(Array::full({2}, INFINITY, bfloat16).all_finite());
  CHECK(x.to(boolean).to(int32).at({0}) == 1);
  CHECK(Array::arange(4, bfloat16).at({3}) == 3);
  CHECK_THROWS_AS(DTypeScope{bfloat16}, TypeError);
}

namespace {

void check_chains() {
  struct Sizes {
    int64_t m, n, k;
  };
  for (const auto& [m, n, k] :
       {Sizes{1, 1, 1}, Sizes{7, 5, 3}, Sizes{64, 48, 33}, Sizes{1, 70, 128}, Sizes{70, 1, 129},
        Sizes{200, 130, 700}, Sizes{40, 300, 1201}, Sizes{610, 33, 4200}, Sizes{5, 9, 0}}) {
    CAPTURE(m);
    CAPTURE(n);
    CAPTURE(k);
    const Array a = narrow_random({m, k}, 1), floats = naive::random({k, n}, float32, 2),
                b = floats.to(bfloat16);
    const Array expected = product(wide(a), wide(b));
    // Either factor as it is or turned, and of floats that are rounded.
    CHECK(matmul(a, b).identical(expected.to(bfloat16)));
    CHECK(matmul(a, floats).identical(expected.to(bfloat16)));
    CHECK(matmul(turned(a), b, true, false).identical(expected.to(bfloat16)));
    CHECK(matmul(a, turned(floats), false, true).identical(expected.to(bfloat16)));
    CHECK(matmul(turned(wide(a)), turned(b), true, true).identical(expected.to(bfloat16)));
    const Array begin = naive::random({m, n}, float32, 3), bias = naive::random({n}, float32, 4);
    Array sum = begin.copy();
    accumulate_outer(sum, turned(a).reshape({1, k, m}), b.reshape({1, k, n}));
    CHECK(sum.identical(product(wide(a), wide(b), begin)));
    Array fresh({m, n}, float32);
    accumulate_outer(fresh, turned(a).reshape({1, k, m}), floats.reshape({1, k, n}), true);
    CHECK((k == 0 || fresh.identical(expected)));
    const Array with_bias = binary(Binary::add, expected, bias).to(bfloat16);
    CHECK(linear(a, turned(floats), bias).identical(with_bias));
    if (m * n * k > 1'000'000) continue;
    naive::same_for_threads([&] { return linear(a, turned(floats), bias); });
  }
}

void check_subnormal() {
  const float tiny = std::numeric_limits<float>::denorm_min() * 0x1p16f, small = 0x1p-100f, inf = INFINITY;
  const Array a =
      Array::from({tiny, small, -small, 1.0f, inf, 0.0f, 1.0f, -inf, NAN, 2.0f}, {5, 2}).to(bfloat16);
  const Array b = Array::from({0x1p100f, 1.0f, small, 1.0f}, {2, 2}).to(bfloat16);
  REQUIRE(std::fpclassify(a.to(float32).at({0, 0})) != FP_ZERO);
  const Array found = matmul(a, b), expected = product(wide(a), wide(b)).to(bfloat16);
  CHECK(test::difference(found, expected, 0).empty());
  CHECK(found.at({0, 0}) == 0);  // 2^-133 2^100 would be a number
  CHECK(matmul(wide(a), wide(b)).at({0, 0}) > 0);
  CHECK(found.at({1, 0}) == -1);
}

/// By the functions that this processor would take, by whole pairs, and by vdpbf16ps where it is.
template <class F>
void for_all_pairs(F check) {
  check();
  {
    const isa::PairsBy loops(test::whole_pairs_by_loops());
    check();
  }
  if (!isa::bf16_supported()) {
    MESSAGE("skipped: vdpbf16ps, which this processor lacks");
    return;
  }
  const isa::PairsBy instruction(isa::avx512_bf16_functions);
  check();
}

}  // namespace

TEST_CASE("bfloat16: a product is one chain an element, over pairs whose second comes first") {
  for_all_pairs(check_chains);
}

TEST_CASE("bfloat16: subnormal factors and sums of a product are zeros, and what is no number stays so") {
  for_all_pairs(check_subnormal);
}

TEST_CASE(
    "bfloat16: pairs begin anew with each sample, so that parts of a batch gather to the bits of the whole") {
  for (const int64_t tokens : {1, 3, 4}) {
    CAPTURE(tokens);
    const Array dy = narrow_random({4, tokens, 6}, 1), x = narrow_random({4, tokens, 5}, 2);
    Array whole = Array::zeros({6, 5}, float32), parts = Array::zeros({6, 5}, float32);
    accumulate_outer(whole, dy, x);
    for (int64_t at = 0; at < 4; ++at)
      accumulate_outer(parts, slice(dy, 0, at, at + 1), slice(x, 0, at, at + 1));
    CHECK(parts.identical(whole));
  }
}

TEST_CASE("bfloat16: several products by several matrices are those of float32") {
  const Array a = narrow_random({3, 7, 9}, 1), b = narrow_random({3, 9, 5}, 2);
  CHECK(matmul(a, b).identical(matmul(wide(a), wide(b)).to(bfloat16)));
}

TEST_CASE("bfloat16: elementwise operations are those of float32, rounded") {
  const Array x = narrow_random({37, 91}), y = narrow_random({37, 91}, 2),
              row = naive::random({91}, float32, 3);
  for (int kind = 0; kind <= static_cast<int>(Unary::gelu_tanh); ++kind) {
    const auto op = static_cast<Unary>(kind);
    CAPTURE(name_of(op));
    CHECK(test::difference(unary(op, x), unary(op, wide(x)).to(bfloat16), 0).empty());
  }
  for (int kind = 0; kind <= static_cast<int>(UnaryGrad::gelu_tanh); ++kind) {
    const auto op = static_cast<UnaryGrad>(kind);
    CHECK(unary_grad(op, x, y.copy()).identical(unary_grad(op, wide(x), wide(y).copy()).to(bfloat16)));
  }
  for (int kind = 0; kind <= static_cast<int>(Binary::minimum); ++kind) {
    const auto op = static_cast<Binary>(kind);
    CAPTURE(name_of(op));
    const Array positive = unary(Unary::abs, x);
    CHECK(binary(op, positive, y).identical(binary(op, wide(positive), wide(y)).to(bfloat16)));
    CHECK(binary(op, positive, row).identical(binary(op, wide(positive), row)));
    CHECK(binary(op, row.reshape({91, 1}), unary(Unary::abs, row).to(bfloat16))
              .identical(binary(op, row.reshape({91, 1}), wide(unary(Unary::abs, row).to(bfloat16)))));
    CHECK(binary(op, positive, 0.3).identical(binary(op, wide(positive), 0.3).to(bfloat16)));
    CHECK(binary(op, 0.3, y).identical(binary(op, 0.3, wide(y)).to(bfloat16)));
  }
  CHECK(clamp(x, -0.25, 0.5).identical(clamp(wide(x), -0.25, 0.5).to(bfloat16)));
  CHECK(compare(Compare::lt, x, row).identical(compare(Compare::lt, wide(x), row)));
  CHECK(compare(Compare::ge, x, 0.1).identical(compare(Compare::ge, wide(x), 0.1)));
  const Array chosen = compare(Compare::gt, x, 0.0);
  CHECK(where(chosen, x, row).identical(where(chosen, wide(x), row).to(bfloat16)));
  Array sum = x.copy(), scaled = x.copy();
  add_into(sum, y), scale_into(scaled, 0.7);
  CHECK(sum.identical(binary(Binary::add, wide(x), wide(y)).to(bfloat16)));
  CHECK(scaled.identical(binary(Binary::mul, wide(x), 0.7).to(bfloat16)));
  const Array long_rows = narrow_random({3, 40'000});
  CHECK(dropout(long_rows, 0.3, {5, 6}, 7).identical(dropout(wide(long_rows), 0.3, {5, 6}, 7).to(bfloat16)));
  refuses<TypeError>([&] { binary(Binary::add, x, wide(y).to(float64)); }, {"add", "bfloat16", "float64"});
}

TEST_CASE("bfloat16: sums are of float32; rows are moved, gathered and added") {
  const Array x = narrow_random({6, 4, 70});
  const std::vector<int> last{-1}, first{0};
  CHECK(sum(x, last, false).identical(sum(wide(x), last, false)));
  CHECK(sum(x, first, true).identical(sum(wide(x), first, true)));
  CHECK(max(x, last, false).identical(max(wide(x), last, false).to(bfloat16)));
  CHECK(argmax(x, 2, false).identical(argmax(wide(x), 2, false)));
  for (const Shape& shape : {Shape{70}, Shape{4, 70}, Shape{4, 1}}) {
    Array into = naive::random(shape, float32, 9), expected = into.copy();
    accumulate_to(into, x);
    accumulate_to(expected, wide(x));
    CHECK(into.identical(expected));
  }
  CHECK(squared_norm(x) == squared_norm(wide(x)));
  CHECK(max_abs(x) == max_abs(wide(x)));
  const int order[] = {2, 0, 1};
  CHECK(permute(x, order).identical(permute(wide(x), order).to(bfloat16)));
  CHECK(cat({x, wide(x)}, 1).identical(cat({wide(x), wide(x)}, 1)));
  CHECK(cat({wide(x), x}, 1).dtype() == float32);
  const Array ids = naive::random_ids({5}, 6), rows = narrow_random({5, 70}, 4);
  Array table = naive::random({6, 70}, float32, 5), expected = table.copy();
  add_rows(table, ids, rows);
  add_rows(expected, ids, wide(rows));
  CHECK(table.identical(expected));
}

TEST_CASE("bfloat16: norms, cross-entropy and rotary positions are those of float32, rounded") {
  const Array x = narrow_random({70, 33}), dy = narrow_random({70, 33}, 2),
              weight = naive::random({33}, float32, 3), bias = naive::random({33}, float32, 4);
  for (const bool centred : {true, false}) {
    const auto run = [&](const Array& of) {
      return centred ? layer_norm(of, weight, bias, 1e-5) : rms_norm(of, weight, 1e-5);
    };
    const LayerNormResult found = run(x), expected = run(wide(x));
    CHECK(found.y.identical(expected.y.to(bfloat16)));
    CHECK(found.rstd.identical(expected.rstd));
    CHECK(layer_norm_grad_x(dy.copy(), x, weight, found.mean, found.rstd)
              .identical(layer_norm_grad_x(wide(dy), wide(x), weight, found.mean, found.rstd).to(bfloat16)));
    Array d_weight = weight.copy(), d_bias = bias.copy(), wide_weight = weight.copy(),
          wide_bias = bias.copy();
    layer_norm_accumulate(&d_weight, &d_bias, dy, x, found.mean, found.rstd);
    layer_norm_accumulate(&wide_weight, &wide_bias, wide(dy), wide(x), found.mean, found.rstd);
    CHECK(d_weight.identical(wide_weight));
    CHECK(d_bias.identical(wide_bias));
  }
  CHECK_THROWS_AS(layer_norm(x, weight, bias, 1e-5, float64), TypeError);
  Array targets = naive::random_ids({70}, 33);
  targets.mutable_data<int64_t>()[3] = -100;
  const CrossEntropyResult loss = cross_entropy(x, targets, -100, 0.1),
                           of_floats = cross_entropy(wide(x), targets, -100, 0.1);
  CHECK(loss.sum == of_floats.sum);
  CHECK(loss.lse.identical(of_floats.lse));
  CHECK(cross_entropy_grad(x.copy(), targets, loss.lse, -100, 0.1, 0.5)
            .identical(cross_entropy_grad(wide(x), targets, loss.lse, -100, 0.1, 0.5).to(bfloat16)));
  const Array heads = narrow_random({2, 9, 24}), table = rotary_table(9, 8, 10000.0, 2, float32);
  CHECK(rotary(heads, table, false).identical(rotary(wide(heads), table, false).to(bfloat16)));
  CHECK(rotary(heads, table, true).identical(rotary(wide(heads), table, true).to(bfloat16)));
}

TEST_CASE("bfloat16: a norm that keeps xhat gives the gradients of one that keeps x") {
  // The mean of a row is far from its spread: x in bfloat16 would tell xhat to a few bits only.
  const Array x = binary(Binary::add, naive::random({70, 133}), 30.0), dy = narrow_random({70, 133}, 2),
              weight = naive::random({133}, float32, 3), bias = naive::random({133}, float32, 4);
  for (const bool centred : {true, false}) {
    const auto run = [&](const Array& w, const Array& b, DType dtype) {
      return centred ? layer_norm(x, w, b, 1e-5, dtype) : rms_norm(x, w, 1e-5, dtype);
    };
    const LayerNormResult kept = run({}, {}, bfloat16), exact = run({}, {}, float32);
    const auto& [xhat, mean, rstd] = kept;
    CHECK(xhat.identical(exact.y.to(bfloat16)));
    CHECK(rstd.identical(exact.rstd));
    const Array shift = centred ? bias : Array();
    const Array scaled = binary(Binary::mul, wide(xhat), weight);
    CHECK(scale_and_shift(xhat, weight, shift)
              .identical((centred ? binary(Binary::add, scaled, bias) : scaled).to(bfloat16)));
    CHECK(scale_and_shift(wide(xhat), weight, {}).identical(scaled));

    // Of rows with mean 0 and rstd 1, x is xhat.
    const Array zeros = centred ? Array::zeros({70}) : Array(), ones = Array::ones({70});
    const Array dx = layer_norm_grad_x(wide(dy), wide(xhat), weight, zeros, ones);
    CHECK(normalized_grad_x(dy, xhat, weight, mean, ones, float32).identical(dx));
    CHECK(normalized_grad_x(dy, xhat, weight, mean, ones, bfloat16).identical(dx.to(bfloat16)));
    const Array by_row = binary(Binary::mul, dx, rstd.reshape({70, 1})),
                found = normalized_grad_x(dy, xhat, weight, mean, rstd, float32);
    const Array apart = binary(Binary::sub, found, by_row);
    CHECK(max_abs(apart) <= 1e-6 * max_abs(by_row));

    Array d_weight = weight.copy(), d_bias = bias.copy(), same_weight = weight.copy(),
          same_bias = bias.copy();
    normalized_accumulate(&d_weight, &d_bias, dy, xhat);
    layer_norm_accumulate(&same_weight, &same_bias, wide(dy), wide(xhat), zeros, ones);
    CHECK(d_weight.identical(same_weight));
    CHECK(d_bias.identical(same_bias));
    refuses<ShapeError>(
        [&] {
          normalized_accumulate(&d_weight, nullptr, dy.reshape({133, 70}), xhat);
        },
        {"dy"});
    refuses<TypeError>([&] { normalized_grad_x(dy, xhat, weight, mean, rstd, float64); }, {"float64"});
  }
}

TEST_CASE(
    "bfloat16: attention is that of float32, rounded, with groups, masks, windows, documents and dropout") {
  struct Variant {
    const char* name;
    int64_t T, S, group = 1;
    bool causal = true;
    int64_t window = 0;
    double dropout = 0;
    bool documents = false, bias = false;
  };
  for (const Variant& v :
       {Variant{"causal", 150, 150}, Variant{"whole", 70, 90, 1, false}, Variant{"grouped", 70, 70, 2},
        Variant{"window", 200, 200, 1, true, 40}, Variant{"dropout", 66, 66, 1, true, 0, 0.2},
        Variant{"documents", 130, 130, 2, true, 0, 0, true},
        Variant{"bias", 70, 90, 1, false, 0, 0, false, true}}) {
    CAPTURE(v.name);
    const int64_t B = 2, H = 4, D = 24, G = H / v.group;
    const Array q = narrow_random({B, v.T, H * D}, 1), k = narrow_random({B, v.S, G * D}, 2),
                value = narrow_random({B, v.S, G * D}, 3), d_out = narrow_random({B, v.T, H * D}, 4);
    const std::vector<Document> documents{{0, 0, 50}, {0, 50, 80}, {1, 0, 130}};
    const Array bias = naive::random({1, H, v.T, v.S}, float32, 5);
    AttentionProblem x{.B = B,
                       .H = H,
                       .T = v.T,
                       .S = v.S,
                       .D = D,
                       .scale = 0.3,
                       .group = v.group,
                       .causal = v.causal,
                       .window = v.window,
                       .dropout = v.dropout,
                       .dropout_key = {3, 4}};
    if (v.documents) x.documents = documents;
    if (v.bias) x.bias = bias.data<float>(), x.bias_head = v.T * v.S;
    const auto run = [&]<class T>(T) {
      const auto as = [](const Array& of) { return of.to(dtype_of<T>()); };
      const auto view = [&](auto* data, const Array& of) {
        return HeadView<std::remove_pointer_t<decltype(data)>>{data, of.dim(1) * of.dim(2), D, of.dim(2)};
      };
      const Array in[] = {as(q), as(k), as(value), as(d_out)};
      const auto read = [&](const Array& of) { return view(of.data<T>(), of); };
      Array out(q.shape(), dtype_of<T>()), lse({B, H, v.T}, float32),
          dq = out.copy(), dk(k.shape(), dtype_of<T>()), dv = dk.copy(),
          d_bias = Array::zeros(bias.shape(), float32);
      const auto write = [&](Array& of) { return view(of.mutable_data<T>(), of); };
      attention(x, read(in[0]), read(in[1]), read(in[2]), write(out), lse.mutable_data<float>());
      // Of one rounding: both pass on the same result.
      const Array passed = out.to(bfloat16).to(dtype_of<T>());
      attention_grad(x, read(in[0]), read(in[1]), read(in[2]), read(passed), lse.data<float>(), read(in[3]),
                     write(dq), write(dk), write(dv), v.bias ? d_bias.mutable_data<float>() : nullptr);
      return std::vector<Array>{out, lse, dq, dk, dv, d_bias};
    };
    const std::vector<Array> found = run(BFloat16{}), expected = run(float{});
    for (size_t i = 0; i < found.size(); ++i) {
      CAPTURE(i);
      CHECK(found[i].identical(expected[i].to(found[i].dtype())));
    }
  }
}
