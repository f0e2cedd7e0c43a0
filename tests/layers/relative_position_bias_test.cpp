#include <doctest/doctest.h>
#include <weft/layers/relative_position_bias.h>
#include <weft/lib/array/random.h>

#include "models/model_reference.h"

namespace weft::test {

TEST_CASE("relative positions: the buckets are those of transformers") {
  const StateDict file = model_file("t5.h5");
  for (const bool both : {false, true}) {
    for (const auto& [buckets, most] : {std::pair{32, 128}, {8, 20}}) {
      CAPTURE(both);
      CAPTURE(buckets);
      const Array& expected = file.array(str("buckets ", both ? "both " : "back ", buckets, " ", most));
      for (int64_t i = 0; i < expected.size(); ++i) {
        CAPTURE(i - 300);
        CHECK(relative_position_bucket(i - 300, {buckets, most, both}) == expected.data<int64_t>()[i]);
      }
    }
  }
}

TEST_CASE("relative positions: a number for each head and distance, which learns") {
  const RandomScope random({.seed = 1});
  const RelativePositionBias bias(3, {.buckets = 8, .max_distance = 20});
  CHECK(bias.weight.shape() == Shape{8, 3});
  const Tensor y = bias.forward(2, 4, 6);
  REQUIRE(y.shape() == Shape{2, 3, 4, 6});
  for (int64_t t = 0; t < 4; ++t)
    for (int64_t s = 0; s < 6; ++s)
      for (int64_t h = 0; h < 3; ++h)
        CHECK(y.value().at({1, h, t, s}) ==
              bias.weight.value().at({relative_position_bucket(s - t, bias.options), h}));
  sum(y).backward();
  double all = 0;
  for (int64_t i = 0; i < 8; ++i) all += bias.weight.grad().value().at({i, 0});
  CHECK(all == 2 * 4 * 6);
  CHECK(bias.weight.grad().value().at({0, 2}) == 2 * 4);
}

TEST_CASE("relative positions: rows at places of their own are parts of the whole") {
  const RandomScope random({.seed = 1});
  const NoGrad no_grad;
  const RelativePositionBias bias(2, {.buckets = 8, .max_distance = 20, .bidirectional = false});
  const Tensor whole = bias.forward(5, 30, 30);
  CHECK(whole.shape() == Shape{1, 2, 30, 30});
  const std::vector<int64_t> offsets = {0, 27, 11};
  const Tensor rows = bias.forward(3, 3, 30, offsets);
  for (int64_t b = 0; b < 3; ++b) {
    const int64_t offset = offsets[static_cast<size_t>(b)];
    CHECK(slice(rows, 0, b, b + 1).value().identical(slice(whole, 2, offset, offset + 3).value()));
  }
  CHECK(bias.forward(0, 3, 3, {}).shape() == Shape{1, 2, 3, 3});
}

TEST_CASE("relative positions: what makes no sense is refused") {
  const RandomScope random({});
  refuses<ValueError>([] { RelativePositionBias(2, {.buckets = 3}); }, {"3 buckets"});
  refuses<ValueError>([] { RelativePositionBias(2, {.max_distance = 8}); }, {"max_distance 8"});
  const RelativePositionBias bias(2);
  refuses<ShapeError>([&] { bias.forward(2, 1, 1, std::vector<int64_t>{0}); }, {"1 offsets", "2 samples"});
}

}  // namespace weft::test
