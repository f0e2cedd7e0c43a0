#include <doctest/doctest.h>
#include <weft/data/text/text_bytes.h>
#include <weft/data/text/tokenize.h>
#include <weft/lib/base/error.h>

#include "folder.h"

using namespace weft;

namespace {

/// Words by their length, up to 9; spaces are lost, as WordPiece loses them.
class Lengths : public Tokenizer {
 public:
  explicit Lengths(bool tells = true) : tells_(tells) {}
  const char* kind() const override { return "sentencepiece"; }
  int64_t vocab_size() const override { return 10; }
  size_t append_ids(std::string_view text, std::vector<int64_t>& ids) const override {
    const Encoding found = run(text);
    ids.insert(ids.end(), found.ids.begin(), found.ids.end());
    return text.size();
  }
  std::string decode(int64_t) const override { return "?"; }
  Encoding encode_with_spans(std::string_view text) const override {
    if (!tells_) throw ValueError("cannot tell");
    return run(text);
  }
  std::map<std::string, int64_t> special_tokens() const override { return {{"</s>", 0}}; }
  size_t safe_cut(std::string_view text) const override {
    const size_t space = text.rfind(' ');
    return space == text.npos ? 0 : space;
  }
  StateDict state_dict() const override {
    StateDict state;
    state.set("kind", kind());
    return state;
  }

 private:
  static Encoding run(std::string_view text) {
    Encoding all;
    for (size_t at = 0; at < text.size();) {
      size_t end = at;
      while (end < text.size() && text[end] != ' ') ++end;
      if (end > at) {
        all.ids.push_back(static_cast<int64_t>(std::min<size_t>(9, end - at)));
        all.spans.push_back({at, end});
      }
      at = end + 1;
    }
    return all;
  }
  bool tells_;
};

}  // namespace

TEST_CASE("of tokenizers that lose nothing, scored bytes are those that the tokens are written with") {
  const Folder folder;
  const std::string path = folder.write("a", "\u00e9 and the \u20ac and the rest and the rest");
  const TextFiles files{.paths = {path}};
  for (const char* name : {"char", "byte", "bpe"}) {
    const TokenizedText text =
        tokenize_files({path}, {.tokenizer = name, .settings = {{"vocab_size", int64_t{270}}}});
    CHECK(is_lossless(*text.tokenizer));
    const TokenRange all = all_tokens(text.tokens);
    std::vector<int64_t> ids(static_cast<size_t>(all.size));
    all.read(0, ids);
    const auto first = static_cast<int64_t>(text.tokenizer->decode(ids[0]).size());
    CHECK(scored_bytes({files, *text.tokenizer}, all) == text.bytes - first);
    const TokenRange part{text.tokens, 3, 5, "a part"};
    const auto written = text.tokenizer->decode(std::span<const int64_t>(ids).subspan(4, 4)).size();
    CHECK(scored_bytes({files, *text.tokenizer}, part) == static_cast<int64_t>(written));
  }
}

TEST_CASE("bytes that a tokenizer loses count to the token behind them, at the end to the one before") {
  const Folder folder;
  const std::string path = folder.write("a", "  one three  five   ");
  const TextFiles files{.paths = {path}};
  const auto with = std::make_shared<Lengths>();
  CHECK_FALSE(is_lossless(*with));
  CHECK_FALSE(is_lossless(CharTokenizer::of("a", {.unknown = true})));
  const TokenizedText text = tokenize_files({path}, {.with = with});
  REQUIRE(text.tokens->size() == 3);
  const TextTokens tokens{files, *with};
  CHECK(scored_bytes(tokens, all_tokens(text.tokens)) == 20 - 5);
  CHECK(scored_bytes(tokens, {text.tokens, 0, 2, ""}) == 6);
  CHECK(scored_bytes(tokens, {text.tokens, 1, 2, ""}) == 9);
  const Lengths silent(false);
  CHECK_FALSE(scored_bytes({files, silent}, all_tokens(text.tokens)).has_value());
}

TEST_CASE("of a long text, cut where the tokenizer may, every byte counts once") {
  const Folder folder;
  std::string content;
  while (content.size() < 300000) content += "some words are long and others are short ";
  const std::string path = folder.write("a", content);
  const auto with = std::make_shared<Lengths>();
  const TokenizedText text = tokenize_files({path}, {.with = with});
  CHECK(scored_bytes({{.paths = {path}}, *with}, all_tokens(text.tokens)) ==
        static_cast<int64_t>(content.size()) - 4);
}

TEST_CASE("an end of text stands for no byte, and the first token of a document may be left out") {
  const Folder folder;
  const std::vector<std::string> paths{folder.write("a", "abc"), folder.write("b", "\u00e9fgh")};
  const TextFiles files{.paths = paths, .by_file = true};
  const TokenizedText text = tokenize_files(paths, {.by_file = true});
  REQUIRE(text.end_id >= 0);
  const TextTokens tokens{files, *text.tokenizer, text.end_id};
  CHECK(scored_bytes(tokens, all_tokens(text.tokens)) == 2 + 5);
  CHECK(scored_bytes(tokens, all_tokens(text.tokens), true) == 2 + 3);
  CHECK(scored_bytes(tokens, {text.tokens, 4, 5, ""}, true) == 3);
}
