#include <doctest/doctest.h>
#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/attention.h>
#include <weft/lib/kernels/elementwise.h>
#include <weft/lib/parallel.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <type_traits>
#include <vector>

#include "naive.h"

namespace {

using namespace weft;
using kernels::AttentionProblem;
using kernels::HeadView;

constexpr float infinity = std::numeric_limits<float>::infinity();

std::vector<float> numbers(int64_t count, unsigned seed) {
  const Array x = naive::random({count}, float32, seed);
  return {x.values<float>().begin(), x.values<float>().end()};
}

struct Options {
  bool causal = false, lengths = false, allowed = false, bias = false, shared = false;
  int64_t offset = 0;
  bool interleaved = false;  ///< (B, T, H * D) instead of (B, H, T, D)
  int64_t window = 0;
  bool offsets = false;  ///< one a sample, from `offset` on
  bool slopes = false;
};

/// One problem with its data and all results of the kernels.
struct Run {
  AttentionProblem x;
  Options options;
  std::vector<float> q, k, v, bias, d_out;
  std::vector<int64_t> lengths, offsets;
  std::vector<float> slopes;
  std::unique_ptr<bool[]> allowed;
  std::vector<float> kept;  ///< (B, H, T, S): 0 or 1 / (1 - p); empty without dropout
  std::vector<float> out, lse, dq, dk, dv, d_bias, weights;

  Run(int64_t B, int64_t H, int64_t T, int64_t S, int64_t D, const Options& o) : options(o) {
    x = {.B = B,
         .H = H,
         .T = T,
         .S = S,
         .D = D,
         .scale = 1.7 / std::sqrt(static_cast<double>(D)),
         .causal = o.causal,
         .causal_offset = o.offset};
    q = numbers(B * H * T * D, 1), k = numbers(B * H * S * D, 2), v = numbers(B * H * S * D, 3);
    d_out = numbers(B * H * T * D, 4);
    const int64_t slices = o.shared ? 1 : B * H;
    x.window = o.window;
    for (int64_t b = 0; o.offsets && b < B; ++b) offsets.push_back(o.offset + 9 * b);
    if (o.offsets) x.causal_offsets = offsets.data();
    for (int64_t h = 0; o.slopes && h < H; ++h) slopes.push_back(0.25f / static_cast<float>(h + 1));
    if (o.slopes) x.slopes = slopes.data();
    if (o.lengths) {
      for (int64_t b = 0; b < B; ++b) lengths.push_back(b % 3 == 2 ? 0 : S - b * S / 3);
      x.key_lengths = lengths.data();
    }
    if (o.allowed) {
      allowed = std::make_unique<bool[]>(static_cast<size_t>(slices * T * S));
      const std::vector<float> draw = numbers(slices * T * S, 5);
      for (size_t i = 0; i < draw.size(); ++i)
        allowed[i] = draw[i] < 0.5f &&
                     static_cast<int64_t>(i) / S % 7 != 3;  // every seventh query may attend to nothing
      x.allowed = allowed.get();
      if (!o.shared) x.allowed_batch = H * T * S, x.allowed_head = T * S;
    }
    if (o.bias) {
      bias = numbers(slices * T * S, 6);
      for (size_t i = 0; i < bias.size(); i += 11) bias[i] = -infinity;
      x.bias = bias.data();
      if (!o.shared) x.bias_batch = H * T * S, x.bias_head = T * S;
    }
  }

  template <class T>
  HeadView<T> view(T* data, int64_t tokens) const {
    if (options.interleaved) return {data, tokens * x.H * x.D, x.D, x.H * x.D};
    return {data, x.H * tokens * x.D, tokens * x.D, x.D};
  }
  HeadView<const float> read(const std::vector<float>& data, int64_t tokens) const {
    return view(data.data(), tokens);
  }

