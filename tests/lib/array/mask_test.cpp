#include <doctest/doctest.h>
#include <weft/lib/array/mask.h>

#include <algorithm>

#include "lib/naive.h"

using namespace weft;

namespace {

/// The definition, element by element.
bool may_attend(const Mask& mask, int64_t b, int64_t h, int64_t t, int64_t s) {
  const int64_t place = t + (mask.causal_offsets.empty() ? std::min<int64_t>(mask.causal_offset, 1000)
                                                         : mask.causal_offsets[static_cast<size_t>(b)]);
  if (mask.is_causal && s > place) return false;
  if (mask.window_width > 0 && s <= place - mask.window_width) return false;
  if (!mask.key_lengths.empty() && s >= mask.key_lengths[static_cast<size_t>(b)]) return false;
  if (!mask.begins.empty()) {
    for (const int64_t begin : mask.begins[static_cast<size_t>(b)])
      if ((t < begin) != (s < begin)) return false;
  }
  if (!mask.allow.defined()) return true;
  return mask.allow.data<bool>()[naive::broadcast_flat(mask.allow.shape(), {b, h, t, s})];
}

void check_dense(const Mask& mask, int64_t B, int64_t H, int64_t T, int64_t S, const Shape& shape) {
  const Array dense = mask.dense(B, H, T, S);
  REQUIRE(dense.shape() == shape);
  REQUIRE(dense.dtype() == boolean);
  naive::for_each({B, H, T, S}, [&](const naive::Index& at, int64_t) {
    REQUIRE(dense.data<bool>()[naive::broadcast_flat(shape, at)] ==
            may_attend(mask, at[0], at[1], at[2], at[3]));
  });
}

Array coins(const Shape& shape) { return naive::random_ids(shape, 2).to(boolean); }

}  // namespace

TEST_CASE("Mask: dense equals the definition, as small as it can be") {
  const int64_t B = 2, H = 3, T = 4, S = 5;
  CHECK(Mask{}.empty());
  check_dense({}, B, H, T, S, {1, 1, T, S});
  check_dense(Mask::causal(), B, H, T, S, {1, 1, T, S});
  check_dense(Mask::causal(2), B, H, T, S, {1, 1, T, S});
  check_dense(Mask::lengths({0, 3}), B, H, T, S, {B, 1, T, S});
  check_dense(Mask::allowed(coins({T, S})), B, H, T, S, {1, 1, T, S});
  check_dense(Mask::allowed(coins({S})), B, H, T, S, {1, 1, T, S});
  check_dense(Mask::allowed(coins({H, 1, S})), B, H, T, S, {1, H, T, S});
  check_dense(Mask::allowed(coins({B, 1, T, 1})), B, H, T, S, {B, 1, T, S});
  check_dense(Mask::allowed(coins({B, H, T, S})), B, H, T, S, {B, H, T, S});
  check_dense(Mask::causal(1) & Mask::lengths({5, 2}) & Mask::allowed(coins({H, T, S})), B, H, T, S,
              {B, H, T, S});
  check_dense(Mask::lengths({1}) & Mask::causal(), 1, 1, 1, 1, {1, 1, 1, 1});
  check_dense(Mask::causal(), B, H, 0, S, {1, 1, 0, S});
  check_dense(Mask::causal(), B, H, T, 0, {1, 1, T, 0});
  check_dense(Mask::causal({3, 0}), B, H, T, S, {B, 1, T, S});
  const Mask documents = Mask::documents({{0, 2, 3}, {0}});
  CHECK_FALSE(documents.empty());
  check_dense(documents, B, H, 5, 5, {B, 1, 5, 5});
  check_dense(documents & Mask::causal(), B, H, 5, 5, {B, 1, 5, 5});
  check_dense(Mask::window(2) & documents & Mask::lengths({4, 5}), B, H, 5, 5, {B, 1, 5, 5});
  check_dense(documents & Mask::lengths({1, 0}) & Mask::allowed(coins({H, 5, 5})), B, H, 5, 5, {B, H, 5, 5});
  for (const int64_t width : {1, 2, 3, 100}) {
    check_dense(Mask::window(width), B, H, T, S, {1, 1, T, S});
    check_dense(Mask::window(width, 3), B, H, T, S, {1, 1, T, S});
    check_dense(Mask::window(width) & Mask::lengths({5, 2}) & Mask::allowed(coins({H, 1, S})), B, H, T, S,
                {B, H, T, S});
    check_dense(Mask::window(width, 2) & Mask::causal(2), B, H, T, S, {1, 1, T, S});
    check_dense(Mask::causal({4, 1}) & Mask::causal({4, 1}), B, H, T, S, {B, 1, T, S});
  }
  CHECK(Mask::window(2, INT64_MAX).dense(B, H, T, S).identical(Array::zeros({1, 1, T, S}, boolean)));
  CHECK(Mask::causal(INT64_MAX).dense(B, H, T, S).identical(Array::ones({1, 1, T, S}, boolean)));
}

TEST_CASE("Mask: dense does not change the array that it was given") {
  const Array allow = Array::ones({1, 1, 3, 3}, boolean);
  const Array dense = (Mask::allowed(allow) & Mask::causal()).dense(1, 1, 3, 3);
  CHECK(dense.at({0, 0, 0, 2}) == 0);
  CHECK(allow.identical(Array::ones({1, 1, 3, 3}, boolean)));
}

TEST_CASE("Mask: the number of threads changes nothing") {
  const Mask mask = Mask::causal(3) & Mask::lengths({300, 7, 150});
  naive::same_for_threads([&] { return mask.dense(3, 2, 400, 300); });
}

