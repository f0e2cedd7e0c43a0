#include <doctest/doctest.h>
#include <weft/train/watch/update_statistics.h>

#include <cmath>
#include <limits>

#include "checks.h"

namespace weft::test {

TEST_CASE("update statistics: the line, and what it tells again") {
  TensorStatistics s{.count = 6, .mean = 0.5, .std = 0.25, .min = -1, .max = 2, .norm = 1.5, .zero = 0.125};
  UpdateStatistics all{.step = 500,
                       .weights = {{"b.weight", s}, {"a.weight", s}},
                       .gradients = {{"b.weight", s}},
                       .ratios = {{"b.weight", 0.001}},
                       .activations = {{"b", s}}};
  all.weights[0].second.histogram = {1, 2, 3};
  all.gradients[0].second.mean = std::numeric_limits<double>::quiet_NaN();
  CHECK(
      all.line() ==
      "{\"step\":500,\"weights\":{"
      "\"b.weight\":{\"mean\":0.5,\"std\":0.25,\"min\":-1.0,\"max\":2.0,\"norm\":1.5,\"histogram\":[1,2,3]},"
      "\"a.weight\":{\"mean\":0.5,\"std\":0.25,\"min\":-1.0,\"max\":2.0,\"norm\":1.5}},"
      "\"gradients\":{\"b.weight\":{\"mean\":null,\"std\":0.25,\"min\":-1.0,\"max\":2.0,\"norm\":1.5}},"
      "\"updates\":{\"b.weight\":{\"ratio\":0.001}},"
      "\"activations\":{\"b\":{\"mean\":0.5,\"std\":0.25,\"min\":-1.0,\"max\":2.0,\"zero\":0.125}}}");
  const UpdateStatistics told = UpdateStatistics::from_line(all.line()).value();
  CHECK(told.line() == all.line());
  CHECK(told.weights[0].second.count == 6);
  CHECK(told.weights[1].second.count == 0);
  CHECK(std::isnan(told.gradients[0].second.mean));
  CHECK(UpdateStatistics::from_line(UpdateStatistics{.step = 3}.line())->step == 3);
  for (const char* line :
       {"", "{}", "[]", "{\"step\":1}", "{\"step\":1,\"weights\":[1],\"gradients\":{},\"updates\":{}}"})
    CHECK_FALSE(UpdateStatistics::from_line(line));
}

}  // namespace weft::test
