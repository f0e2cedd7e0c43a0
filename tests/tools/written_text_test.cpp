#include <doctest/doctest.h>
#include <weft/tools/writing/written_text.h>

#include <string>
#include <vector>

namespace weft::tools {
namespace {

std::vector<int64_t> bytes_of(const std::string& text) {
  std::vector<int64_t> ids;
  for (const char c : text) ids.push_back(static_cast<unsigned char>(c));
  return ids;
}

/// What is written after each byte, with | between, until it stops; then the rest.
std::string pieces(const std::string& text, WrittenText::Options options) {
  const ByteTokenizer tokenizer;
  WrittenText written(tokenizer, std::move(options));
  std::string all;
  for (const int64_t id : bytes_of(text)) {
    all += written.next(id) + "|";
    if (written.stops()) break;
  }
  return all + written.rest() + (written.stops() ? "!" : "");
}

}  // namespace

TEST_CASE("written text: a stop ends it, and may be left out") {
  CHECK(pieces("abcd", {}) == "a|b|c|d|");
  CHECK(pieces("abcd", {.stop = {"bc", "d"}}) == "a|b|c|!");
  CHECK(pieces("abcd", {.stop = {"bc", "d"}, .without_stop = true}) == "a|||!");
  CHECK(pieces("abab", {.stop = {"abc"}, .without_stop = true}) == "||ab||ab");
  CHECK(pieces("ababc", {.stop = {"abc"}, .without_stop = true}) == "||ab|||!");
  CHECK(pieces("aaab", {.stop = {"aab"}, .without_stop = true}) == "||a||!");
  CHECK(pieces("ab", {.stop = {"xyz", "bz", "by"}, .without_stop = true}) == "a||b");
  CHECK(pieces("xa", {.stop = {"x", "a"}}) == "x|!");
  CHECK(pieces("abc", {.stop = {"c", "bc", "abc"}, .without_stop = true}) == "|||!");
}

TEST_CASE("written text: a stop within a token ends it, too") {
  struct Words : ByteTokenizer {
    using Tokenizer::decode;
    std::string decode(int64_t id) const override { return id == 0 ? "one, two." : " three"; }
  } tokenizer;
  for (const bool without : {false, true}) {
    WrittenText written(tokenizer, {.stop = {", "}, .without_stop = without});
    CHECK(written.next(0) == (without ? "one" : "one, two."));
    CHECK(written.stops());
    CHECK(written.next(1).empty());
    CHECK(written.rest().empty());
    CHECK(written.size() == written.written());
  }
  WrittenText across(tokenizer, {.stop = {". t"}, .without_stop = true});
  CHECK(across.next(0) == "one, two");
  CHECK(across.size() == 9);
  CHECK(across.written() == 8);
  CHECK(across.next(1).empty());
  CHECK(across.stops());
}

TEST_CASE("written text: ends say nothing, and characters come whole") {
  CHECK(pieces("a\nb", {.silent = {'\n'}}) == "a||b|");
  CHECK(pieces("\xC3\xA4z", {.stop = {"z"}, .without_stop = true}) == "|\xC3\xA4||!");
  CHECK(pieces("\xC3\xA4", {.stop = {"\xC3\xA4"}, .without_stop = true}) == "||!");
  CHECK(pieces("\xFFz\xC3", {.decoding = {.display = true}}) == "\xEF\xBF\xBD|z||");
  CHECK(pieces("\xFFz\xC3", {}) == "\xFF|z||\xC3");
}

}  // namespace weft::tools
