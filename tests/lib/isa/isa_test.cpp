#include <weft/lib/isa/table_functions.h>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "lib/naive.h"

namespace {

using namespace weft;
using isa::Set;

constexpr float infinity = std::numeric_limits<float>::infinity();

/// All magnitudes and both signs, with the special values among them.
std::vector<float> arguments(size_t n, unsigned seed) {
  const float special[] = {0.0f,    -0.0f,   1.0f,     -1.0f,    infinity, -infinity, NAN,     1e-40f,
                           -1e-45f, 3.4e38f, -3.4e38f, 88.7228f, 88.73f,   -87.4f,    -103.9f, -104.1f};
  std::mt19937_64 bits(seed);
  std::vector<float> x(n);
  for (size_t i = 0; i < n; ++i) {
    const auto word = bits();
    if (word % 7 == 0) {
      x[i] = special[(word >> 8) % std::size(special)];
    } else {
      x[i] = std::ldexp(static_cast<float>(static_cast<int64_t>(word) >> 20) * 0x1p-43f,
                        static_cast<int>((word >> 8) % 16) - 7);
    }
  }
  return x;
}

std::vector<float> ordinary(size_t n, unsigned seed) {
  std::mt19937_64 bits(seed);
  std::vector<float> x(n);
  for (float& value : x) value = static_cast<float>(static_cast<int64_t>(bits())) * 0x1p-61f;
  return x;
}

/// Same bits, all NaNs being one: their sign depends on the order of the operands.
bool same(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i)
    if (std::memcmp(&a[i], &b[i], sizeof(float)) != 0 && !(std::isnan(a[i]) && std::isnan(b[i])))
      return false;
  return true;
}

/// Checks that compute(table, n, out) writes the same in all sets for all short lengths and a long one, and
/// nothing behind its n values.
template <class F>
void same_in_all_sets(const char* what, F compute) {
  for (const Set set : {Set::avx2, Set::avx512}) {
    if (!isa::supported(set)) {
      MESSAGE("skipped: this processor lacks " << std::string(isa::name_of(set)));
      continue;
    }
    for (size_t n = 0; n <= 1037; n += n < 70 ? 1 : 967) {
      std::vector<float> expected(n + 16, 42.0f), found = expected;
      compute(isa::table_of(Set::scalar), n, expected.data());
      compute(isa::table_of(set), n, found.data());
      CHECK_MESSAGE(same(expected, found), std::string(what)
                                               << " on " << std::string(isa::name_of(set)) << ", n = " << n);
      for (size_t i = n; i < n + 16; ++i) CHECK(found[i] == 42.0f);
    }
  }
}

}  // namespace

TEST_CASE("isa: the table in use is one that the processor has") {
  CHECK(isa::supported(Set::scalar));
  CHECK(isa::supported(isa::active_set()));
  CHECK(&isa::table() == &isa::table_of(isa::active_set()));
  if (const char* wanted = std::getenv("WEFT_ISA"))
    CHECK(std::string(isa::name_of(isa::active_set())) == wanted);
  for (const Set set : {Set::avx2, Set::avx512})
    if (!isa::supported(set)) CHECK_THROWS_AS(isa::table_of(set), ValueError);
}

TEST_CASE("isa: elementwise functions give the same bits in all sets") {
  using Functions = isa::ElementwiseFunctions;
  const std::pair<const char*, Functions::Map Functions::*> maps[] = {
      {"exp", &Functions::exp},         {"log", &Functions::log},
      {"tanh", &Functions::tanh},       {"erf", &Functions::erf},
      {"sigmoid", &Functions::sigmoid}, {"silu", &Functions::silu},
      {"gelu", &Functions::gelu},       {"gelu_tanh", &Functions::gelu_tanh}};
  for (const auto& [name, member] : maps)
    same_in_all_sets(name, [member = member](const isa::Table& table, size_t n, float* y) {
      for (unsigned seed = 0; seed < 8; ++seed) {
        const auto x = arguments(n, seed);
        (table.elementwise.*member)(x.data(), y, static_cast<int64_t>(n));
      }
    });
  const std::pair<const char*, Functions::Slope Functions::*> slopes[] = {
      {"tanh_from_y", &Functions::tanh_from_y}, {"sigmoid_from_y", &Functions::sigmoid_from_y},
      {"relu_grad", &Functions::relu_grad},     {"silu_grad", &Functions::silu_grad},
      {"gelu_grad", &Functions::gelu_grad},     {"gelu_tanh_grad", &Functions::gelu_tanh_grad}};
  for (const auto& [name, member] : slopes)
    same_in_all_sets(name, [member = member](const isa::Table& table, size_t n, float* y) {
      (table.elementwise.*member)(arguments(n, 1).data(), ordinary(n, 2).data(), y, static_cast<int64_t>(n));
    });
  same_in_all_sets("dropout", [](const isa::Table& table, size_t n, float* y) {
    const Functions::Dropout drop{123, 456, uint64_t{7} << 32 | 9, uint64_t{1} << 40, 1288490189, 1.4285715f};
    table.elementwise.dropout(drop, ordinary(n, 3).data(), y, static_cast<int64_t>(n));
  });
}

