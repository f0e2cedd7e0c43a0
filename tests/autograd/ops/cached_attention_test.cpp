#include <doctest/doctest.h>
#include <weft/autograd/ops/attention.h>

#include <algorithm>

#include "checks.h"
#include "op_table.h"

namespace weft::test {

namespace {

constexpr int64_t batch_rows = 2, head_count = 3;

Tensor part(const Tensor& x, int64_t row, int64_t begin, int64_t end) {
  return slice(slice(x, 0, row, row + 1), 1, begin, end);
}

}  // namespace

TEST_CASE("cached attention: decoding with windows, slopes and a bias has the bits of the full pass") {
  constexpr int64_t tokens = 75, width = 3 * head_count;
  const std::vector<Tensor> in = drawn("positions",
                                       {{{batch_rows, tokens, width}},
                                        {{batch_rows, tokens, width}},
                                        {{batch_rows, tokens, width}},
                                        {{1, head_count, tokens, tokens}}},
                                       float32);
  for (const int64_t window : {3, 16, 66}) {
    const AttentionOptions options{
        .mask = Mask::window(window), .bias = in[3], .slopes = alibi_slopes(head_count)};
    const Tensor whole = multi_head_attention(in[0], in[1], in[2], head_count, options);
    KeyValueCache cache;
    for (int64_t begin = 0, end = 40; begin < tokens; begin = end++) {
      const auto now = [&](const Tensor& x) { return slice(x, 1, begin, end); };
      AttentionOptions step = options;
      step.bias = slice(slice(in[3], 2, begin, end), 3, 0, end);
      const Tensor y = cached_attention(now(in[0]), now(in[1]), now(in[2]), head_count, cache, {}, step);
      CHECK(y.value().identical(now(whole).value()));
    }
  }
}

TEST_CASE("cached attention: decoding with a cache has the bits of the full causal pass") {
  constexpr int64_t tokens = 75, width = 3 * head_count;
  for (const DType dtype : {float32, float64}) {
    const std::vector<Tensor> in = drawn("cache", std::vector<Draw>(3, {{batch_rows, tokens, width}}), dtype);
    const Tensor whole = multi_head_attention(in[0], in[1], in[2], head_count, {Mask::causal()});
    KeyValueCache cache;
    // A prompt of 40, then one by one.
    for (int64_t begin = 0, end = 40; begin < tokens; begin = end++) {
      const auto part = [&](const Tensor& x) { return slice(x, 1, begin, end); };
      const Tensor y = cached_attention(part(in[0]), part(in[1]), part(in[2]), head_count, cache);
      CHECK_FALSE(y.requires_grad());
      if (dtype == float32) {
        CHECK(y.value().identical(part(whole).value()));
      } else {
        CHECK(difference(y.value(), part(whole).value(), 1e-14) == "");
      }
    }
    CHECK(cache.length() == tokens);
    CHECK(cache.keys().dim(1) >= tokens);
    cache.clear();
    CHECK(cache.length() == 0);
  }
}

TEST_CASE("cached attention: rows of different lengths in a cache have the bits of each row alone") {
  constexpr int64_t rows = 3, tokens = 90, width = 3 * head_count;
  for (const DType dtype : {float32, float64}) {
    CAPTURE(std::string(name_of(dtype)));
    const std::vector<Tensor> in = drawn("ragged", std::vector<Draw>(3, {{rows, tokens, width}}), dtype);
    const Tensor whole = multi_head_attention(in[0], in[1], in[2], head_count, {Mask::causal()});
    KeyValueCache cache;
    std::vector<int64_t> sources = {0, 1, 2}, read = {0, 0, 0};
    const auto step = [&](const std::vector<int64_t>& lengths) {
      const int64_t T = *std::max_element(lengths.begin(), lengths.end());
      std::vector<Tensor> pieces(3);
      for (size_t k = 0; k < 3; ++k) {
        std::vector<Tensor> all;
        for (size_t b = 0; b < read.size(); ++b) {
          const Tensor own = part(in[k], sources[b], read[b], read[b] + lengths[b]);
          all.push_back(cat({own, full({1, T - lengths[b], width}, 9, dtype)}, 1));
        }
        pieces[k] = cat(all, 0);
      }
      const Tensor y = cached_attention(pieces[0], pieces[1], pieces[2], head_count, cache, lengths);
      for (size_t b = 0; b < read.size(); ++b) {
        CAPTURE(b);
        const Array got = part(y, static_cast<int64_t>(b), 0, lengths[b]).value();
        const Array expected = part(whole, sources[b], read[b], read[b] + lengths[b]).value();
        if (dtype == float32) CHECK(got.identical(expected));
        CHECK(difference(got, expected, 1e-14) == "");
        read[b] += lengths[b];
      }
      CHECK(cache.lengths() == read);
      CHECK(cache.length() == *std::max_element(read.begin(), read.end()));
    };
    const auto select = [&](const std::vector<int64_t>& chosen) {
      cache.select(chosen);
      std::vector<int64_t> from, had;
      for (const int64_t row : chosen) {
        from.push_back(sources[static_cast<size_t>(row)]);
        had.push_back(read[static_cast<size_t>(row)]);
      }
      sources = from, read = had;
    };
    step({3, 40, 1});
    CHECK_FALSE(cache.same_length());
    step({1, 1, 1});
    select({2, 0, 0, 1});
    step({70, 1, 5, 0});
    select({2, 2});
    CHECK(cache.same_length());
    step({1, 1});
  }
}

TEST_CASE(
    "cached attention: caches that join go on as each row alone, and copy no more rows than they must") {
  constexpr int64_t rows = 5, tokens = 60, width = 3 * head_count;
  for (const DType dtype : {float32, float64}) {
    const std::vector<Tensor> in = drawn("joined", std::vector<Draw>(3, {{rows, tokens, width}}), dtype);
    const Tensor whole = multi_head_attention(in[0], in[1], in[2], head_count, {Mask::causal()});
    std::vector<int64_t> read(rows);
    /// The next `count` tokens of the sources that a cache holds.
    const auto step = [&](KeyValueCache& cache, const std::vector<int64_t>& sources, int64_t count) {
      std::vector<Tensor> pieces(3);
      for (size_t k = 0; k < 3; ++k) {
        std::vector<Tensor> all;
        for (const int64_t from : sources) {
          const int64_t begin = read[static_cast<size_t>(from)];
          all.push_back(part(in[k], from, begin, begin + count));
        }
        pieces[k] = cat(all, 0);
      }
      const Tensor y = cached_attention(pieces[0], pieces[1], pieces[2], head_count, cache);
      for (size_t b = 0; b < sources.size(); ++b) {
        int64_t& at = read[static_cast<size_t>(sources[b])];
        const Array got = part(y, static_cast<int64_t>(b), 0, count).value();
        const Array expected = part(whole, sources[b], at, at + count).value();
        if (dtype == float32) CHECK(got.identical(expected));
        CHECK(difference(got, expected, 1e-14) == "");
        at += count;
      }
    };
    KeyValueCache cache, other, third, none;
    step(cache, {0, 1}, 3);
    step(other, {2, 3}, 40);
    step(third, {4}, 1);
    cache.join(none);
    cache.join(other);
    CHECK(cache.lengths() == std::vector<int64_t>{3, 3, 40, 40});
    step(cache, {0, 1, 2, 3}, 1);
    cache.join(third);
    step(cache, {0, 1, 2, 3, 4}, 1);
    // The last one takes the place of one that leaves; what stays is not copied.
    const Array held = cache.keys();
    cache.select(std::vector<int64_t>{0, 4, 2, 3});
    CHECK(cache.keys().shares_buffer(held));
    step(cache, {0, 4, 2, 3}, 1);
    CHECK(cache.keys().shares_buffer(held));
    cache.select(std::vector<int64_t>{1, 0, 2});
    CHECK_FALSE(cache.keys().shares_buffer(held));
    step(cache, {4, 0, 2}, 1);
    none.join(cache);
    step(none, {4, 0, 2}, 1);
    const Tensor narrow = zeros({1, 1, 3}, dtype);
    KeyValueCache of_another;
    of_another.append(narrow.value(), narrow.value());
    refuses<ShapeError>([&] { none.join(of_another); }, {"KeyValueCache", "(1, 32, 3)", "does not join"});
    CHECK(none.lengths().size() == 3);
  }
}

TEST_CASE("cached attention: a memory that was read once has the bits of attention to it") {
  const std::vector<Tensor> in = drawn("memory", {{{3, 4, 6}}, {{3, 70, 6}}, {{3, 70, 6}}}, float32);
  for (const std::vector<int64_t>& lengths : {std::vector<int64_t>{70, 66, 9}, {70, 70, 70}, {0, 3, 70}}) {
    const Tensor whole = multi_head_attention(in[0], in[1], in[2], head_count, {Mask::lengths(lengths)});
    KeyValueCache memory;
    memory.append(in[1].value(), in[2].value(), lengths);
    const Tensor y = memory_attention(in[0], head_count, memory);
    CHECK_FALSE(y.requires_grad());
    CHECK(y.value().identical(whole.value()));
    memory.select(std::vector<int64_t>{1});
    CHECK(memory_attention(part(in[0], 1, 0, 4), head_count, memory)
              .value()
              .identical(part(whole, 1, 0, 4).value()));
  }
  refuses<StateError>([&] { memory_attention(in[0], head_count, {}); }, {"memory_attention"});
}

TEST_CASE("cached attention: a cache refuses what does not go on with it, and is not changed by that") {
  KeyValueCache cache;
  const Tensor x = zeros({batch_rows, 1, 6});
  cached_attention(x, x, x, head_count, cache);
  const Tensor other = zeros({1, 1, 6});
  refuses<ShapeError>([&] { cached_attention(other, other, other, head_count, cache); },
                      {"KeyValueCache", "(1, 1, 6)", "(2, "});
  refuses<ShapeError>(
      [&] {
        cached_attention(x, zeros({batch_rows, 2, 6}), zeros({batch_rows, 2, 6}), head_count, cache);
      },
      {"cached_attention", "(2, 1, 6)", "(2, 2, 6)"});
  refuses<ShapeError>([&] { cached_attention(x, x, x, 4, cache); },
                      {"cached_attention", "4 heads", "(2, 1, 6)"});
  const Tensor d = zeros({batch_rows, 1, 6}, float64);
  refuses<ShapeError>([&] { cached_attention(d, d, d, head_count, cache); },
                      {"KeyValueCache", "float32", "float64"});
  refuses<ValueError>([&] { cached_attention(x, x, x, head_count, cache, {}, {Mask::causal(1)}); },
                      {"cached_attention", "mask"});
  for (const std::vector<int64_t>& lengths : {std::vector<int64_t>{1}, {1, 2}, {-1, 1}})
    refuses<ShapeError>([&] { cached_attention(x, x, x, head_count, cache, lengths); },
                        {"KeyValueCache", "length"});
  for (const int64_t row : {-1, 2})
    refuses<ValueError>(
        [&] {
          cache.select(std::vector<int64_t>{0, row});
        },
        {"KeyValueCache", str("no row ", row)});
  CHECK(cache.length() == 1);
}

}  // namespace weft::test
