#include <doctest/doctest.h>
#include <weft/data/text/streaming_decoder.h>
#include <weft/data/text/utf8.h>
#include <weft/data/text/word_tokenizer.h>
#include <weft/lib/array/random.h>

#include <string>
#include <vector>

using namespace weft;

namespace {

using Texts = std::vector<std::string>;

const ByteTokenizer bytes;

/// What is written with each byte.
Texts written(const std::string& text, StreamingDecoder::Options options = {}) {
  StreamingDecoder decoder(bytes, options);
  Texts all;
  for (const int64_t id : bytes.encode(text)) all.push_back(decoder.next(id));
  if (const std::string rest = decoder.rest(); !rest.empty()) all.push_back("rest: " + rest);
  CHECK(decoder.bytes() == text);
  return all;
}

std::string joined(const Texts& parts) {
  std::string all;
  for (const std::string& part : parts) all += part;
  return all;
}

}  // namespace

TEST_CASE("a character is written once it is whole, and an unfinished one never") {
  CHECK(written("a\u00e9\u20ac\U0001F600") ==
        Texts{"a", "", "\u00e9", "", "", "\u20ac", "", "", "", "\U0001F600"});
  CHECK(written("a\xe2\x82") == Texts{"a", "", ""});
  CHECK(written("\xf0\x9f\x98") == Texts{"", "", ""});
}

TEST_CASE("bytes that no character has are written as they are, or shown as U+FFFD") {
  CHECK(written("\xff"
                "a") == Texts{"\xff", "a"});
  CHECK(written("\xff\xe2\x82") == Texts{"\xff", "", "", "rest: \xe2\x82"});
  CHECK(written("\xff\xe2\x82", {.display = true}) == Texts{"\uFFFD", "", ""});
  CHECK(written("\xff\x82", {.before = "\xe2"}) == Texts{"\xff", "\x82"});
  CHECK(written("\xe2\x82"
                "a") == Texts{"", "",
                              "\xe2\x82"
                              "a"});
  CHECK(written("\xe2\xe2\x82\xac") == Texts{"", "\xe2", "", "\u20ac"});
  CHECK(written("\xed\xa0\x80") == Texts{"", "\xed\xa0", "\x80"});
  CHECK(written("\xff"
                "a",
                {.display = true}) == Texts{"\uFFFD", "a"});
  CHECK(written("\xe2\x82"
                "a",
                {.display = true}) == Texts{"", "",
                                            "\uFFFD"
                                            "a"});
  CHECK(written("\xc3", {.display = true}) == Texts{""});
}

TEST_CASE("what was written before may end within a character") {
  CHECK(written("\xa9"
                "a",
                {.before = "x\xc3"}) == Texts{"\xa9", "a"});
  CHECK(written("\x82\xac", {.before = "\xe2"}) == Texts{"", "\x82\xac"});
  CHECK(written("a", {.before = "\xe2\x82"}) == Texts{"a"});
  CHECK(written("a", {.display = true, .before = "\xe2\x82"}) == Texts{"a"});
  CHECK(written("\x82", {.before = "\xe2"}) == Texts{""});
  CHECK(written("\xa9", {.before = "\u00e9"}) == Texts{"\xa9"});
}

TEST_CASE("of random bytes all are written but an unfinished end, and what is shown is UTF-8") {
  constexpr std::string_view parts[] = {"a",    "\xc3", "\xa9", "\xe2", "\x82", "\xac", "\xf0",
                                        "\x9f", "\x98", "\x80", "\xff", "\xed", "\xa0"};
  for (uint64_t i = 0; i < 500; ++i) {
    std::string text;
    for (uint64_t draw = 0; draw < 12; ++draw) text += parts[integer_at({5, 5}, i, draw, std::size(parts))];
    const std::string raw = decode_whole(bytes, bytes.encode(text));
    CHECK(text.starts_with(raw));
    CHECK(text.size() - raw.size() <= 3);
    if (raw.size() < text.size()) {
      CHECK(decode_utf8(text.substr(raw.size())).length == -1);
      CHECK_NOTHROW(characters_of(raw));
    }
    CHECK_NOTHROW(characters_of(joined(written(text, {.display = true}))));
  }
}

TEST_CASE("characters and words are written as they are decoded") {
  const CharTokenizer chars = CharTokenizer::of("a\u00e9");
  CHECK(decode_whole(chars, chars.encode("\u00e9a\u00e9")) == "\u00e9a\u00e9");
  const WordTokenizer words = WordTokenizer::of("The fox ran.");
  const std::vector<int64_t> ids = words.encode("fox ran.");
  CHECK(decode_whole(words, ids) == " fox ran.");
  CHECK(decode_whole(words, ids, {.begins = true}) == words.decode(ids));
}
