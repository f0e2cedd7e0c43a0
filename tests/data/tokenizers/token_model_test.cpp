#include <doctest/doctest.h>
#include <weft/data/tokenizers/token_model.h>

#include "checks.h"

namespace weft {

using test::refuses;

namespace {

std::string tokens_of(const TokenModelParts& parts, const std::string& word) {
  std::vector<PlacedToken> found;
  make_token_model(parts, {})->append(word, found);
  std::string all;
  for (const auto& [id, begin, end] : found) all += str(id, ":", word.substr(begin, end - begin), " ");
  return all;
}

}  // namespace

TEST_CASE("token models: what each kind makes of a word") {
  TokenModelParts bpe{.settings = {.type = "BPE"},
                      .tokens = {"a", "b", "c", "bc", "abc"},
                      .merges = {{1, 2, 3}, {0, 3, 4}},
                      .scores = {}};
  CHECK(tokens_of(bpe, "abcb") == "4:abc 1:b ");
  bpe.merges.pop_back();
  CHECK(tokens_of(bpe, "abc") == "0:a 3:bc ");
  bpe.settings.numbers["ignore_merges"] = 1;
  CHECK(tokens_of(bpe, "abc") == "4:abc ");
  TokenModelParts piece{.settings = {.type = "WordPiece", .texts = {{"unk_token", "?"}}},
                        .tokens = {"?", "un", "##aff", "##able", "u"},
                        .merges = {},
                        .scores = {}};
  CHECK(tokens_of(piece, "unaffable") == "1:un 2:aff 3:able ");
  CHECK(tokens_of(piece, "unable!") == "0:unable! ");
  const TokenModelParts level{.settings = {.type = "WordLevel", .texts = {{"unk_token", "?"}}},
                              .tokens = {"?", "cat"},
                              .merges = {},
                              .scores = {}};
  CHECK(tokens_of(level, "cat") == "1:cat ");
  CHECK(tokens_of(level, "cats") == "0:cats ");
  const TokenModelParts unigram{.settings = {.type = "Unigram", .numbers = {{"unk_id", 0}}},
                                .tokens = {"?", "a", "ab", "b"},
                                .merges = {},
                                .scores = {0, -2, -3, -2}};
  CHECK(tokens_of(unigram, "aba") == "2:ab 1:a ");
}

TEST_CASE("token models: parts that do not fit are refused") {
  refuses<ValueError>(
      [] {
        make_token_model({.settings = {.type = "Morphemes"}, .tokens = {}, .merges = {}, .scores = {}}, {});
      },
      {"Morphemes"});
  refuses<ValueError>(
      [] {
        make_token_model({.settings = {.type = "BPE", .numbers = {{"loud", 1}}},
                          .tokens = {"a"},
                          .merges = {},
                          .scores = {}},
                         {});
      },
      {"setting loud"});
  refuses<ValueError>(
      [] {
        make_token_model({.settings = {.type = "Unigram"}, .tokens = {"a"}, .merges = {}, .scores = {}}, {});
      },
      {"0 scores for 1 tokens"});
  refuses<ValueError>(
      [] {
        make_token_model({.settings = {.type = "WordPiece", .texts = {{"unk_token", "?"}}},
                          .tokens = {"a"},
                          .merges = {},
                          .scores = {}},
                         {});
      },
      {"?"});
}

}  // namespace weft