TEST_CASE("isa: rows give the same bits in all sets") {
  using Functions = isa::RowFunctions;
  for (const auto inputs : {arguments, ordinary}) {
    same_in_all_sets("sum, max_and_exp_sum", [=](const isa::Table& table, size_t n, float* y) {
      if (n < 3) return;
      const auto x = inputs(n, 1);
      y[0] = table.rows.sum(x.data(), static_cast<int64_t>(n));
      table.rows.max_and_exp_sum(x.data(), static_cast<int64_t>(n), y + 1, y + 2);
    });
    for (const auto member : {&Functions::softmax, &Functions::log_softmax})
      same_in_all_sets("softmax", [=](const isa::Table& table, size_t n, float* y) {
        (table.rows.*member)(inputs(n, 1).data(), y, static_cast<int64_t>(n));
      });
    for (const auto member : {&Functions::softmax_grad, &Functions::log_softmax_grad})
      same_in_all_sets("softmax_grad", [=](const isa::Table& table, size_t n, float* y) {
        (table.rows.*member)(inputs(n, 1).data(), ordinary(n, 2).data(), y, static_cast<int64_t>(n));
      });
    same_in_all_sets("cross_entropy_grad", [=](const isa::Table& table, size_t n, float* y) {
      table.rows.cross_entropy_grad(inputs(n, 1).data(), 3.5f, 0.01f, 0.3f, y, static_cast<int64_t>(n));
    });
    for (const bool weight : {false, true}) {
      same_in_all_sets("layer_norm", [=](const isa::Table& table, size_t n, float* y) {
        float mean = 0, rstd = 0;
        const auto w = ordinary(n, 4), b = ordinary(n, 5);
        table.rows.layer_norm(inputs(n, 1).data(), weight ? w.data() : nullptr, weight ? b.data() : nullptr,
                              1e-5f, y, &mean, &rstd, static_cast<int64_t>(n));
      });
      same_in_all_sets("layer_norm_grad", [=](const isa::Table& table, size_t n, float* y) {
        const float mean_of_row = 0.25f;
        const auto w = ordinary(n, 4);
        table.rows.layer_norm_grad(ordinary(n, 2).data(), inputs(n, 1).data(), false,
                                   weight ? w.data() : nullptr, &mean_of_row, 0.7f, y,
                                   static_cast<int64_t>(n));
      });
      same_in_all_sets("layer_norm_grad of xhat", [=](const isa::Table& table, size_t n, float* y) {
        const float not_read = NAN;
        const auto w = ordinary(n, 4);
        table.rows.layer_norm_grad(ordinary(n, 2).data(), ordinary(n, 1).data(), true,
                                   weight ? w.data() : nullptr, &not_read, 0.7f, y, static_cast<int64_t>(n));
        for (size_t i = 0; i < n; ++i) CHECK(y[i] == y[i]);
      });
      same_in_all_sets("scale_and_shift", [=](const isa::Table& table, size_t n, float* y) {
        const auto w = ordinary(n, 4), b = ordinary(n, 5);
        table.rows.scale_and_shift(inputs(n, 1).data(), weight ? w.data() : nullptr,
                                   weight ? nullptr : b.data(), y, static_cast<int64_t>(n));
      });
      same_in_all_sets("rms_norm", [=](const isa::Table& table, size_t n, float* y) {
        float rstd = 0;
        const auto w = ordinary(n, 4);
        table.rows.layer_norm(inputs(n, 1).data(), weight ? w.data() : nullptr, nullptr, 1e-5f, y, nullptr,
                              &rstd, static_cast<int64_t>(n));
      });
      same_in_all_sets("rms_norm_grad", [=](const isa::Table& table, size_t n, float* y) {
        const auto w = ordinary(n, 4);
        table.rows.layer_norm_grad(ordinary(n, 2).data(), inputs(n, 1).data(), false,
                                   weight ? w.data() : nullptr, nullptr, 0.7f, y, static_cast<int64_t>(n));
      });
    }
  }
  enum Statistics { centred, rms, normalized };
  for (const Statistics statistics : {centred, rms, normalized})
    same_in_all_sets("layer_norm_accumulate", [=](const isa::Table& table, size_t n, float* y) {
      constexpr size_t rows = 5;
      const auto x = ordinary(rows * n, 1), dy = ordinary(rows * n, 2), mean = ordinary(rows, 3),
                 rstd = ordinary(rows, 4);
      auto bias = ordinary(n, 5);
      for (size_t i = 0; i < n; ++i) y[i] = bias[i];
      const auto count = static_cast<int64_t>(n);
      table.rows.layer_norm_accumulate(
          dy.data(), x.data(), count, statistics == centred ? mean.data() : nullptr,
          statistics == normalized ? nullptr : rstd.data(), rows, count, y, bias.data());
      for (size_t i = 0; i < n; ++i) y[i] += bias[i];
    });
}

