#include <doctest/doctest.h>
#include <weft/data/text/tokenizer.h>
#include <weft/lib/base/error.h>

using namespace weft;

TEST_CASE("characters get ids in the order of their code points") {
  const CharTokenizer tokenizer = CharTokenizer::of("hello \u00e9\U0001F600 ol\u00e9");
  CHECK(tokenizer.vocab_size() == 7);
  CHECK(tokenizer.encode(" ehlo\u00e9\U0001F600") == std::vector<int64_t>{0, 1, 2, 3, 4, 5, 6});
  CHECK(tokenizer.decode(std::vector<int64_t>{2, 1, 3, 3, 4, 5, 6}) == "hello\u00e9\U0001F600");
  CHECK(tokenizer.decode(6) == "\U0001F600");
  CHECK(tokenizer.encode("").empty());
  CHECK(CharTokenizer::of("ba").encode("ab") == CharTokenizer::of("abab").encode("ab"));
}

TEST_CASE("an unknown character is named with its position") {
  const CharTokenizer tokenizer = CharTokenizer::of("abc\u00e9");
  CHECK_THROWS_WITH_AS(tokenizer.encode("\u00e9\u00e9ax"),
                       "encode: character 'x' (U+0078) at position 3 is not among the 4 of the vocabulary",
                       ValueError);
  CHECK_THROWS_WITH_AS(
      tokenizer.encode("a\u20ac"),
      "encode: character '\u20ac' (U+20AC) at position 1 is not among the 4 of the vocabulary", ValueError);
  CHECK_THROWS_WITH_AS(tokenizer.encode("ab\xff"),
                       "encode: not UTF-8 at byte 2; tokenizer=byte takes any bytes", ValueError);
  CHECK_THROWS_AS(tokenizer.encode("a\xc3"), ValueError);
  std::vector<int64_t> ids;
  CHECK(tokenizer.append_ids("\u00e9cxa", ids) == 3);
  CHECK(ids == std::vector<int64_t>{3, 2});
}

TEST_CASE("with the option, unknown characters become one more token, but bad bytes stay refused") {
  const CharTokenizer tokenizer = CharTokenizer::of("abc", {.unknown = true});
  CHECK(tokenizer.vocab_size() == 4);
  CHECK(tokenizer.encode("axb\u20ac") == std::vector<int64_t>{0, 3, 1, 3});
  CHECK(tokenizer.decode(3) == "\ufffd");
  CHECK_THROWS_AS(tokenizer.encode("a\xff"), ValueError);
}

TEST_CASE("ids outside the vocabulary are refused") {
  for (const int64_t id : {int64_t{-1}, int64_t{3}, INT64_MAX})
    CHECK_THROWS_AS(CharTokenizer::of("abc").decode(id), ValueError);
  CHECK_THROWS_WITH_AS(ByteTokenizer().decode(256), "decode: id 256 is not in [0, 256)", ValueError);
}

TEST_CASE("bytes take anything and give it back") {
  const ByteTokenizer tokenizer;
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  const std::vector<int64_t> ids = tokenizer.encode(all);
  CHECK(ids.front() == 0);
  CHECK(ids.back() == 255);
  CHECK(tokenizer.decode(ids) == all);
  CHECK(tokenizer.count_characters(ids) == 192);  // all but the 64 that go on with a character
  CHECK(tokenizer.count_characters(tokenizer.encode("\u00e9a\u65e5\U0001F600")) == 4);
}

TEST_CASE("a tokenizer travels as a state") {
  for (const bool unknown : {false, true}) {
    const CharTokenizer tokenizer = CharTokenizer::of("z\u00e9a\U0001F600", {.unknown = unknown});
    const auto back = Tokenizer::from_state(tokenizer.state_dict());
    CHECK(std::string(back->kind()) == "char");
    CHECK(back->vocab_size() == tokenizer.vocab_size());
    CHECK(back->encode("a\U0001F600\u00e9z") == tokenizer.encode("a\U0001F600\u00e9z"));
    CHECK(identical(back->state_dict(), tokenizer.state_dict()));
  }
  CHECK(std::string(Tokenizer::from_state(ByteTokenizer().state_dict())->kind()) == "byte");
}

TEST_CASE("a damaged tokenizer state is refused") {
  const auto state_with = [](const std::vector<int32_t>& values, int unknown) {
    StateDict state;
    state.set("kind", "char");
    state.set("characters", Array::from(values, {static_cast<int64_t>(values.size())}));
    state.set("unknown", unknown);
    return state;
  };
  CHECK(Tokenizer::from_state(state_with({97, 98}, 0))->vocab_size() == 2);
  for (const std::vector<int32_t>& bad :
       {std::vector<int32_t>{}, {98, 97}, {97, 97}, {-1}, {0xd800}, {0x110000}})
    CHECK_THROWS_AS(Tokenizer::from_state(state_with(bad, 0)), StateError);
  CHECK_THROWS_AS(Tokenizer::from_state(state_with({97}, 2)), StateError);
  StateDict other;
  CHECK_THROWS_AS(Tokenizer::from_state(other), StateError);
  other.set("kind", "words");
  CHECK_THROWS_WITH_AS(Tokenizer::from_state(other),
                       "tokenizer: unknown kind 'words'; known are char, byte, bpe, unigram, sentencepiece-bpe, "
                       "pipeline, sentencepiece, padded, marked, word; the program that registered it opens it",
                       StateError);
  other.set("kind", "char");
  CHECK_THROWS_AS(Tokenizer::from_state(other), StateError);
  other.set("unknown", 0);
  other.set("characters", Array::zeros({2}));
  CHECK_THROWS_AS(Tokenizer::from_state(other), StateError);
}

TEST_CASE("an empty or impossible vocabulary is refused") {
  CHECK_THROWS_AS(CharTokenizer(std::vector<char32_t>{}), ValueError);
  CHECK_THROWS_AS(CharTokenizer(std::vector<char32_t>{U'a', 0xd800}), ValueError);
}
