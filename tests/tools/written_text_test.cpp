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
std::string written_pieces(const std::string& text, WrittenText::Options options) {
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
  CHECK(written_pieces("abcd", {}) == "a|b|c|d|");
  CHECK(written_pieces("abcd", {.stop = {"bc", "d"}}) == "a|b|c|!");
  CHECK(written_pieces("abcd", {.stop = {"bc", "d"}, .without_stop = true}) == "a|||!");
  CHECK(written_pieces("abab", {.stop = {"abc"}, .without_stop = true}) == "||ab||ab");
  CHECK(written_pieces("ababc", {.stop = {"abc"}, .without_stop = true}) == "||ab|||!");
  CHECK(written_pieces("aaab", {.stop = {"aab"}, .without_stop = true}) == "||a||!");
  CHECK(written_pieces("ab", {.stop = {"xyz", "bz", "by"}, .without_stop = true}) == "a||b");
  CHECK(written_pieces("xa", {.stop = {"x", "a"}}) == "x|!");
  CHECK(written_pieces("abc", {.stop = {"c", "bc", "abc"}, .without_stop = true}) == "|||!");
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
  CHECK(written_pieces("a\nb", {.silent = {'\n'}}) == "a||b|");
  CHECK(written_pieces("\xC3\xA4z", {.stop = {"z"}, .without_stop = true}) == "|\xC3\xA4||!");
  CHECK(written_pieces("\xC3\xA4", {.stop = {"\xC3\xA4"}, .without_stop = true}) == "||!");
  CHECK(written_pieces("\xFFz\xC3", {.decoding = {.display = true}}) == "\xEF\xBF\xBD|z||");
  CHECK(written_pieces("\xFFz\xC3", {}) == "\xFF|z||\xC3");
}

}  // namespace weft::tools