TEST_CASE("Mask: both of two conditions must hold") {
  const Array a = coins({4, 1, 5}), b = naive::random_ids({6, 5}, 2, 7).to(boolean);
  const Array both = (Mask::allowed(a) & Mask::allowed(b)).dense(2, 4, 6, 5);
  const Array first = Mask::allowed(a).dense(2, 4, 6, 5), second = Mask::allowed(b).dense(2, 4, 6, 5);
  REQUIRE(both.shape() == Shape{1, 4, 6, 5});
  naive::for_each(both.shape(), [&](const naive::Index& at, int64_t flat) {
    REQUIRE(both.data<bool>()[flat] ==
            (first.data<bool>()[flat] && second.data<bool>()[naive::broadcast_flat(second.shape(), at)]));
  });
  CHECK((Mask::causal(1) & Mask{}).causal_offset == 1);
  CHECK((Mask{} & Mask::causal(1)).causal_offset == 1);
  CHECK((Mask::lengths({1, 2}) & Mask::lengths({1, 2})).key_lengths == std::vector<int64_t>{1, 2});
  CHECK((Mask{} & Mask{}).empty());
  CHECK((Mask::window(3) & Mask::causal()).window_width == 3);
  CHECK((Mask::causal() & Mask::window(3)).window_width == 3);
  CHECK((Mask::window(5) & Mask::window(3)).window_width == 3);
  CHECK((Mask::window(3) & Mask::window(5)).window_width == 3);
  CHECK_THROWS_AS(Mask::causal({1, 2}) & Mask::causal({1, 3}), ValueError);
  CHECK_THROWS_AS(Mask::window(2, 1) & Mask::causal(2), ValueError);
  CHECK_THROWS_WITH_AS(Mask::causal(1) & Mask::causal(2), "Mask: both are causal, with offsets 1 and 2",
                       ValueError);
  CHECK_THROWS_AS(Mask::lengths({1}) & Mask::lengths({2}), ValueError);
  CHECK_THROWS_AS(Mask::allowed(coins({2, 3})) & Mask::allowed(coins({2, 4})), ShapeError);
}

TEST_CASE("Mask: what does not fit the scores is refused with both shapes") {
  CHECK_THROWS_WITH_AS(Mask::lengths({1, 2}).check("attention", 3, 1, 4, 5),
                       "attention: the mask has 2 lengths for 3 samples of scores (3, 1, 4, 5)", ShapeError);
  CHECK_THROWS_WITH_AS(Mask::lengths({1, 6}).check("attention", 2, 1, 4, 5),
                       "attention: the mask gives sample 1 a length of 6 keys in scores (2, 1, 4, 5)",
                       ShapeError);
  CHECK_THROWS_WITH_AS(Mask::allowed(coins({4, 4})).check("attention", 2, 1, 4, 5),
                       "attention: the mask (4, 4) does not broadcast to scores (2, 1, 4, 5) (B, H, T, S)",
                       ShapeError);
  CHECK_THROWS_WITH_AS(Mask::causal({1, 2}).check("attention", 3, 1, 4, 5),
                       "attention: the mask has 2 offsets for 3 samples of scores (3, 1, 4, 5)", ShapeError);
  CHECK_THROWS_AS(Mask::allowed(coins({1, 2, 1, 4, 5})).check("attention", 2, 1, 4, 5), ShapeError);
  CHECK_THROWS_AS(Mask::allowed(coins({4, 4})).dense(2, 1, 4, 5), ShapeError);
  CHECK_NOTHROW(Mask::causal(9).check("attention", 2, 1, 4, 5));
  CHECK_NOTHROW((Mask::lengths({5, 0}) & Mask::allowed(coins({2, 1, 1, 1}))).check("attention", 2, 1, 4, 5));
}

TEST_CASE("Mask: parts that make no sense are refused") {
  CHECK_THROWS_WITH_AS(Mask::allowed(Array::ones({2, 2})), "Mask::allowed: needs bool, not float32",
                       TypeError);
  CHECK_THROWS_AS(Mask::allowed(Array()), StateError);
  CHECK_THROWS_AS(Mask::causal(-1), ValueError);
  CHECK_THROWS_WITH_AS(Mask::causal({0, -1}), "Mask::causal: the offset -1 of sample 1 is negative",
                       ValueError);
  CHECK_THROWS_AS(Mask::causal(std::vector<int64_t>()), ValueError);
  CHECK_THROWS_WITH_AS(Mask::window(0), "Mask::window: the width 0 is below 1", ValueError);
  CHECK_THROWS_AS(Mask::window(3, -1), ValueError);
  CHECK_THROWS_AS(Mask::lengths({}), ValueError);
  CHECK_THROWS_WITH_AS(Mask::lengths({3, -1}), "Mask::lengths: the length -1 of sample 1 is negative",
                       ValueError);
}

TEST_CASE("Mask: documents that do not fit") {
  const Mask documents = Mask::documents({{0, 2}, {0}});
  const auto refused = [](const Mask& mask, int64_t T, int64_t S, const char* part) {
    try {
      mask.check("op", 2, 1, T, S);
      FAIL("nothing was refused");
    } catch (const ValueError& error) {
      CHECK(std::string(error.what()).find(part) != std::string::npos);
    }
  };
  refused(documents, 4, 5, "as many keys as queries");
  refused(documents & Mask::causal(1), 4, 4, "offset");
  refused(documents & Mask::causal({1, 0}), 4, 4, "offset");
  refused(documents, 2, 2, "beyond its 2 tokens");
  CHECK_THROWS_AS(Mask::documents({}), ValueError);
  CHECK_THROWS_WITH_AS(documents & Mask::documents({{0, 1}, {0}}),
                       "Mask: both give documents, and these differ", ValueError);
  CHECK((documents & documents).begins == documents.begins);
}
