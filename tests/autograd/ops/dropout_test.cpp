#include <doctest/doctest.h>
#include <weft/lib/array/random.h>

#include "checks.h"
#include "op_table.h"

namespace weft::test {

std::vector<OpCase> dropout_cases() {
  std::vector<OpCase> cases;
  const auto row = [&](const char* how, const Shape& shape, double p, bool training) {
    cases.push_back({"dropout(Tensor, double, std::string_view, bool)",
                     str("dropout: ", how),
                     [=](const std::vector<Tensor>& in) {
                       const RandomScope random({.seed = 3});
                       return dropout(square(in[0]), p, "here", training);
                     },
                     {{shape}}});
  };
  row("half", {4, 6}, 0.5, true);
  row("none", {4, 6}, 0, true);
  row("not training", {4, 6}, 0.5, false);
  row("one axis", {9}, 0.3, true);
  row("scalar", {}, 0.3, true);
  row("size 0", {0, 6}, 0.3, true);
  return cases;
}

TEST_CASE("dropout: all cases of the table") { check_cases(dropout_cases()); }

TEST_CASE("dropout: keeps 1 - p of the elements and scales them") {
  const RandomScope random({.seed = 1});
  const Tensor y = dropout(ones({100, 100}), 0.25);
  int64_t kept = 0;
  for (const float value : y.value().values<float>()) {
    REQUIRE((value == 0.0F || value == 1.0F / 0.75F));
    kept += value != 0.0F;
  }
  CHECK(kept > 7300);
  CHECK(kept < 7700);
}

TEST_CASE("dropout: numbers follow seed, step, stream, call and sample, and nothing else") {
  const Tensor x = ones({6, 50});
  const auto draw = [&](RandomScope::Options options, std::string_view stream, int calls = 1) {
    const RandomScope random(options);
    for (int call = 1; call < calls; ++call) dropout(x, 0.5, stream);
    return dropout(x, 0.5, stream).value();
  };
  const Array first = draw({1, 2, 0}, "a");
  CHECK(first.identical(draw({1, 2, 0}, "a")));
  CHECK_FALSE(first.identical(draw({2, 2, 0}, "a")));
  CHECK_FALSE(first.identical(draw({1, 3, 0}, "a")));
  CHECK_FALSE(first.identical(draw({1, 2, 0}, "b")));
  CHECK_FALSE(first.identical(draw({1, 2, 0}, "a", 2)));
  // The second half of the batch as a micro-batch of its own.
  const RandomScope random({.seed = 1, .step = 2, .first_sample = 3});
  CHECK(dropout(ones({3, 50}), 0.5, "a").value().identical(slice(Tensor(first), 0, 3, 6).value()));
}

TEST_CASE("dropout: arguments and calls that do not fit") {
  const Tensor x = ones({2, 3});
  refuses<StateError>([&] { dropout(x, 0.5); }, {"dropout", "RandomScope"});
  refuses<ValueError>([&] { dropout(x, 1); }, {"dropout", "1"});
  refuses<ValueError>([&] { dropout(x, -0.1); }, {"dropout", "-0.1"});
  CHECK(dropout(x, 0.5, "a", false).value().identical(x.value()));
}

}  // namespace weft::test