  void forward() {
    const size_t rows = static_cast<size_t>(x.B * x.H * x.T);
    out.assign(q.size(), 7.0f), lse.assign(rows, 7.0f);
    kernels::attention(x, read(q, x.T), read(k, x.S), read(v, x.S), view(out.data(), x.T), lse.data());
  }
  void backward() {
    dq.assign(q.size(), 7.0f), dk.assign(k.size(), 7.0f), dv.assign(v.size(), 7.0f),
        d_bias.assign(bias.size(), 0.25f);
    kernels::attention_grad(x, read(q, x.T), read(k, x.S), read(v, x.S), read(out, x.T), lse.data(),
                            read(d_out, x.T), view(dq.data(), x.T), view(dk.data(), x.S),
                            view(dv.data(), x.S), x.bias ? d_bias.data() : nullptr);
  }
  void look() {
    weights.assign(static_cast<size_t>(x.B * x.H * x.T * x.S), 7.0f);
    kernels::attention_weights(x, read(q, x.T), read(k, x.S), lse.data(), weights.data());
  }

  /// Drops weights as kernels::dropout would.
  void drop(double p) {
    const int64_t places = (x.S + 63) / 64 * 64;
    x.dropout = p, x.dropout_key = random_key(5, 6), x.first_sample = 2;
    const Array ones = Array::ones({x.B, x.H, x.T, places});
    const Array factors = kernels::dropout(ones, p, x.dropout_key, x.first_sample);
    for (int64_t i = 0; i < x.B * x.H * x.T; ++i)
      for (int64_t s = 0; s < x.S; ++s) kept.push_back(factors.data<float>()[i * places + s]);
  }

  int64_t place(int64_t b, int64_t t) const {
    return t + (offsets.empty() ? x.causal_offset : offsets[static_cast<size_t>(b)]);
  }
  bool may(int64_t b, int64_t h, int64_t t, int64_t s) const {
    if (x.causal && s > place(b, t)) return false;
    if (x.window > 0 && s <= place(b, t) - x.window) return false;
    if (x.key_lengths && s >= lengths[static_cast<size_t>(b)]) return false;
    return !x.allowed || x.allowed[b * x.allowed_batch + h * x.allowed_head + t * x.S + s];
  }
};

double worst(const std::vector<float>& got, const std::vector<double>& wanted) {
  REQUIRE(got.size() == wanted.size());
  double most = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const double value = static_cast<double>(got[i]);
    if (std::isinf(wanted[i]) && value == wanted[i]) continue;
    most = std::max(most, std::isfinite(value) ? std::abs(value - wanted[i]) : 1e30);
  }
  return most;
}

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

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
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

TEST_CASE("attention: one query with a cache of keys gives the bits of its row in the full pass") {
  for (const int64_t D : {20, 32, 64, 21, 33}) {
    const bool positions = D % 2 == 1;
    Run full(2, 3, 150, 150, D,
             {.causal = true, .interleaved = true, .window = positions ? 2 * D : 0, .slopes = positions});
    full.forward();
    for (const int64_t t : {0, 1, 13, 14, 63, 64, 100, 149}) {
      AttentionProblem one = full.x;
      one.T = 1, one.S = t + 1, one.causal_offset = t;
      HeadView<const float> q = full.read(full.q, 150);
      q.data += t * q.token;
      std::vector<float> out(static_cast<size_t>(6 * D)), lse(6);
      kernels::attention(one, q, full.read(full.k, 150), full.read(full.v, 150), {out.data(), 3 * D, D, D},
                         lse.data());
      for (int64_t slice = 0; slice < 6; ++slice) {
        CHECK(lse[static_cast<size_t>(slice)] == full.lse[static_cast<size_t>(slice * 150 + t)]);
        const float* row = full.out.data() + (slice / 3 * 150 + t) * 3 * D + slice % 3 * D;
        CHECK(std::memcmp(out.data() + slice * D, row, static_cast<size_t>(D) * sizeof(float)) == 0);
      }
    }
  }
}

