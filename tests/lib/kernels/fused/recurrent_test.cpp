#include <doctest/doctest.h>
#include <weft/lib/array/documents.h>
#include <weft/lib/array/random.h>
#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/fused/recurrent.h>
#include <weft/lib/machine/cores.h>
#include <weft/lib/machine/parallel.h>

#include <cstring>
#include <vector>

#include "checks.h"
#include "lib/kernels/fused/some.h"

namespace weft::test {

namespace {

using isa::Set;

/// Numbers for a cell of n units, and room behind them that nobody may write.
struct Rows {
  std::vector<float> values;

  Rows(int64_t count, uint64_t stream) : values(static_cast<size_t>(count) + 16, 42.0f) {
    const Array drawn = some({count}, stream);
    std::memcpy(values.data(), drawn.data<float>(), drawn.nbytes());
  }
  float* data() { return values.data(); }
  bool operator==(const Rows& other) const {
    return std::memcmp(values.data(), other.values.data(), values.size() * sizeof(float)) == 0;
  }
};

/// What the cells of one instruction set make of the same numbers.
std::vector<Rows> cells(Set set, int64_t n) {
  const isa::RecurrentFunctions& f = isa::table_of(set).recurrent;
  Rows gates(4 * n, 1), hw(4 * n, 2), c(n, 3), h(n, 4), c_before(n, 5), dh(n, 6), dc(n, 7), dgates(4 * n, 8);
  f.lstm(n, gates.data(), hw.data(), c.data(), h.data());
  f.lstm_grad(n, gates.data(), c_before.data(), c.data(), dh.data(), dc.data(), dgates.data());
  std::vector<Rows> made = {gates, c, h, dc, dgates};
  Rows gru(3 * n, 9), gru_hw(3 * n, 10), state(n, 11), d_gates(3 * n, 12), d_hw(3 * n, 13);
  f.gru(n, gru.data(), gru_hw.data(), state.data());
  f.gru_grad(n, gru.data(), gru_hw.data(), c_before.data(), dh.data(), d_gates.data(), d_hw.data());
  made.insert(made.end(), {gru, state, dh, d_gates, d_hw});
  return made;
}

struct Everything {
  kernels::RecurrentForward lstm, gru;
  kernels::RecurrentGradients lstm_grad, gru_grad;
};

constexpr int64_t B = 7, T = 6, H = 45;

Everything compute(const kernels::TokenOrder& order) {
  const Array weight = some({4 * H, H}, 1), small = some({3 * H, H}, 2), bias = some({4 * H}, 3);
  const Array h0 = some({B, H}, 4), c0 = some({B, H}, 5);
  Everything all;
  all.lstm = kernels::lstm(some({B, T, 4 * H}, 6), weight, bias, h0, c0, order, true);
  all.gru = kernels::gru(some({B, T, 3 * H}, 7), small, {}, h0, order, true);
  all.lstm_grad = kernels::lstm_grad(all.lstm, weight, h0, c0, some(all.lstm.y.shape(), 8), order);
  all.gru_grad = kernels::gru_grad(all.gru, small, h0, some(all.gru.y.shape(), 9), order);
  return all;
}

}  // namespace

TEST_CASE("recurrent: cells give the same bits in all instruction sets, and write nothing behind") {
  for (const Set set : {Set::avx2, Set::avx512}) {
    if (!isa::supported(set)) continue;
    for (int64_t n = 0; n < 70; ++n) {
      const std::vector<Rows> expected = cells(Set::scalar, n), found = cells(set, n);
      for (size_t k = 0; k < expected.size(); ++k) {
        CAPTURE(n);
        CAPTURE(k);
        CHECK(found[k] == expected[k]);
        for (size_t i = found[k].values.size() - 16; i < found[k].values.size(); ++i)
          CHECK(found[k].values[i] == 42.0f);
      }
    }
  }
}

TEST_CASE("recurrent: any number of threads gives the same bits") {
  const std::vector<int64_t> lengths = {6, 0, 3, 1, 6, 5, 2};
  for (const bool reverse : {false, true}) {
    set_num_threads(1);
    const Everything one = compute({lengths, reverse});
    for (const int threads : {2, 3}) {
      set_num_threads(threads);
      const Everything more = compute({lengths, reverse});
      CHECK(more.lstm.y.identical(one.lstm.y));
      CHECK(more.gru.y.identical(one.gru.y));
      CHECK(more.lstm_grad.xw.identical(one.lstm_grad.xw));
      CHECK(more.lstm_grad.h_before.identical(one.lstm_grad.h_before));
      CHECK(more.lstm_grad.h0.identical(one.lstm_grad.h0));
      CHECK(more.lstm_grad.c0.identical(one.lstm_grad.c0));
      CHECK(more.gru_grad.xw.identical(one.gru_grad.xw));
      CHECK(more.gru_grad.hw.identical(one.gru_grad.hw));
      CHECK(more.gru_grad.h0.identical(one.gru_grad.h0));
    }
  }
  set_num_threads(available_cores());
}

TEST_CASE("recurrent: the input's product is overwritten only where nobody else holds it") {
  const Array xw = some({2, 5, 12}, 1), before = xw.copy(), weight = some({12, 3}, 2), h0 = some({2, 3}, 3);
  kernels::lstm(xw, weight, {}, h0, h0, {}, false);
  CHECK(xw.identical(before));
}

TEST_CASE("recurrent: arguments that do not fit") {
  const Array xw = some({2, 5, 12}, 1), weight = some({12, 3}, 2), h0 = some({2, 3}, 3);
  refuses<ShapeError>([&] { kernels::gru(xw, weight, {}, h0, {}, false); }, {"gru", "(2, 5, 12)", "3 H"});
  refuses<ShapeError>([&] { kernels::lstm(xw, weight, some({3}, 1), h0, h0, {}, false); },
                      {"lstm", "bias (3,)"});
  refuses<ShapeError>([&] { kernels::lstm(xw, weight, {}, h0, some({3, 3}, 1), {}, false); }, {"(3, 3)"});
  const std::vector<int64_t> few = {1}, long_one = {1, 6};
  refuses<ShapeError>([&] { kernels::lstm(xw, weight, {}, h0, h0, {few}, false); }, {"1 lengths for 2"});
  refuses<ValueError>([&] { kernels::lstm(xw, weight, {}, h0, h0, {long_one}, false); }, {"6 among 5"});
  const DocumentBegins late = {{0, 5}, {0}};
  refuses<ValueError>([&] { kernels::lstm(xw, weight, {}, h0, h0, {.documents = late}, false); },
                      {"lstm", "row 0", "begins at 5"});
  refuses<TypeError>([&] { kernels::lstm(xw.to(float64), weight, {}, h0, h0, {}, false); },
                     {"float32", "float64"});
}

}  // namespace weft::test
