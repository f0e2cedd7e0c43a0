#include <doctest/doctest.h>
#include <weft/data/text/streaming_decoder.h>
#include <weft/data/tokenizers/character_map.h>
#include <weft/data/tokenizers/padded_tokenizer.h>
#include <weft/data/tokenizers/pipeline_tokenizer.h>
#include <weft/data/tokenizers/regex.h>

#include "checks.h"

namespace weft {

using test::refuses;

namespace {

std::string after(const TokenizerStep& step, const std::string& text) {
  AlignedText made(text, 0, true);
  make_normalizer(step)(made);
  return made.text();
}

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

PipelineTokenizer::Parts small_parts() {
  PipelineTokenizer::Parts parts{.model = {}};
  parts.model.settings = {.type = "BPE"};
  parts.model.tokens = {"a", "b", "e", "ab", "\u0301", " ", "</s>"};
  parts.model.merges = {{0, 1, 3}};
  parts.normalizers = {{.type = "NFD"}, {.type = "Lowercase"}};
  parts.decoders = {{.type = "Fuse"}};
  parts.added = {{.id = 6, .content = "</s>", .special = true}};
  parts.single = {{PipelineTokenizer::Around::text, 0}, {6, 0}};
  return parts;
}

}  // namespace

TEST_CASE("normalizers: what becomes of a text") {
  CHECK(after({.type = "NFC"}, "e\u0301x") == "\u00e9x");
  CHECK(after({.type = "NFD"}, "\u00e9") == "e\u0301");
  CHECK(after({.type = "NFKC"}, "\ufb01\u2460\uff76\uff9e") == "fi1\u30ac");
  CHECK(after({.type = "NFC"}, "\u1100\u1161\u11a8") == "\uac01");
  CHECK(after({.type = "Lowercase"}, "\u00c4\u0130") == "\u00e4i\u0307");
  CHECK(after({.type = "StripAccents"}, "e\u0301") == "e");
  CHECK(after({.type = "Strip", .numbers = {{"strip_left", 1}, {"strip_right", 0}}}, " \ta ") == "a ");
  CHECK(after({.type = "Prepend", .texts = {{"prepend", "_"}}}, "a") == "_a");
  CHECK(after({.type = "Prepend", .texts = {{"prepend", "_"}}}, "") == "");
  CHECK(after({.type = "Replace", .texts = {{"pattern.String", "aa"}, {"content", "b"}}}, "aaa") == "ba");
  CHECK(after({.type = "Replace", .texts = {{"pattern.Regex", " {2,}"}, {"content", " "}}}, "a   b c") ==
        "a b c");
  CHECK(after({.type = "BertNormalizer"}, "\u00c9\u4e16\u0001\tx") == "e \u4e16  x");
  CHECK(after({.type = "ByteLevel"}, "\n\u00e9") == "\u010a\u00c3\u00a9");
  refuses<ValueError>(
      [] {
        make_normalizer({.type = "Precompiled", .texts = {{"precompiled_charsmap", "?"}}});
      },
      {"base64"});
}

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

TEST_CASE("regular expressions: matches; a search without end is refused") {
  using Spans = std::vector<Encoding::Span>;
  CHECK(Regex("b*").matches("abba") == Spans{{1, 3}});
  CHECK(Regex("\\p{L}+").matches("\u00e4 b") == Spans{{0, 2}, {3, 4}});
  CHECK(Regex(escaped_for_regex("a.[b")).matches("axa.[b") == Spans{{2, 6}});
  refuses<ValueError>([] { Regex("(a"); }, {"'(a'"});
  refuses<ValueError>([] { Regex("\xff"); }, {"not UTF-8 at byte 0"});
  refuses<ValueError>([] { Regex("^(a+)+$").matches(std::string(60, 'a') + "b"); }, {"retry-limit"});
}

TEST_CASE("base64: both ways") {
  for (const std::string bytes : {"", "f", "fo", "foo", "foob"})
    CHECK(from_base64(to_base64(bytes)) == bytes);
  CHECK(to_base64("foob") == "Zm9vYg==");
  refuses<ValueError>([] { from_base64("Zm9"); }, {"multiple of 4"});
}

TEST_CASE("pipeline: ids, spans, special tokens, and the text") {
  const PipelineTokenizer tokenizer(small_parts());
  const Encoding found = tokenizer.encode_with_spans("AB\u00c9 a");
  CHECK(found.ids == std::vector<int64_t>{3, 2, 4, 5, 0});
  CHECK(found.spans == std::vector<Encoding::Span>{{0, 2}, {2, 4}, {2, 4}, {4, 5}, {5, 6}});
  CHECK(tokenizer.decode(found.ids) == "abe\u0301 a");
  refuses<ValueError>([&] { tokenizer.encode("ab</s>"); }, {"character '<' (U+003C) at position 2"});
  refuses<ValueError>([&] { tokenizer.encode("a\xff"); }, {"not UTF-8 at byte 1"});
  CHECK(tokenizer.encode_special("ab</s>a") == std::vector<int64_t>{3, 6, 0, 6});
  CHECK(tokenizer.encode_special("a", {.end = false}) == std::vector<int64_t>{0});
  refuses<ValueError>([&] { tokenizer.encode_special("a", {.second = "b"}); }, {"no pairs"});
  refuses<ValueError>([&] { tokenizer.encode_special("a\xff"); }, {"not UTF-8 at byte 1"});
  refuses<ValueError>([&] { tokenizer.decode(7); }, {"id 7 is not in [0, 7)"});
  CHECK(tokenizer.encode("").empty());
}

TEST_CASE("pipeline: damaged states are refused") {
  const StateDict state = PipelineTokenizer(small_parts()).state_dict();
  CHECK(identical(Tokenizer::from_state(state)->state_dict(), state));
  const auto damaged = [&](const char* key, auto value, const std::string& says) {
    StateDict other = state;
    other.set(key, value);
    refuses<StateError>([&] { Tokenizer::from_state(other); }, {says});
  };
  damaged("merges", Array::from({0, 1}, {2}), "2 numbers of merges");
  damaged("merges", Array::from({0, 1, 70}, {3}), "merge 0 names the token 70 of 7");
  damaged("added", Array::from({9, 1, 0, 0, 0, 0}, {6}), "the added token 0 is 9, of 7");
  damaged("around", Array::from({3, 0}, {2}), "what goes around a text is damaged");
  damaged("around", Array::from({1, 99, 0, 0}, {4}), "has the token 99");
  damaged("token_ends", Array::from({5, 2}, {2}), "token 1 ends at 2");
  damaged("scores", Array::from({1}, {1}), "scores must be float64");
  damaged("normalizers", state_of({{.type = "Shout"}}), "the normalizer Shout");
  damaged("model", state_of({}), "0 models");
}

TEST_CASE("padded: more ids than a tokenizer has, which stand for nothing") {
  const auto own = std::make_shared<PipelineTokenizer>(small_parts());
  const PaddedTokenizer padded(own, 10);
  CHECK(padded.vocab_size() == 10);
  CHECK(padded.encode("ab a") == own->encode("ab a"));
  CHECK(padded.decode(9).empty());
  CHECK(padded.decode(std::vector<int64_t>{3, 9, 0}) == "aba");
  CHECK(decode_whole(padded, std::vector<int64_t>{9, 3, 8, 0}, {.begins = true}) == "aba");
  CHECK(identical(Tokenizer::from_state(padded.state_dict())->state_dict(), padded.state_dict()));
  refuses<ValueError>([&] { PaddedTokenizer(own, 6); }, {"7 tokens does not fit into 6"});
  refuses<ValueError>([&] { padded.decode(10); }, {"id 10"});
  StateDict twice = padded.state_dict();
  twice.set("own", padded.state_dict());
  refuses<StateError>([&] { Tokenizer::from_state(twice); }, {"padded twice"});
}

}  // namespace weft