TEST_CASE("attention: shared heads have the bits of repeated ones, their gradients added in order") {
  constexpr int64_t B = 2, H = 6, group = 3, G = H / group, T = 70, S = 90, D = 5;
  Run repeated(B, H, T, S, D, {.causal = true, .lengths = true, .allowed = true, .bias = true, .offset = 20});
  const auto head = [](auto& data, int64_t i) { return data.begin() + i * S * D; };
  std::vector<float> k, v;
  for (int64_t i = 0; i < B * G; ++i) {
    k.insert(k.end(), head(repeated.k, i * group), head(repeated.k, i * group + 1));
    v.insert(v.end(), head(repeated.v, i * group), head(repeated.v, i * group + 1));
    for (int64_t h = 1; h < group; ++h) {
      std::copy_n(head(k, i), S * D, head(repeated.k, i * group + h));
      std::copy_n(head(v, i), S * D, head(repeated.v, i * group + h));
    }
  }
  repeated.forward(), repeated.backward(), repeated.look();
  AttentionProblem shared = repeated.x;
  shared.group = group;
  const auto of_keys = [](auto* data) {
    return HeadView<std::remove_pointer_t<decltype(data)>>{data, G * S * D, S * D, D};
  };
  const auto keys = [&](const std::vector<float>& data) { return of_keys(data.data()); };
  const auto queries = [&](const std::vector<float>& data) { return repeated.read(data, T); };
  std::vector<float> out(repeated.out.size(), 7.0f), lse(repeated.lse.size()), dq(out), dk(k.size(), 7.0f),
      dv(dk);
  std::vector<float> d_bias(repeated.d_bias.size(), 0.25f), weights(repeated.weights.size());
  kernels::attention(shared, queries(repeated.q), keys(k), keys(v), repeated.view(out.data(), T), lse.data());
  kernels::attention_grad(shared, queries(repeated.q), keys(k), keys(v), queries(out), lse.data(),
                          queries(repeated.d_out), repeated.view(dq.data(), T), of_keys(dk.data()),
                          of_keys(dv.data()), d_bias.data());
  kernels::attention_weights(shared, queries(repeated.q), keys(k), lse.data(), weights.data());
  CHECK(same_bits(out, repeated.out));
  CHECK(same_bits(lse, repeated.lse));
  CHECK(same_bits(dq, repeated.dq));
  CHECK(same_bits(d_bias, repeated.d_bias));
  CHECK(same_bits(weights, repeated.weights));
  for (const auto& [found, each] : {std::pair{&dk, &repeated.dk}, {&dv, &repeated.dv}}) {
    std::vector<float> sum(found->size());
    for (int64_t i = 0; i < B * H; ++i)
      for (int64_t at = 0; at < S * D; ++at) {
        float& into = head(sum, i / group)[at];
        const float value = head(*each, i)[at];
        into = i % group == 0 ? value : into + value;
      }
    CHECK(same_bits(*found, sum));
  }
}