TEST_CASE("isa: adam gives the same bits in all sets") {
  for (const int part : {0, 1, 2})
    same_in_all_sets("adam", [=](const isa::Table& table, size_t n, float* y) {
      auto p = ordinary(n, 1), m = ordinary(n, 2), v = ordinary(n, 3);
      for (float& value : v) value = std::fabs(value);
      const isa::UpdateFunctions::Adam step{0.9f,   0.1f,  0.99f, 0.01f, 1e-8f,
                                            0.999f, 0.01f, 0.5f,  1e-3f, 1.1f};
      table.updates.adam(step, p.data(), ordinary(n, 4).data(), m.data(), v.data(), static_cast<int64_t>(n));
      const auto& out = part == 0 ? p : part == 1 ? m : v;
      for (size_t i = 0; i < n; ++i) y[i] = out[i];
    });
}

TEST_CASE("isa: sgd, lion and lerp give the same bits in all sets") {
  for (const int part : {0, 1}) {
    const auto both = [part](const char* what, const auto& update) {
      same_in_all_sets(what, [&](const isa::Table& table, size_t n, float* y) {
        auto p = ordinary(n, 1), m = arguments(n, 2);
        const auto g = arguments(n, 3);
        update(table.updates, p.data(), g.data(), m.data(), static_cast<int64_t>(n));
        const auto& out = part == 0 ? p : m;
        for (size_t i = 0; i < n; ++i) y[i] = out[i];
      });
    };
    for (const bool nesterov : {false, true})
      both("sgd", [=](const isa::UpdateFunctions& updates, float* p, const float* g, float* m, int64_t n) {
        updates.sgd({0.1f, 0.9f, 0.01f, 0.5f, nesterov}, p, g, m, n);
      });
    both("lion", [](const isa::UpdateFunctions& updates, float* p, const float* g, float* m, int64_t n) {
      updates.lion({0.1f, 0.9f, 0.1f, 0.99f, 0.01f, 0.999f, 0.5f}, p, g, m, n);
    });
    both("adafactor", [](const isa::UpdateFunctions& updates, float* p, const float* g, float* m, int64_t n) {
      const auto columns = ordinary(static_cast<size_t>(n), 5);
      const isa::UpdateFunctions::Factored moments{0.5f, 0.7f, 1e-3f};
      updates.factored(moments, columns.data(), 0.9f, 0.1f, p, g, n);
      const float squares = updates.factored_squares(moments, columns.data(), p, n);
      const float sum = updates.add_squares(0.5f, g, m, n);
      if (n > 0) p[0] = squares;
      if (n > 1) p[1] = sum;
    });
    both("lerp", [](const isa::UpdateFunctions& updates, float* p, const float* g, float*, int64_t n) {
      updates.lerp(0.3f, p, g, n);
    });
  }
}
