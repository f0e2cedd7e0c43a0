#include <doctest/doctest.h>
#include <weft/data/text/word_tokenizer.h>
#include <weft/train/vocabulary_change.h>

#include <vector>

#include "checks.h"

namespace weft::test {
namespace {

using Ids = std::vector<int64_t>;
using Fresh = VocabularyChange::Fresh;

}  // namespace

TEST_CASE("vocabulary change: characters, bytes and words follow what they are written as") {
  const VocabularyChange more(CharTokenizer::of("bdf"), CharTokenizer::of("abcd"));
  CHECK(more.from() == Ids{-1, 0, -1, 1});
  CHECK(more.before() == 3);
  CHECK(more.now() == 4);
  CHECK(more.kept() == 2);
  CHECK_FALSE(more.none());
  CHECK(VocabularyChange(CharTokenizer::of("abc"), CharTokenizer::of("cab")).none());
  CHECK_FALSE(VocabularyChange(CharTokenizer::of("abc"), CharTokenizer::of("ab")).none());
  // One for all others is that one again; the character of the same looks is another.
  const CharTokenizer rest = CharTokenizer::of("ab", {.unknown = true}),
                      both = CharTokenizer::of("abc\uFFFD", {.unknown = true});
  CHECK(VocabularyChange(rest, CharTokenizer::of("abc", {.unknown = true})).from() == Ids{0, 1, -1, 2});
  CHECK(VocabularyChange(both, CharTokenizer::of("a\uFFFD", {.unknown = true})).from() == Ids{0, 3, 4});
  const VocabularyChange bytes(CharTokenizer::of("a\u00e9"), ByteTokenizer());
  CHECK(bytes.kept() == 1);
  CHECK(bytes.from()['a'] == 0);
  const WordTokenizer before = WordTokenizer::of("The fox ran."), now = WordTokenizer::of("A fox sat.");
  const VocabularyChange words(before, now);
  CHECK(words.kept() == WordTokenizer::first_word + 2);
  for (const char* word : {" fox", ".", " </s>"})
    CHECK(words.from()[static_cast<size_t>(now.encode(word)[0])] == before.encode(word)[0]);
}

TEST_CASE("vocabulary change: kept entries have their bits, new ones the mean or zeros, on any axis") {
  const VocabularyChange change(CharTokenizer::of("bdf"), CharTokenizer::of("abcd"));  // -1 0 -1 1
  const Array table = Array::from<float>({0.1F, 2, 0.3F, 8, 100, 100}, {3, 2});
  const Array rows = change.applied(table, 0, Fresh::mean);
  CHECK(rows.identical(Array::from<float>({0.2F, 5, 0.1F, 2, 0.2F, 5, 0.3F, 8}, {4, 2})));
  CHECK(change.applied(table, 0, Fresh::zero)
            .identical(Array::from<float>({0, 0, 0.1F, 2, 0, 0, 0.3F, 8}, {4, 2})));
  const Array columns = Array::from<double>({1, 3, 50, 2, 6, 50}, {2, 3});
  CHECK(change.applied(columns, 1, Fresh::mean)
            .identical(Array::from<double>({2, 1, 2, 3, 4, 2, 4, 6}, {2, 4})));
  CHECK(change.applied(Array::from<float>({1, 3, 9}, {3}), 0, Fresh::mean)
            .identical(Array::from<float>({2, 1, 2, 3}, {4})));
  refuses<ShapeError>([&] { change.applied(columns, 0, Fresh::mean); }, {"(2, 3)", "3 ids on axis 0"});
  refuses<TypeError>([&] { change.applied(Array::arange(3), 0, Fresh::zero); }, {"int64"});
  const VocabularyChange other(CharTokenizer::of("xyz"), CharTokenizer::of("ab"));
  CHECK(other.kept() == 0);
  refuses<ValueError>([&] { other.applied(table, 0, Fresh::mean); }, {"no token is kept"});
}

}  // namespace weft::test