TEST_CASE("attention: padding on the right and masked keys are exact no-ops, forward and backward") {
  Run padded(1, 2, 100, 100, 24, {.causal = true});
  const int64_t length = 41;
  padded.lengths = {length};
  padded.x.key_lengths = padded.lengths.data();
  for (int64_t h = 0; h < 2; ++h)
    for (int64_t t = length; t < 100; ++t)
      for (int64_t d = 0; d < 24; ++d) {
        padded.d_out[static_cast<size_t>((h * 100 + t) * 24 + d)] = 0;  // no loss on padding
        padded.k[static_cast<size_t>((h * 100 + t) * 24 + d)] = 1e30f;  // and nothing reads it
        padded.v[static_cast<size_t>((h * 100 + t) * 24 + d)] = infinity;
      }
  padded.forward(), padded.backward();
  AttentionProblem alone = padded.x;
  alone.T = alone.S = length, alone.key_lengths = nullptr;
  const auto whole = [&](const std::vector<float>& data) { return padded.read(data, 100); };
  std::vector<float> out(4800), lse(82), dq(4800), dk(4800), dv(4800);
  const auto into = [&](std::vector<float>& data) { return padded.view(data.data(), 100); };
  kernels::attention(alone, whole(padded.q), whole(padded.k), whole(padded.v), into(out), lse.data());
  kernels::attention_grad(alone, whole(padded.q), whole(padded.k), whole(padded.v), whole(out), lse.data(),
                          whole(padded.d_out), into(dq), into(dk), into(dv), nullptr);
  for (int64_t h = 0; h < 2; ++h) {
    const size_t from = static_cast<size_t>(h * 2400),
                 bytes = static_cast<size_t>(length) * 24 * sizeof(float);
    CHECK(std::memcmp(&out[from], &padded.out[from], bytes) == 0);
    CHECK(std::memcmp(&dq[from], &padded.dq[from], bytes) == 0);
    CHECK(std::memcmp(&dk[from], &padded.dk[from], bytes) == 0);
    CHECK(std::memcmp(&dv[from], &padded.dv[from], bytes) == 0);
    for (size_t i = from + bytes / sizeof(float); i < from + 2400; ++i)
      CHECK((padded.dk[i] == 0 && padded.dv[i] == 0));
  }

  Run causal(2, 2, 90, 90, 16, {.causal = true}), listed(2, 2, 90, 90, 16, {.allowed = true, .shared = true});
  for (int64_t t = 0; t < 90; ++t)
    for (int64_t s = 0; s < 90; ++s) listed.allowed[static_cast<size_t>(t * 90 + s)] = s <= t;
  causal.forward(), causal.backward(), listed.forward(), listed.backward();
  CHECK(same_bits(causal.out, listed.out));
  CHECK(same_bits(causal.lse, listed.lse));
  CHECK(same_bits(causal.dq, listed.dq));
  CHECK(same_bits(causal.dk, listed.dk));
  CHECK(same_bits(causal.dv, listed.dv));
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

TEST_CASE("attention: the number of threads changes nothing") {
  Run run(3, 2, 130, 140, 24, {.causal = true, .lengths = true, .bias = true, .shared = true, .offset = 10});
  set_num_threads(1);
  run.forward(), run.backward(), run.look();
  for (int threads = 2; threads <= 4; ++threads) {
    Run other(3, 2, 130, 140, 24, run.options);
    set_num_threads(threads);
    other.forward(), other.backward(), other.look();
    for (const auto& member :
         {&Run::out, &Run::lse, &Run::dq, &Run::dk, &Run::dv, &Run::d_bias, &Run::weights})
      CHECK(same_bits(run.*member, other.*member));
  }
  set_num_threads(available_cores());
}

TEST_CASE("attention: the instruction sets give the same bits") {
  constexpr int64_t T = 64, S = 100, D = 21;
  const std::vector<float> q = numbers(T * D, 1), k = numbers(S * D, 2), v = numbers(S * D, 3),
                           bias = numbers(T * S, 4);
  const std::vector<float> d_out = numbers(T * D, 5);
  const isa::AttentionHead head{.S = S,
                                .D = D,
                                .keys = 90,
                                .scale = 0.3f,
                                .causal = true,
                                .causal_offset = 30,
                                .window = 40,
                                .slope = 0.01f,
                                .q = {q.data(), D},
                                .k = {k.data(), D},
                                .v = {v.data(), D},
                                .allowed = nullptr,
                                .bias = bias.data(),
                                .drops = false,
                                .dropout = {}};
  struct Results {
    std::vector<float> all;
  };
  const auto results = [&](isa::Set set) {
    const isa::AttentionFunctions& f = isa::table_of(set).attention;
    const auto scratch = allocate(static_cast<size_t>(f.scratch(D)) * sizeof(float));
    float* const space = static_cast<float*>(scratch->data);
    std::vector<float> out(T * D), lse(T), dq(T * D), dk(S * D), dv(S * D), d_bias(T * S), weights(T * S),
        all;
    f.forward(head, 0, T, {out.data(), D}, lse.data(), space);
    const isa::AttentionOutputs saved{{out.data(), D}, {d_out.data(), D}, lse.data()};
    f.backward(head, T, saved, {dq.data(), D}, {dk.data(), D}, {dv.data(), D}, space);
    f.bias_gradient(head, 0, T, saved, d_bias.data(), space);
    f.weights(head, 0, T, lse.data(), weights.data(), space);
    for (const auto* part : {&out, &lse, &dq, &dk, &dv, &d_bias, &weights})
      all.insert(all.end(), part->begin(), part->end());
    return all;
  };
  const std::vector<float> scalar = results(isa::Set::scalar);
  for (const isa::Set set : {isa::Set::avx2, isa::Set::avx512}) {
    if (!isa::supported(set)) {
      MESSAGE("skipped: this processor lacks ", isa::name_of(set));
      continue;
    }
    CHECK(same_bits(results(set), scalar));
  }
}
