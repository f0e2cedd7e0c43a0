#include <doctest/doctest.h>
#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/lib/kernels/fused/attention.h>
#include <weft/lib/machine/parallel.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "lib/attention_run.h"

using namespace weft;
using namespace weft::attention_run;

TEST_CASE("attention: one query with a cache of keys gives the bits of its row in the full pass") {
  for (const int64_t D : {20, 32, 64, 21, 33}) {
    const bool positions = D % 2 == 1;
    Run full(2, 3, 150, 150, D,
             {.causal = true, .interleaved = true, .window = positions ? 2 * D : 0, .slopes = positions});
    // Scores of a wide range beside others are computed on another way than those would be alone.
    for (const int64_t t : {2, 15, 62, 147})
      for (int64_t b = 0; b < 2; ++b)
        for (int64_t i = 0; i < 3 * D; ++i) full.q[static_cast<size_t>((b * 150 + t) * 3 * D + i)] *= 200;
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

TEST_CASE("attention: gradients of values are added over all queries in order") {
  constexpr int64_t T = 600, S = 610, D = 9;
  Run run(1, 1, T, S, D, {.causal = true, .offset = 10, .window = 400});
  run.forward(), run.backward(), run.look();
  for (int64_t s = 0; s < S; ++s)
    for (int64_t d = 0; d < D; ++d) {
      float sum = 0;
      for (int64_t t = 0; t < T; ++t)
        sum = std::fma(run.weights[static_cast<size_t>(t * S + s)], run.d_out[static_cast<size_t>(t * D + d)],
                       sum);
      CHECK(run.dv[static_cast<size_t>(s * D + d)] == sum);
    }
}

TEST_CASE("attention: the number of threads changes nothing") {
  Run run(3, 2, 530, 540, 24, {.causal = true, .lengths = true, .bias = true, .shared = true, .offset = 10});
  set_num_threads(1);
  run.forward(), run.backward(), run.look();
  for (int threads = 2; threads <= 4; ++threads) {
    Run other(3, 2, 530, 540, 24, run.options);
    set_num_threads(threads);
    other.forward(), other.backward(), other.look();
    for (const auto& member :
         {&Run::out, &Run::lse, &Run::dq, &Run::dk, &Run::dv, &Run::d_bias, &Run::weights})
      CHECK(same_bits(run.*member, other.*member));
  }
  set_num_threads(available_cores());
}

TEST_CASE("attention: the instruction sets give the same bits") {
  constexpr int64_t T = 300, S = 340, D = 21;
  const std::vector<float> q = numbers(T * D, 1), k = numbers(S * D, 2), v = numbers(S * D, 3),
                           bias = numbers(T * S, 4);
  const std::vector<float> d_out = numbers(T * D, 5);
  const isa::AttentionHead head{.S = S,
                                .D = D,
                                .keys = 330,
                                .scale = 0.3f,
                                .causal = true,
                                .causal_offset = 30,
                                .window = 140,
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
    constexpr int64_t block = isa::AttentionFunctions::query_block(D),
                      scores = isa::AttentionFunctions::score_block;
    for (int64_t t = 0; t < T; t += block)
      f.forward(head, t, std::min(T, t + block), {out.data(), D}, lse.data(), space);
    const isa::AttentionOutputs saved{{out.data(), D}, {d_out.data(), D}, lse.data()};
    f.backward(head, T, saved, {dq.data(), D}, {dk.data(), D}, {dv.data(), D}, space);
    for (int64_t t = 0; t < T; t += scores) {
      f.bias_gradient(head, t, std::min(T, t + scores), saved, d_bias.data(), space);
      f.weights(head, t, std::min(T, t + scores), lse.data(), weights.data(), space);
    }
    for (const auto* part : {&out, &lse, &dq, &dk, &dv, &d_bias, &weights})
      all.insert(all.end(), part->begin(), part->end());
    return all;
  };
  const std::vector<float> scalar = results(isa::Set::scalar);
  for (const isa::Set set : {isa::Set::avx2, isa::Set::avx512}) {
    if (!isa::supported(set)) {
      MESSAGE("skipped: this processor lacks ", std::string(isa::name_of(set)));
      continue;
    }
    CHECK(same_bits(results(set), scalar));
  }
}

TEST_CASE("attention: documents that share rows have the bits that each has in a row of its own") {
  constexpr int64_t B = 2, H = 4, T = 210, D = 20;
  for (const int group : {1, 2})
    for (const Options& options : {Options{.causal = true, .interleaved = true},
                                   Options{.causal = true, .lengths = true, .window = 17},
                                   Options{.interleaved = true, .slopes = true},
                                   Options{.causal = true, .allowed = true, .bias = true},
                                   Options{.causal = true, .bias = true, .shared = true}}) {
      CAPTURE(group);
      Run packed(B, H, T, T, D, options);
      const std::vector<Document> documents = {{0, 0, 1},    {0, 1, 70},  {0, 71, 64},
                                               {0, 135, 75}, {1, 0, 129}, {1, 129, 81}};
      packed.x.documents = documents;
      packed.x.group = group;
      packed.forward(), packed.backward();
      Run alone(B, H, T, T, D, options);
      alone.out.assign(alone.q.size(), 0), alone.lse.assign(packed.lse.size(), 0);
      alone.dq = alone.out, alone.dk = alone.out, alone.dv = alone.out;
      alone.d_bias.assign(alone.bias.size(), 0.25f);
      for (const Document& of : documents) {
        AttentionProblem own = alone.x;
        own.B = 1, own.T = own.S = of.tokens, own.group = group;
        int64_t length = 0;
        if (own.key_lengths) {
          length = std::clamp<int64_t>(own.key_lengths[of.row] - of.first, 0, of.tokens);
          own.key_lengths = &length;
        }
        // Masks and biases cut out, and put together in the order of the documents.
        const int64_t n = of.tokens;
        const auto allowed = std::make_unique<bool[]>(static_cast<size_t>(H * n * n));
        std::vector<float> bias(static_cast<size_t>(H * n * n)), d_bias(bias);
        const auto each = [&](const auto& f) {
          for (int64_t h = 0; h < H; ++h)
            for (int64_t t = 0; t < n; ++t)
              for (int64_t s = 0; s < n; ++s) {
                const int64_t slice = options.shared ? 0 : of.row * H + h;
                f(static_cast<size_t>((h * n + t) * n + s),
                  static_cast<size_t>((slice * T + of.first + t) * T + of.first + s));
              }
        };
        each([&](size_t i, size_t at) {
          if (options.allowed) allowed[i] = alone.allowed[at];
          if (options.bias) bias[i] = alone.bias[at];
        });
        own.allowed_head = own.bias_head = n * n;
        if (own.allowed) own.allowed = allowed.get();
        if (own.bias) own.bias = bias.data();
        const auto at = [&](auto view) {
          view.data += of.row * view.batch + of.first * view.token;
          return view;
        };
        const auto read = [&](const std::vector<float>& data) { return at(alone.read(data, T)); };
        const auto write = [&](std::vector<float>& data) { return at(alone.view(data.data(), T)); };
        std::vector<float> lse(static_cast<size_t>(H * n));
        kernels::attention(own, read(alone.q), read(alone.k), read(alone.v), write(alone.out), lse.data());
        kernels::attention_grad(own, read(alone.q), read(alone.k), read(alone.v), read(alone.out), lse.data(),
                                read(alone.d_out), write(alone.dq), write(alone.dk), write(alone.dv),
                                own.bias ? d_bias.data() : nullptr);
        for (int64_t h = 0; h < H; ++h)
          std::copy_n(lse.data() + h * n, n, alone.lse.data() + (of.row * H + h) * T + of.first);
        if (own.bias) each([&](size_t i, size_t place) { alone.d_bias[place] += d_bias[i]; });
      }
      // Heads share keys: the last ones hold nothing.
      CHECK(same_bits(packed.out, alone.out));
      CHECK(same_bits(packed.lse, alone.lse));
      CHECK(same_bits(packed.dq, alone.dq));
      if (group == 1) {
        CHECK(same_bits(packed.dk, alone.dk));
        CHECK(same_bits(packed.dv, alone.dv));
      } else {
        for (const auto& [found, expected] : {std::pair{&packed.dk, &alone.dk}, {&packed.dv, &alone.dv}})
          for (size_t i = 0; i < found->size(); ++i)
            CHECK(((*found)[i] == (*expected)[i] || ((*found)[i] == 7.0f && (*expected)[i] == 0.0f)));
      }
      CHECK(same_bits(packed.d_bias, alone.d_bias));
    }
}
