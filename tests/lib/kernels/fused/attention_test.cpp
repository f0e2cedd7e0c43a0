#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "lib/attention_run.h"

using namespace weft;
using namespace weft::attention_run;

namespace {

/// The formulas in double, and the distance of all results from them.
void check_formulas(Run& run) {
  const AttentionProblem& x = run.x;
  run.forward(), run.backward(), run.look();
  std::vector<double> out(run.q.size()), lse(run.lse.size()), dq(run.q.size()), dk(run.k.size()),
      dv(run.v.size());
  std::vector<double> d_bias(run.bias.size(), 0.25), weights(run.weights.size());
  const auto get = [](const std::vector<float>& data, int64_t i) {
    return static_cast<double>(data[static_cast<size_t>(i)]);
  };
  const auto put = [](std::vector<double>& data, int64_t i) -> double& {
    return data[static_cast<size_t>(i)];
  };
  for (int64_t b = 0; b < x.B; ++b)
    for (int64_t h = 0; h < x.H; ++h)
      for (int64_t t = 0; t < x.T; ++t) {
        const auto token = run.view(run.q.data(), x.T), key = run.view(run.k.data(), x.S);
        const int64_t row = b * token.batch + h * token.head + t * token.token, slice = b * x.H + h;
        const auto of_key = [&](int64_t s) { return b * key.batch + h * key.head + s * key.token; };
        std::vector<double> score(static_cast<size_t>(x.S), -HUGE_VAL), p(static_cast<size_t>(x.S)),
            dp(p.size());
        double most = -HUGE_VAL, sum = 0;
        for (int64_t s = 0; s < x.S; ++s) {
          if (!run.may(b, h, t, s)) continue;
          double dot = 0;
          for (int64_t d = 0; d < x.D; ++d) dot += get(run.q, row + d) * get(run.k, of_key(s) + d);
          if (x.bias)
            dot =
                dot * x.scale + static_cast<double>(x.bias[b * x.bias_batch + h * x.bias_head + t * x.S + s]);
          else
            dot *= x.scale;
          if (x.slopes)
            dot -= static_cast<double>(x.slopes[h]) * std::abs(static_cast<double>(s - run.place(b, t)));
          put(score, s) = dot;
          most = std::max(most, dot);
        }
        for (const double value : score) sum += most == -HUGE_VAL ? 0 : std::exp(value - most);
        put(lse, slice * x.T + t) = sum > 0 ? most + std::log(sum) : -HUGE_VAL;
        double delta = 0;
        for (int64_t s = 0; s < x.S; ++s) {
          const double factor = run.kept.empty() ? 1.0 : get(run.kept, (slice * x.T + t) * x.S + s);
          put(p, s) = sum > 0 ? std::exp(put(score, s) - most) / sum : 0;
          put(weights, (slice * x.T + t) * x.S + s) = put(p, s);
          for (int64_t d = 0; d < x.D; ++d) {
            put(out, row + d) += put(p, s) * factor * get(run.v, of_key(s) + d);
            put(dv, of_key(s) + d) += put(p, s) * factor * get(run.d_out, row + d);
            put(dp, s) += factor * get(run.d_out, row + d) * get(run.v, of_key(s) + d);
          }
          delta += put(p, s) * put(dp, s);
        }
        for (int64_t s = 0; s < x.S; ++s) {
          const double ds = put(p, s) * (put(dp, s) - delta);
          if (x.bias) put(d_bias, b * x.bias_batch + h * x.bias_head + t * x.S + s) += ds;
          for (int64_t d = 0; d < x.D; ++d) {
            put(dq, row + d) += x.scale * ds * get(run.k, of_key(s) + d);
            put(dk, of_key(s) + d) += x.scale * ds * get(run.q, row + d);
          }
        }
      }
  CHECK(worst(run.out, out) < 2e-6);
  CHECK(worst(run.lse, lse) < 3e-6);
  CHECK(worst(run.weights, weights) < 2e-6);
  CHECK(worst(run.dq, dq) < 1e-5);
  CHECK(worst(run.dk, dk) < 1e-5);
  CHECK(worst(run.dv, dv) < 1e-5);
  CHECK(worst(run.d_bias, d_bias) < 1e-5);
}

}  // namespace

TEST_CASE("attention: values, weights and gradients against the formulas, masks of all kinds") {
  for (int flags = 0; flags < 32; ++flags) {
    const Options o{.causal = (flags & 1) != 0,
                    .lengths = (flags & 2) != 0,
                    .allowed = (flags & 4) != 0,
                    .bias = (flags & 8) != 0,
                    .shared = (flags & 16) != 0,
                    .interleaved = flags % 3 == 0};
    CAPTURE(flags);
    Run run(3, 2, 37, 37, 16, o);
    check_formulas(run);
  }
}

