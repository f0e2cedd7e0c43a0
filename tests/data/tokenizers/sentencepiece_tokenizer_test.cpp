#include <doctest/doctest.h>
#include <weft/data/text/streaming_decoder.h>
#include <weft/data/tokenizers/sentencepiece_tokenizer.h>

#include <limits>

#include "checks.h"
#include "parts.h"

namespace weft {

using test::model_bytes;
using test::refuses;
using test::small_pieces;

TEST_CASE("SentencePiece: ids, the text, and what goes around it") {
  const SentencePieceTokenizer tokenizer(model_bytes(small_pieces()));
  CHECK(tokenizer.encode("a  ab") == std::vector<int64_t>{3, 3, 6});
  CHECK(tokenizer.decode(std::vector<int64_t>{3, 4, 7}) == "a ab");
  CHECK(tokenizer.encode("<s>z") ==
        std::vector<int64_t>{4, 0});  // no text is special; <s>z is four unknown ones in a row
  CHECK(tokenizer.encode("a<x>b") == std::vector<int64_t>{3, 8, 6});
  CHECK(tokenizer.encode("").empty());
  // Llama's and Mistral's begin; T5's, which have no <s>, end; tokenizer_config.json may say otherwise, and so may a call.
  CHECK(tokenizer.encode_special("a") == std::vector<int64_t>{1, 3});
  CHECK(tokenizer.encode_special("a", {.begin = false, .end = true}) == std::vector<int64_t>{3, 2});
  std::vector<SentencePieceModel::Piece> t5 = small_pieces();
  t5[1].text = "<pad>";
  CHECK(SentencePieceTokenizer(model_bytes(t5)).encode_special("a") == std::vector<int64_t>{3, 2});
  refuses<ValueError>([&] { SentencePieceTokenizer(model_bytes(t5)).encode_special("a", {.begin = true}); },
                      {"no token that begins"});
  const SentencePieceTokenizer told(model_bytes(small_pieces()), {.add_begin = false, .add_end = true});
  CHECK(told.encode_special("a") == std::vector<int64_t>{3, 2});
  CHECK(Tokenizer::from_state(told.state_dict())->encode_special("a") == std::vector<int64_t>{3, 2});
  refuses<ValueError>([&] { tokenizer.encode_special("a", {.second = "b"}); }, {"knows no pairs"});
  refuses<ValueError>([&] { tokenizer.encode("a\xff"); }, {"not UTF-8 at byte 1"});
  refuses<ValueError>([&] { tokenizer.decode(9); }, {"id 9 is not in [0, 9)"});
  CHECK(tokenizer.special_tokens() == std::map<std::string, int64_t>{{"<unk>", 0}, {"<s>", 1}, {"</s>", 2}});
  CHECK(decode_whole(tokenizer, std::vector<int64_t>{1, 3, 4, 7, 2}, {.begins = true}) == "a ab");
}

TEST_CASE("SentencePiece: with bytes and without a prefix every text comes back, and spans cover it") {
  std::vector<SentencePieceModel::Piece> all = small_pieces();
  all.pop_back();
  for (int byte = 0; byte < 256; ++byte) {
    const char* const digits = "0123456789ABCDEF";
    all.push_back({std::string("<0x") + digits[byte / 16] + digits[byte % 16] + ">", 0,
                   SentencePieceModel::Kind::byte});
  }
  for (const auto algorithm : {SentencePieceModel::Algorithm::unigram, SentencePieceModel::Algorithm::bpe}) {
    const SentencePieceTokenizer tokenizer(model_bytes(all, {.algorithm = algorithm,
                                                             .byte_fallback = true,
                                                             .dummy_prefix = false,
                                                             .remove_extra_spaces = false}));
    CHECK(tokenizer.decode(tokenizer.encode("  a  b ")) == "  a  b ");
    for (uint32_t number = 0; number < 3000; ++number) {
      const std::vector<std::string> parts = {
          "a", "b", " ", "\n", "\u00e9", "\U0001F600", std::string(1, '\0')};
      std::string text;
      for (uint32_t left = number; left > 0; left /= 7) text += parts[left % 7];
      const Encoding found = tokenizer.encode_with_spans(text);
      CHECK(tokenizer.decode(found.ids) == text);
      size_t at = 0;
      for (const auto& [begin, end] : found.spans) {
        CHECK(begin <= at);
        CHECK(end >= at);
        at = end;
      }
      CHECK(at == text.size());
    }
  }
}

TEST_CASE("SentencePiece: models that do not fit together are refused") {
  const auto says = [](size_t id, const SentencePieceModel::Piece& piece, const std::string& what,
                       const test::ModelSettings& settings = {}) {
    std::vector<SentencePieceModel::Piece> all = small_pieces();
    all[id] = piece;
    refuses<ValueError>([&] { SentencePieceTokenizer(model_bytes(all, settings)); }, {what});
  };
  using Kind = SentencePieceModel::Kind;
  says(6, {"a", -1, Kind::normal}, "piece 6, 'a', comes twice");
  says(6, {"", -1, Kind::normal}, "piece 6 is empty");
  says(6, {"c", std::numeric_limits<float>::infinity(), Kind::normal}, "has the score inf");
  says(6, {"c", 0, Kind::unknown}, "two unknown pieces, 0 and 6");
  says(0, {"c", 0, Kind::normal}, "has no unknown piece");
  says(6, {"c", 0, Kind::byte}, "'c', is no byte");
  says(6, {"b", 0, Kind::normal}, "not all 256 are among its pieces", {.byte_fallback = true});
  says(6, {"b", 0, Kind::normal}, "is a model of words", {.algorithm = SentencePieceModel::Algorithm::word});
  StateDict state = SentencePieceTokenizer(model_bytes(small_pieces())).state_dict();
  state.set("bytes", 1);
  refuses<StateError>([&] { Tokenizer::from_state(state); }, {"do not hold 1 bytes"});
}

}  // namespace weft
