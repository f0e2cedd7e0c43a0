#include <doctest/doctest.h>
#include <weft/data/generators/stories.h>
#include <weft/data/text/tokenize.h>
#include <weft/data/text/utf8.h>
#include <weft/data/tokenizers/sentencepiece_tokenizer.h>
#include <weft/data/tokenizers/sentencepiece_training.h>
#include <weft/lib/base/error.h>
#include <weft/lib/machine/parallel.h>

#include <algorithm>
#include <stdexcept>

#include "checks.h"
#include "folder.h"

using namespace weft;

namespace {

using Algorithm = SentencePieceModel::Algorithm;

/// False, and says so, where libweft-sentencepiece.so is not built.
bool there() {
  try {
    check_sentencepiece_training();
    return true;
  } catch (const FileError& error) {
    MESSAGE("skipped: ", error.what());
    return false;
  }
}

std::string learned(const std::string& text, const SentencePieceTrainingOptions& options,
                    size_t piece = size_t{1} << 20) {
  return train_sentencepiece(options, static_cast<int64_t>(text.size()), [&](const auto& put) {
    for (size_t at = 0; at < text.size(); at += piece) put(std::string_view(text).substr(at, piece));
  });
}

const std::string& stories() {
  static const std::string text = generate_stories(200000, 3).text;
  return text;
}

/// Words, spaces in a row, newlines, controls, and characters of every plane.
std::string random_text(Draws& draws) {
  std::string text;
  for (uint64_t left = draws.below(60); left > 0; --left) {
    const uint64_t kind = draws.below(8);
    if (kind < 3)
      text +=
          draws.one_of(std::vector<std::string>{"the river", "Mia", " took", "  ", " ", "\n", "\r\n", "\t"});
    else if (kind < 5)
      text += static_cast<char>(draws.below(128));
    else
      for (char32_t c = 0x2581; c == 0x2581 || (c >= 0xD800 && c < 0xE000);) {
        c = static_cast<char32_t>(draws.below(kind == 5 ? 0x3000 : 0x110000));
        if (c != 0x2581 && (c < 0xD800 || c >= 0xE000)) text += encode_utf8(c);
      }
  }
  return text;
}

}  // namespace

TEST_CASE("texts come back byte for byte, and spans cover them") {
  if (!there()) return;
  for (const Algorithm algorithm : {Algorithm::unigram, Algorithm::bpe}) {
    const SentencePieceTokenizer tokenizer(learned(stories(), {.algorithm = algorithm, .vocab_size = 600}));
    CHECK(tokenizer.model().algorithm == algorithm);
    CHECK(tokenizer.vocab_size() == 600);
    CHECK(tokenizer.encode(stories()).size() < stories().size() * 11 / 20);
    CHECK(tokenizer.decode(tokenizer.encode(stories())) == stories());
    for (uint64_t sample = 0; sample < 2000; ++sample) {
      Draws draws(random_key(1, 2), sample);
      const std::string text = random_text(draws);
      CAPTURE(text);
      const Encoding found = tokenizer.encode_with_spans(text);
      CHECK(found.ids == tokenizer.encode(text));
      CHECK(tokenizer.decode(found.ids) == text);
      size_t covered = 0;
      for (const auto& span : found.spans) {
        CHECK(span.begin <= covered);
        CHECK(span.end >= covered);
        covered = span.end;
      }
      CHECK(covered == text.size());
    }
    CHECK(tokenizer.decode(tokenizer.encode("a\u2581b")) == "a b");  // the one that does not
  }
}

TEST_CASE("the model is a function of the text alone") {
  if (!there()) return;
  const std::string once = learned(stories(), {.vocab_size = 500});
  CHECK(learned(stories(), {.vocab_size = 500}, 11) == once);
  const int before = num_threads();
  for (const int threads : {1, 4}) {
    set_num_threads(threads);
    CHECK(learned(stories(), {.vocab_size = 500}) == once);
  }
  set_num_threads(before);
  CHECK(learned(stories() + "Zebras graze.\n", {.vocab_size = 500}) != once);
}

