#include <doctest/doctest.h>
#include <weft/data/tokenizers/splits.h>

namespace weft {

namespace {

/// The pieces with '|' between.
std::string pieces(const std::vector<TokenizerStep>& steps, const std::string& text) {
  std::vector<TextPiece> all;
  all.push_back({AlignedText(text, 0, false), true});
  for (const TokenizerStep& step : steps) make_split(step)(all);
  std::string out;
  for (const TextPiece& piece : all) out += (out.empty() ? "" : "|") + piece.text.text();
  return out;
}

TokenizerStep splitting(const std::string& behavior, const std::string& regex = "-", int64_t invert = 0) {
  return {.type = "Split",
          .texts = {{"pattern.Regex", regex}, {"behavior", behavior}},
          .numbers = {{"invert", invert}}};
}

}  // namespace

TEST_CASE("splits: where a text is cut") {
  CHECK(pieces({splitting("Removed")}, "a-b--c") == "a|b|c");
  CHECK(pieces({splitting("Isolated")}, "a-b--c") == "a|-|b|-|-|c");
  CHECK(pieces({splitting("Contiguous")}, "a-b--c") == "a|-|b|--|c");
  CHECK(pieces({splitting("MergedWithPrevious")}, "a-b--c") == "a-|b-|-|c");
  CHECK(pieces({splitting("MergedWithNext")}, "a-b--c") == "a|-b|-|-c");
  CHECK(pieces({splitting("Removed", "\\w+", 1)}, "ab cd") == "ab|cd");
  CHECK(pieces({{.type = "Whitespace"}}, "Hey you!! x") == "Hey|you|!!|x");
  CHECK(pieces({{.type = "WhitespaceSplit"}}, "Hey you!! x") == "Hey|you!!|x");
  CHECK(pieces({{.type = "BertPreTokenizer"}}, "Hey you!! x") == "Hey|you|!|!|x");
  CHECK(pieces({{.type = "Digits", .numbers = {{"individual_digits", 1}}}}, "a12b") == "a|1|2|b");
  CHECK(pieces({{.type = "Digits"}}, "a12b") == "a|12|b");
  CHECK(pieces({{.type = "Punctuation"}}, "a.b") == "a|.|b");
  CHECK(pieces({{.type = "CharDelimiterSplit", .texts = {{"delimiter", "x"}}}}, "axb") == "a|b");
  CHECK(pieces({{.type = "Metaspace"}}, "a  b") == "\u2581a|\u2581|\u2581b");
  CHECK(pieces({{.type = "Metaspace", .texts = {{"prepend_scheme", "never"}}}}, "a b") == "a|\u2581b");
  CHECK(pieces({{.type = "ByteLevel", .numbers = {{"add_prefix_space", 0}}}}, "a b's") == "a|\u0120b|'s");
}

}  // namespace weft
