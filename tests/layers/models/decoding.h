// What every GenerativeModel must do: read rows of different lengths, in pieces, reordered, with the bits
// that each row has alone.
#pragma once

#include <doctest/doctest.h>
#include <weft/autograd/ops.h>
#include <weft/layers/models/model.h>
#include <weft/lib/array/random.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <vector>

namespace weft::test {

using Ids = std::vector<int64_t>;

inline Array ids_of(const std::vector<Ids>& rows) {
  size_t longest = 1;
  for (const Ids& row : rows) longest = std::max(longest, row.size());
  Ids all;
  for (const Ids& row : rows) {
    all.insert(all.end(), row.begin(), row.end());
    all.resize(all.size() + longest - row.size(), 0);
  }
  return Array::from(all, {static_cast<int64_t>(rows.size()), static_cast<int64_t>(longest)});
}

/// Rows as the model knows them: what each has read, and how to begin it anew alone.
struct DecodedRows {
  const GenerativeModel& model;
  std::function<std::unique_ptr<DecoderState>(const std::vector<int64_t>& sources)> start;
  std::vector<int64_t> sources;
  std::unique_ptr<DecoderState> state = start(sources);
  std::vector<Ids> read = std::vector<Ids>(sources.size());

  /// Reads a piece a row, and compares each with the row alone: its whole text at once, and by the full pass.
  void next(const std::vector<Ids>& pieces, const std::function<Tensor(int64_t source, const Ids&)>& full) {
    std::vector<int64_t> lengths;
    for (size_t b = 0; b < pieces.size(); ++b) {
      lengths.push_back(static_cast<int64_t>(pieces[b].size()));
      read[b].insert(read[b].end(), pieces[b].begin(), pieces[b].end());
    }
    const Tensor logits = model.next(ids_of(pieces), lengths, *state);
    REQUIRE(logits.shape() == Shape{static_cast<int64_t>(pieces.size()), model.vocab_size()});
    for (size_t b = 0; b < pieces.size(); ++b) {
      CAPTURE(b);
      const int64_t row = static_cast<int64_t>(b), T = static_cast<int64_t>(read[b].size());
      CHECK(state->length(row) == T);
      const Array got = slice(logits, 0, row, row + 1).value();
      const auto alone = start({sources[b]});
      CHECK(got.identical(model.next(ids_of({read[b]}), {}, *alone).value()));
      const Tensor whole = full(sources[b], read[b]);  // (1, T, V)
      CHECK(got.identical(slice(whole, 1, T - 1, T).value().reshape(got.shape())));
    }
  }
  void select(const std::vector<int64_t>& rows) {
    state->select(rows);
    std::vector<Ids> texts;
    std::vector<int64_t> from;
    for (const int64_t row : rows) {
      texts.push_back(read[static_cast<size_t>(row)]);
      from.push_back(sources[static_cast<size_t>(row)]);
    }
    read = texts;
    sources = from;
  }
  /// Rows that have read other pieces stand behind these.
  void join(const std::vector<int64_t>& others, const std::vector<Ids>& pieces) {
    std::vector<int64_t> lengths;
    for (const Ids& piece : pieces) lengths.push_back(static_cast<int64_t>(piece.size()));
    const std::unique_ptr<DecoderState> other = start(others);
    model.next(ids_of(pieces), lengths, *other);
    CHECK(state->join(*other));
    CHECK(other->rows() == 0);
    CHECK_FALSE(state->join(*state));
    read.insert(read.end(), pieces.begin(), pieces.end());
    sources.insert(sources.end(), others.begin(), others.end());
    CHECK(state->rows() == std::ssize(read));
  }
};

/// `count` ids from `first` on of a fixed sequence.
inline Ids piece(int64_t first, int64_t count, int64_t vocab) {
  Ids ids;
  for (int64_t i = first; i < first + count; ++i)
    ids.push_back(static_cast<int64_t>(
        integer_at(random_key(3, 3), 0, static_cast<uint64_t>(i), static_cast<uint64_t>(vocab))));
  return ids;
}

/// A model without an encoder, whose context holds at least 12 tokens; fills it when it has an end.
inline void check_decoding(const GenerativeModel& model, int64_t vocab, int64_t context) {
  DecodedRows rows{
      model,
      [&](const std::vector<int64_t>& sources) { return model.start(static_cast<int64_t>(sources.size())); },
      {0, 0, 0}};
  const auto full = [&](int64_t, const Ids& ids) { return model.logits({ids_of({ids}), {}}); };
  const auto read = [&](const std::vector<int64_t>& counts) {
    std::vector<Ids> pieces;
    for (size_t b = 0; b < counts.size(); ++b)
      pieces.push_back(
          piece(100 * static_cast<int64_t>(b) + static_cast<int64_t>(rows.read[b].size()), counts[b], vocab));
    rows.next(pieces, full);
  };
  read({5, 1, 3});
  read({1, 1, 1});
  read({1, 4, 2});
  rows.select({2, 0, 0, 1});
  read({1, 1, 1, 1});
  read({2, 1, 3, 1});
  rows.join({0, 0}, {piece(900, 7, vocab), piece(950, 2, vocab)});
  read({1, 1, 1, 1, 1, 1});
  rows.join({0}, {piece(970, 1, vocab)});
  rows.select({0, 1, 6, 3, 4});
  read({1, 1, 2, 1, 1});
  rows.select({1, 0});
  read({1, context - static_cast<int64_t>(rows.read[1].size())});
  const Ids before = rows.read[0];
  rows.select({0});
  read({1});
  CHECK(rows.read[0].size() == before.size() + 1);
}

/// An encoder-decoder whose context holds at least 12 tokens.
inline void check_answering(const GenerativeModel& model, int64_t vocab) {
  const std::vector<Ids> sources = {piece(0, 9, vocab), piece(50, 1, vocab), piece(80, 5, vocab)};
  const auto source_batch = [&](const std::vector<int64_t>& rows) {
    std::vector<Ids> texts;
    Batch batch;
    for (const int64_t row : rows) {
      texts.push_back(sources[static_cast<size_t>(row)]);
      batch.lengths.push_back(static_cast<int64_t>(texts.back().size()));
    }
    batch.inputs = ids_of(texts);
    return batch;
  };
  DecodedRows rows{
      model, [&](const std::vector<int64_t>& of) { return model.start(source_batch(of)); }, {0, 1, 2}};
  // The full pass reads the start token and all targets but the last, so one more target is given.
  const auto full = [&](int64_t source, const Ids& ids) {
    Batch batch = source_batch({source});
    Ids targets(ids.begin() + 1, ids.end());
    targets.push_back(0);
    batch.targets = ids_of({targets});
    return model.logits(batch);
  };
  const auto read = [&](const std::vector<int64_t>& counts) {
    std::vector<Ids> pieces;
    for (size_t b = 0; b < counts.size(); ++b) {
      const int64_t before = static_cast<int64_t>(rows.read[b].size());
      Ids ids = piece(100 * static_cast<int64_t>(b) + before, counts[b], vocab);
      if (before == 0) ids[0] = model.start_id();
      pieces.push_back(ids);
    }
    rows.next(pieces, full);
  };
  read({1, 1, 1});
  read({1, 1, 1});
  read({1, 4, 2});
  rows.select({2, 0, 0, 1});
  read({1, 1, 1, 1});
  Ids begun = piece(900, 4, vocab);
  begun[0] = model.start_id();
  rows.join({1, 0}, {begun, {model.start_id()}});
  read({1, 1, 1, 1, 1, 1});
  rows.select({3, 0});
  read({2, 1});
  rows.select({});
  rows.join({0}, {{model.start_id()}});
  read({1});
}

}  // namespace weft::test