TEST_CASE("of a long text a share of the sentences is learned from, always the same") {
  if (!there()) return;
  const SentencePieceTrainingOptions some = {.vocab_size = 400, .most_bytes = 50000};
  const std::string once = learned(stories(), some);
  CHECK(learned(stories(), some, 999) == once);
  CHECK(learned(stories(), {.vocab_size = 400}) != once);
  const SentencePieceTokenizer tokenizer(once);
  CHECK(tokenizer.decode(tokenizer.encode(stories())) == stories());
}

TEST_CASE("long lines, and what SentencePiece keeps for itself, are learned from in parts") {
  if (!there()) return;
  std::string line = stories();
  for (const char* by : {" ", "\t", "\u2585"}) {
    std::string text = line;
    for (size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at))
      text.replace(at, 1, by);
    const SentencePieceTokenizer tokenizer(learned(text, {.vocab_size = 500}));
    CHECK(tokenizer.vocab_size() == 500);
    CHECK(tokenizer.encode(stories()).size() < stories().size() * 11 / 20);
  }
  std::string unbroken;
  for (int i = 0; i < 5000; ++i) unbroken += i % 3 == 0 ? "\u00e4" : "\U0001F600";
  CHECK(SentencePieceTokenizer(learned(unbroken, {.vocab_size = 300})).vocab_size() > 260);
}

TEST_CASE("normalization is a choice") {
  if (!there()) return;
  const SentencePieceTokenizer tokenizer(
      learned(stories(), {.vocab_size = 400, .normalization = "nmt_nfkc"}));
  CHECK(tokenizer.decode(tokenizer.encode("\uff2dia \u2460")) == "Mia 1");
}

TEST_CASE("what cannot be learned is said") {
  if (!there()) return;
  weft::test::refuses<ValueError>(
      [] { learned(stories(), {.vocab_size = 265}); },
      {"vocab_size 265 is too small for the characters of the text; it needs at least 3"});
  CHECK_THROWS_AS(learned(stories(), {.vocab_size = 100}), ValueError);
  CHECK_THROWS_AS(learned(stories(), {.algorithm = Algorithm::word}), ValueError);
  CHECK_THROWS_AS(learned(stories(), {.normalization = "nfd"}), ValueError);
  CHECK_THROWS_AS(learned("", {.vocab_size = 300}), ValueError);
  CHECK_THROWS_AS(learned("\n\n\t\n", {.vocab_size = 300}), ValueError);
  CHECK_THROWS_AS(
      train_sentencepiece({.vocab_size = 300}, 5, [](const auto&) { throw std::out_of_range("x"); }),
      std::out_of_range);
  // Fewer where there is no more to learn.
  CHECK(SentencePieceTokenizer(learned("aa ab\nab aa\n", {.vocab_size = 4000})).vocab_size() < 300);
}

TEST_CASE("a run's tokenizer is learned from the part that trains") {
  if (!there()) return;
  const Folder folder;
  std::string text = stories().substr(0, 90000);
  while (text.size() < 100000) text += "zyx zyx ";
  folder.write("a.txt", text);
  for (const char* kind : {"unigram", "sentencepiece-bpe"}) {
    const TokenizedText made = tokenize_files(
        {folder.path("a.txt")}, {.tokenizer = kind, .settings = {{"vocab_size", int64_t{400}}}});
    CHECK(made.tokenizer->kind() == std::string("sentencepiece"));
    CHECK(made.tokenizer->vocab_size() == 400);
    for (int64_t id = 0; id < 400; ++id) CHECK(made.tokenizer->decode(id).find("zy") == std::string::npos);
    CHECK(made.tokens->size() == static_cast<int64_t>(made.tokenizer->encode(text).size()));
  }
}
