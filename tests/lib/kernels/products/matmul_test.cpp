#include <doctest/doctest.h>
#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/products/matmul.h>
#include <weft/lib/machine/parallel.h>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "lib/naive.h"
#include "lib/threads.h"

namespace {

using namespace weft;
using kernels::MatrixView;
using test::Threads;

std::vector<float> random_floats(int64_t count, unsigned seed) {
  const Array x = naive::random({count}, float32, seed);
  return {x.values<float>().begin(), x.values<float>().end()};
}

struct Case {
  int64_t m, n, k;
  bool transpose_a, transpose_b, accumulate, bias;
};

/// Operands of one case, C with three floats between its rows.
struct Operands {
  explicit Operands(const Case& x)
      : a(random_floats(x.m * x.k, 1)),
        b(random_floats(x.k * x.n, 2)),
        c(random_floats(x.m * (x.n + 3), 3)),
        bias(random_floats(x.n, 4)) {}
  std::vector<float> a, b, c, bias;
};

MatrixView<float> view_a(const Case& x, const Operands& o) {
  return x.transpose_a ? MatrixView<float>{o.a.data(), 1, x.m} : MatrixView<float>{o.a.data(), x.k, 1};
}
MatrixView<float> view_b(const Case& x, const Operands& o) {
  return x.transpose_b ? MatrixView<float>{o.b.data(), 1, x.k} : MatrixView<float>{o.b.data(), x.n, 1};
}

/// The definition: one chain in k order from the value in C.
std::vector<float> chains(const Case& x, const Operands& o) {
  std::vector<float> c = o.c;
  const auto a = view_a(x, o), b = view_b(x, o);
  for (int64_t i = 0; i < x.m; ++i)
    for (int64_t j = 0; j < x.n; ++j) {
      float& value = c[static_cast<size_t>(i * (x.n + 3) + j)];
      float sum = x.accumulate ? value : 0.0f;
      for (int64_t p = 0; p < x.k; ++p)
        sum = std::fma(a.data[i * a.row + p * a.column], b.data[p * b.row + j * b.column], sum);
      value = x.bias ? sum + o.bias[static_cast<size_t>(j)] : sum;
    }
  return c;
}

std::vector<float> by_gemm(const Case& x, Operands o) {
  kernels::gemm(x.m, x.n, x.k, view_a(x, o), view_b(x, o), o.c.data(), x.n + 3, x.accumulate,
                x.bias ? o.bias.data() : nullptr);
  return o.c;
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

std::string name(const Case& x) {
  return str(x.m, " x ", x.n, " x ", x.k, x.transpose_a ? " a^T" : "", x.transpose_b ? " b^T" : "",
             x.accumulate ? " +=" : "", x.bias ? " bias" : "");
}

void check_chains(int64_t m, int64_t n, int64_t k) {
  for (int flags = 0; flags < 16; ++flags) {
    const Case x{m, n, k, (flags & 1) != 0, (flags & 2) != 0, (flags & 4) != 0, (flags & 8) != 0};
    const Operands o(x);
    if (!same_bits(by_gemm(x, o), chains(x, o))) FAIL_CHECK(name(x));
  }
}

}  // namespace

TEST_CASE("gemm: every element is one chain in k order, at every edge") {
  for (const int64_t m : {0, 1, 2, 15, 17, 33})
    for (const int64_t n : {0, 1, 2, 15, 16, 17, 31, 33, 65})
      for (const int64_t k : {0, 1, 2, 15, 16, 17, 33}) check_chains(m, n, k);
}

TEST_CASE("gemm: the same through all cuts") {
  check_chains(1, 300, 517);
  check_chains(300, 1, 517);
  check_chains(5, 700, 530);
  check_chains(700, 5, 530);
  check_chains(64, 64, 700);
  check_chains(131, 150, 260);
  check_chains(301, 290, 40);
  check_chains(300, 65, 150);  // all but the last column, and it; or turned
  check_chains(333, 37, 700);
  const Case far_and_turned{1530, 70, 600, true, false, true, true};
  CHECK(same_bits(by_gemm(far_and_turned, Operands(far_and_turned)),
                  chains(far_and_turned, Operands(far_and_turned))));
  for (const bool packed : {false, true}) {  // turned, with more rows than columns
    const Case wider{260, 305, 600, true, !packed, packed, true};
    CHECK(same_bits(by_gemm(wider, Operands(wider)), chains(wider, Operands(wider))));
  }
  const Case wide{60, 70, 4500, false, true, true, true};  // more than one block of what is packed at a time
  CHECK(same_bits(by_gemm(wide, Operands(wide)), chains(wide, Operands(wide))));
  const Case broad{70, 2100, 1100, true, true, false, true};
  CHECK(same_bits(by_gemm(broad, Operands(broad)), chains(broad, Operands(broad))));
  const Case tall{2100, 70, 1100, false, false, true, false};
  CHECK(same_bits(by_gemm(tall, Operands(tall)), chains(tall, Operands(tall))));
  for (const bool packed : {false, true}) {  // panels and tiles beyond what the caches hold
    const Case large{410, 400, 1000, packed, false, packed, true};
    CHECK(same_bits(by_gemm(large, Operands(large)), chains(large, Operands(large))));
  }
}

TEST_CASE("gemm: the number of threads changes nothing") {
  for (const Case x :
       {Case{1, 900, 700, false, true, false, true}, Case{9, 900, 300, false, true, false, true},
        Case{310, 330, 290, true, false, true, false}}) {
    const Operands o(x);
    const Threads one(1);
    const std::vector<float> expected = by_gemm(x, o);
    for (int threads = 2; threads <= 4; ++threads) {
      const Threads several(threads);
      CHECK_MESSAGE(same_bits(by_gemm(x, o), expected), name(x));
    }
  }
}

TEST_CASE("gemm: a row alone, and a batch in pieces, give the bits of the whole") {
  const Case x{70, 150, 200, false, true, false, true};
  const Operands o(x);
  const std::vector<float> whole = by_gemm(x, o);
  for (const int64_t row : {0, 13, 14, 69}) {
    std::vector<float> y(150);
    kernels::gemm(1, 150, 200, {o.a.data() + row * 200, 200, 1}, view_b(x, o), y.data(), 150, false,
                  o.bias.data());
    CHECK(std::memcmp(y.data(), whole.data() + row * 153, 150 * sizeof(float)) == 0);
  }
  const Array dy = Array::from(random_floats(90 * 40, 5), {90, 40}),
              in = Array::from(random_floats(90 * 50, 6), {90, 50});
  Array at_once = Array::from(random_floats(2000, 7), {40, 50}), in_pieces = at_once.copy();
  kernels::accumulate_outer(at_once, dy, in);
  for (int64_t row = 0; row < 90; row += 30) {
    kernels::accumulate_outer(
        in_pieces, Array::from(dy.values<float>().subspan(static_cast<size_t>(row) * 40, 1200), {30, 40}),
        Array::from(in.values<float>().subspan(static_cast<size_t>(row) * 50, 1500), {30, 50}));
  }
  CHECK(at_once.identical(in_pieces));
}

TEST_CASE("gemm: many threads cut a product in both axes, to the same bits") {
  // Streamed along rows and along columns, with a last slice that is shorter, in one block of k and in several.
  for (const auto& [m, n, k] :
       {std::array<int64_t, 3>{200, 150, 400}, {150, 200, 400}, {600, 70, 1300}, {70, 600, 1300}}) {
    const Array x = Array::from(random_floats(m * k, 1), {m, k}),
                w = Array::from(random_floats(n * k, 2), {n, k}),
                bias = Array::from(random_floats(n, 3), {n});
    const auto made = [&](int threads) {
      const Threads scope(threads);
      Array outer = kernels::matmul(x, w, false, true);
      kernels::accumulate_outer(outer, x.reshape({k, m}), w.reshape({k, n}));
      return std::vector<Array>{kernels::linear(x, w, bias), outer, kernels::linear(x.to(bfloat16), w, bias)};
    };
    const std::vector<Array> expected = made(1);
    for (const int threads : {17, 40, 64}) {
      const std::vector<Array> found = made(threads);
      for (size_t i = 0; i < found.size(); ++i) CHECK(found[i].identical(expected[i]));
    }
  }
}

TEST_CASE("gemm: the instruction sets give the same bits, packed, in place and row by row") {
  const isa::GemmFunctions& scalar = isa::table_of(isa::Set::scalar).gemm;
  for (const isa::Set set : {isa::Set::avx2, isa::Set::avx512}) {
    if (!isa::supported(set)) {
      MESSAGE("skipped: this processor lacks ", std::string(isa::name_of(set)));
      continue;
    }
    const isa::GemmFunctions& wide = isa::table_of(set).gemm;
    for (int flags = 0; flags < 4; ++flags) {
      const Case x{19, 37, 41, (flags & 1) != 0, (flags & 2) != 0, false, true};
      const Operands o(x);
      const auto a = view_a(x, o), b = view_b(x, o);
      const isa::Operand left{a.data, a.row, a.column}, right{b.data, b.row, b.column};
      const auto in_place = [&](const isa::GemmFunctions& f) {
        std::vector<float> c(19 * 37);
        f.multiply(19, 37, 41, left, right, c.data(), 37, false, o.bias.data());
        return c;
      };
      const auto rows = [&](const isa::GemmFunctions& f) {
        std::vector<float> c(19 * 37);
        for (int i = 0; i < 19; ++i)
          f.multiply_row(37, 41, a.data + i * a.row, a.column, right, c.data() + i, 19, false, o.bias.data());
        return c;
      };
      const auto packed = [&](const isa::GemmFunctions& f) {
        std::vector<float> c(19 * 37), pa(static_cast<size_t>(5 * 41 * 16)), pb(static_cast<size_t>(41 * 64));
        f.pack_a(19, 41, f.rows, left, pa.data());
        f.pack_b(41, 37, right, pb.data());
        f.multiply_block({.m = 19,
                          .n = 37,
                          .k = 41,
                          .height = f.rows,
                          .a_panels = pa.data(),
                          .a = {},
                          .b_panels = pb.data(),
                          .c = c.data(),
                          .c_row = 37,
                          .turned = false,
                          .accumulate = false,
                          .bias = o.bias.data(),
                          .tiles_far = true,
                          .panels_far = true,
                          .next = {left.data, 1, 19 * 41, 0}});
        return c;
      };
      CHECK(same_bits(in_place(wide), in_place(scalar)));
      CHECK(same_bits(rows(wide), rows(scalar)));
      CHECK(same_bits(packed(wide), packed(scalar)));
      CHECK(same_bits(packed(wide), in_place(wide)));
    }
  }
}

TEST_CASE("gemm: NaN and infinity come through, and stay in their row and column") {
  Operands o({20, 40, 30, false, false, false, false});
  o.a[5 * 30 + 7] = std::numeric_limits<float>::quiet_NaN();
  o.b[3 * 40 + 9] = std::numeric_limits<float>::infinity();
  std::vector<float> c(800);
  kernels::gemm(20, 40, 30, MatrixView<float>{o.a.data(), 30, 1}, MatrixView<float>{o.b.data(), 40, 1},
                c.data(), 40, false);
  for (size_t i = 0; i < 20; ++i)
    for (size_t j = 0; j < 40; ++j) CHECK(std::isfinite(c[i * 40 + j]) == (i != 5 && j != 9));
}

TEST_CASE_TEMPLATE("matmul: leading axes broadcast, either side transposed", T, float, double) {
  const auto make = [](const Shape& shape, unsigned seed) {
    return Array::from(random_floats(shape.size(), seed), shape).to(dtype_of<T>());
  };
  struct Shapes {
    Shape a, b, y;
  };
  for (const Shapes& shapes :
       {Shapes{{3, 4}, {4, 5}, {3, 5}}, Shapes{{2, 3, 4}, {4, 5}, {2, 3, 5}},
        Shapes{{4, 3, 2}, {6, 1, 2, 5}, {6, 4, 3, 5}}, Shapes{{2, 1, 3, 7}, {2, 3, 7, 1}, {2, 3, 3, 1}},
        Shapes{{1, 1, 1}, {5, 1, 1}, {5, 1, 1}}, Shapes{{2, 0, 3}, {2, 3, 4}, {2, 0, 4}},
        Shapes{{2, 3, 0}, {2, 0, 4}, {2, 3, 4}}, Shapes{{0, 3, 2}, {2, 4}, {0, 3, 4}},
        Shapes{{3, 200, 90}, {3, 90, 170}, {3, 200, 170}}}) {
    const Shape &sa = shapes.a, &sb = shapes.b, &sy = shapes.y;
    const auto swapped = [](const Shape& s) { return s.with(-2, s.dim(-1)).with(-1, s.dim(-2)); };
    for (int flags = 0; flags < 4; ++flags) {
      const bool ta = flags & 1, tb = flags & 2;
      const Array a = make(ta ? swapped(sa) : sa, 1), b = make(tb ? swapped(sb) : sb, 2);
      const Array y = kernels::matmul(a, b, ta, tb);
      REQUIRE(y.shape() == sy);
      REQUIRE(y.dtype() == dtype_of<T>());
      const int64_t m = sy.dim(-2), n = sy.dim(-1), k = sa.dim(-1);
      const auto offset = [&](int64_t flat, const Shape& s) {  // of the matrix that makes the flat-th result
        int64_t result = 0, step = m == 0 ? 0 : s.dim(-1) * s.dim(-2);
        for (int axis = 3; axis <= sy.rank(); ++axis) {
          const int64_t i = flat % sy.dim(-axis);
          flat /= sy.dim(-axis);
          if (axis > s.rank()) break;
          if (s.dim(-axis) > 1) result += i * step;
          step *= s.dim(-axis);
        }
        return result;
      };
      double worst = 0;
      for (int64_t e = 0; e < y.size(); ++e) {
        const int64_t batch = e / (m * n), i = e / n % m, j = e % n;
        const T* left = a.template data<T>() + offset(batch, sa);
        const T* right = b.template data<T>() + offset(batch, sb);
        double sum = 0;
        for (int64_t p = 0; p < k; ++p)
          sum += static_cast<double>(left[ta ? p * m + i : i * k + p]) *
                 static_cast<double>(right[tb ? j * k + p : p * n + j]);
        worst = std::max(worst, std::abs(sum - static_cast<double>(y.template data<T>()[e])));
      }
      CHECK(worst <= (sizeof(T) == 4 ? 2e-5 : 1e-13));
    }
  }
}

TEST_CASE("matmul: a batch of middling products gives the bits of each alone") {
  constexpr int64_t count = 8, m = 130, n = 72, k = 300;
  for (const bool ta : {false, true})
    for (const bool tb : {false, true}) {
      const Array a = naive::random(ta ? Shape{count, k, m} : Shape{count, m, k}, float32, 1);
      const Array b = naive::random(tb ? Shape{count, n, k} : Shape{count, k, n}, float32, 2);
      const Array y = kernels::matmul(a, b, ta, tb);
      for (int64_t i = 0; i < count; ++i) {
        std::vector<float> alone(static_cast<size_t>(m * n));
        kernels::gemm(m, n, k, MatrixView<float>{a.data<float>() + i * m * k, ta ? 1 : k, ta ? m : 1},
                      MatrixView<float>{b.data<float>() + i * k * n, tb ? 1 : n, tb ? k : 1}, alone.data(), n,
                      false);
        REQUIRE(std::memcmp(alone.data(), y.data<float>() + i * m * n, alone.size() * sizeof(float)) == 0);
      }
    }
}

TEST_CASE_TEMPLATE("linear and accumulate_outer against their formulas", T, float, double) {
  const Array x = Array::from(random_floats(2 * 9 * 20, 1), {2, 9, 20}).to(dtype_of<T>());
  const Array w = Array::from(random_floats(33 * 20, 2), {33, 20}).to(dtype_of<T>());
  const Array b = Array::from(random_floats(33, 3), {33}).to(dtype_of<T>());
  const Array plain = kernels::linear(x, w, Array()), y = kernels::linear(x, w, b);
  CHECK(y.shape() == Shape{2, 9, 33});
  Array dw = Array::full({33, 20}, 0.5, dtype_of<T>());
  kernels::accumulate_outer(dw, y, x);
  const auto at = [](const Array& array, int64_t i) { return static_cast<double>(array.data<T>()[i]); };
  const double tolerance = sizeof(T) == 4 ? 1e-4 : 1e-12;
  for (int64_t r = 0; r < 18; ++r)
    for (int64_t o = 0; o < 33; ++o) {
      double sum = 0;
      for (int64_t i = 0; i < 20; ++i) sum += at(x, r * 20 + i) * at(w, o * 20 + i);
      CHECK(at(plain, r * 33 + o) == doctest::Approx(sum).epsilon(tolerance));
      CHECK(at(y, r * 33 + o) == doctest::Approx(sum + at(b, o)).epsilon(tolerance));
    }
  for (int64_t o = 0; o < 33; ++o)
    for (int64_t i = 0; i < 20; ++i) {
      double sum = 0.5;
      for (int64_t r = 0; r < 18; ++r) sum += at(y, r * 33 + o) * at(x, r * 20 + i);
      CHECK(at(dw, o * 20 + i) == doctest::Approx(sum).epsilon(tolerance));
    }
  const Array none({0, 20}, dtype_of<T>());
  CHECK(kernels::linear(none, w, b).shape() == Shape{0, 33});
  Array kept = dw.copy();
  kernels::accumulate_outer(kept, Array({0, 33}, dtype_of<T>()), none);
  CHECK(kept.identical(dw));
}

TEST_CASE("products refuse what does not fit, naming shapes") {
  const Array a = Array::zeros({4, 3, 8}), b = Array::zeros({6, 5});
  CHECK_THROWS_WITH_AS(kernels::matmul(a, b), "matmul: inner dimensions differ: a is (4, 3, 8), b is (6, 5)",
                       ShapeError);
  CHECK_THROWS_WITH_AS(kernels::matmul(Array::zeros({8}), b),
                       "matmul: needs at least two axes: a is (8,), b is (6, 5)", ShapeError);
  CHECK_THROWS_WITH_AS(kernels::matmul(a, Array::zeros({3, 8, 2})),
                       "matmul: leading axes do not broadcast: a is (4, 3, 8), b is (3, 8, 2)", ShapeError);
  CHECK_THROWS_AS(kernels::matmul(a, Array::zeros({8, 2}, float64)), TypeError);
  CHECK_THROWS_AS(kernels::matmul(Array::zeros({2, 2}, int64), Array::zeros({2, 2}, int64)), TypeError);
  CHECK_THROWS_AS(kernels::linear(a, b, Array()), ShapeError);
  CHECK_THROWS_AS(kernels::linear(a, Array::zeros({6, 8}), Array::zeros({5})), ShapeError);
  Array into = Array::zeros({5, 8});
  CHECK_THROWS_AS(kernels::accumulate_outer(into, Array::zeros({4, 2, 5}), a), ShapeError);
  CHECK_THROWS_AS(kernels::accumulate_outer(into, Array::zeros({4, 3, 5}, float64), a), TypeError);
}
