#include <doctest/doctest.h>
#include <weft/lib/array/random.h>
#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/fused/additive_attention.h>
#include <weft/lib/machine/parallel.h>

#include <cmath>
#include <vector>

#include "checks.h"
#include "lib/kernels/fused/some.h"

namespace weft::test {

namespace {

using isa::Set;

/// The score of n columns in one instruction set, and its gradients, which go on from other numbers.
std::vector<Array> one_score(Set set, int64_t n) {
  const isa::AdditiveAttentionFunctions& f = isa::table_of(set).additive_attention;
  const Array q = some({n}, 1), k = some({n}, 2), v = some({n}, 3);
  std::vector<Array> made = {some({n + 16}, 4), some({n + 16}, 5), some({n + 16}, 6)};
  f.score_grad(q.data<float>(), k.data<float>(), v.data<float>(), 0.7f, made[0].mutable_data<float>(),
               made[1].mutable_data<float>(), made[2].mutable_data<float>(), n);
  const float score = f.score(q.data<float>(), k.data<float>(), v.data<float>(), n);
  made.push_back(Array::from<float>({score}, {1}));
  return made;
}

}  // namespace

TEST_CASE("additive attention: the same bits in all instruction sets, and nothing written behind") {
  for (const Set set : {Set::avx2, Set::avx512}) {
    if (!isa::supported(set)) continue;
    for (int64_t n = 0; n < 70; ++n) {
      const std::vector<Array> expected = one_score(Set::scalar, n), found = one_score(set, n);
      for (size_t k = 0; k < found.size(); ++k) CHECK(found[k].identical(expected[k]));
      for (uint64_t k = 0; k < 3; ++k)
        for (int64_t i = n; i < n + 16; ++i) CHECK(found[k].at({i}) == some({n + 16}, 4 + k).at({i}));
    }
  }
}

TEST_CASE("additive attention: scores are their formula, and any number of threads gives the same bits") {
  const Array q = some({2, 5, 150}, 1), k = some({2, 7, 150}, 2), v = some({150}, 3), ds = some({2, 5, 7}, 4);
  const int before = num_threads();
  std::vector<std::vector<Array>> runs;
  for (const int threads : {1, 3}) {
    set_num_threads(threads);
    const auto d = kernels::additive_scores_grad(q, k, v, ds);
    runs.push_back({kernels::additive_scores(q, k, v), d.q, d.k, d.v});
  }
  set_num_threads(before);
  for (size_t n = 0; n < runs[0].size(); ++n) CHECK(runs[1][n].identical(runs[0][n]));
  double expected = 0;
  for (int64_t a = 0; a < 150; ++a) expected += v.at({a}) * std::tanh(q.at({1, 3, a}) + k.at({1, 6, a}));
  CHECK(runs[0][0].at({1, 3, 6}) == doctest::Approx(expected).epsilon(1e-5));
}

TEST_CASE("additive attention: arguments that do not fit") {
  const Array q = some({2, 5, 4}, 1), v = some({4}, 3);
  refuses<ShapeError>(
      [&] {
        kernels::additive_scores(q, some({2, 5, 3}, 1), v);
      },
      {"(2, 5, 3)", "(B, S, A)"});
  refuses<TypeError>([&] { kernels::additive_scores(q, q.to(float64), v); }, {"float32", "float64"});
  refuses<ShapeError>([&] { kernels::additive_scores_grad(q, q, v, q); }, {"ds is (2, 5, 4)"});
}

}  // namespace weft::test