TEST_CASE("attention: sizes at and beside the edges of tiles") {
  for (const int64_t T : {0, 1, 2, 15, 63, 64, 65, 131})
    for (const int64_t S : {0, 1, 17, 64, 65, 150})
      for (const bool causal : {false, true}) {
        CAPTURE(T);
        CAPTURE(S);
        CAPTURE(causal);
        Run run(1, 1, T, S, 8, {.causal = causal, .bias = true, .offset = causal ? S / 3 : 0});
        check_formulas(run);
      }
  for (const int64_t D : {1, 3, 16, 17, 32, 33, 64, 100}) {
    CAPTURE(D);
    Run run(2, 2, 19, 70, D, {.causal = true, .offset = 51, .interleaved = true});
    check_formulas(run);
  }
}

TEST_CASE("attention: more queries than walk the keys together") {
  for (const int64_t D : {8, 80, 130})
    for (const int64_t window : {0, 20, 200}) {
      CAPTURE(D);
      CAPTURE(window);
      Run run(1, 2, 290, 300, D,
              {.causal = true, .lengths = true, .interleaved = true, .window = window, .offsets = true});
      check_formulas(run);
      Run far(1, 1, 270, 500, D, {.causal = window > 0, .bias = true, .offset = 220, .window = window});
      check_formulas(far);
    }
}

TEST_CASE("attention: windows, offsets of each sample, and slopes") {
  for (const int64_t window : {0, 1, 5, 16, 17, 64, 70, 1000})
    for (int flags = 0; flags < 16; ++flags) {
      CAPTURE(window);
      CAPTURE(flags);
      Run run(2, 2, 90, 150, 8,
              {.causal = true,
               .lengths = (flags & 1) != 0,
               .bias = (flags & 2) != 0,
               .shared = true,
               .offset = 51,
               .window = window,
               .offsets = (flags & 4) != 0,
               .slopes = (flags & 8) != 0});
      check_formulas(run);
    }
  Run both_ways(2, 2, 30, 80, 8, {.slopes = true});
  check_formulas(both_ways);
}

TEST_CASE("attention: weights dropped on the way") {
  for (const int64_t S : {40, 130}) {
    Run run(2, 2, 70, S, 16,
            {.causal = S == 130, .lengths = true, .bias = true, .shared = true, .offset = 60});
    run.drop(0.4);
    CHECK(std::count(run.kept.begin(), run.kept.end(), 0.0f) > 2 * 2 * 70 * S / 3);
    check_formulas(run);
  }
}

TEST_CASE("attention: bias shared over samples alone, or heads alone") {
  for (const bool over_heads : {false, true}) {
    Run run(3, 2, 9, 20, 8, {.bias = true});
    run.bias.resize(static_cast<size_t>((over_heads ? 3 : 2) * 9 * 20));
    run.x.bias = run.bias.data();
    run.x.bias_batch = over_heads ? 9 * 20 : 0;
    run.x.bias_head = over_heads ? 0 : 9 * 20;
    check_formulas(run);
  }
}

TEST_CASE("attention: a query that may attend to nothing gives zeros") {
  Run run(2, 2, 20, 30, 8, {.allowed = true, .bias = true});
  std::fill_n(run.allowed.get(), 2 * 2 * 20 * 30, false);
  run.forward(), run.backward(), run.look();
  for (const auto* zeros : {&run.out, &run.dq, &run.dk, &run.dv, &run.weights})
    for (const float value : *zeros) CHECK(value == 0.0f);
  for (const float value : run.lse) CHECK(value == -infinity);
  for (const float value : run.d_bias) CHECK(value == 0.25f);
}

TEST_CASE("attention: NaN in a score is not lost") {
  Run run(1, 1, 3, 5, 4, {.bias = true});
  std::fill(run.bias.begin(), run.bias.end(), -infinity);
  run.bias[7] = std::numeric_limits<float>::quiet_NaN();
  run.forward();
  CHECK(run.out[0] == 0.0f);
  CHECK(std::isnan(run.out[4]));
  CHECK(std::isnan(run.lse[1]));
}

TEST_CASE("attention: large scores do not overflow") {
  Run run(1, 1, 8, 100, 4, {});
  for (float& value : run.q) value *= 1000;
  for (float& value : run.k) value *= 1000;
  run.forward(), run.backward();
  for (const auto* results : {&run.out, &run.lse, &run.dq, &run.dk, &run.dv})
    for (const float value : *results) CHECK(std::isfinite(value));
}
