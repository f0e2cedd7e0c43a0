#include <doctest/doctest.h>
#include <weft/data/tokenizers/sentencepiece_model.h>

#include "checks.h"
#include "parts.h"

namespace weft {

using test::model_bytes;
using test::refuses;

namespace {

const std::vector<SentencePieceModel::Piece>& pieces() {
  using Kind = SentencePieceModel::Kind;
  static const std::vector<SentencePieceModel::Piece> all = {
      {"<unk>", 0, Kind::unknown},   {"<s>", 0, Kind::control},    {"</s>", 0, Kind::control},
      {"\u2581a", -1, Kind::normal}, {"\u2581", -3, Kind::normal}, {"a", -4, Kind::normal},
      {"b", -5, Kind::normal},       {"ab", -4.5F, Kind::normal},  {"<x>", 0, Kind::user_defined}};
  return all;
}

}  // namespace

TEST_CASE("SentencePiece's file: what it says, and bytes that are none") {
  const std::string bytes = model_bytes(
      pieces(),
      {.algorithm = SentencePieceModel::Algorithm::bpe, .byte_fallback = true, .dummy_prefix = false});
  const SentencePieceModel model = parse_sentencepiece(bytes);
  REQUIRE(model.pieces.size() == pieces().size());
  for (size_t id = 0; id < pieces().size(); ++id) {
    CHECK(model.pieces[id].text == pieces()[id].text);
    CHECK(model.pieces[id].score == pieces()[id].score);
    CHECK(model.pieces[id].kind == pieces()[id].kind);
  }
  CHECK(model.algorithm == SentencePieceModel::Algorithm::bpe);
  CHECK(model.byte_fallback);
  CHECK_FALSE(model.dummy_prefix);
  CHECK(model.remove_extra_spaces);
  CHECK(model.begin_piece == "<s>");
  CHECK(parse_sentencepiece("").pieces.empty());
  refuses<ValueError>([] { parse_sentencepiece("\x0a\x05zz"); }, {"no model of SentencePiece: byte 2"});
  refuses<ValueError>([] { parse_sentencepiece(test::field(1, test::field(1, "a") + test::field(3, 9))); },
                      {"piece 0 is of an unknown kind, 9"});
  refuses<ValueError>([] { parse_sentencepiece(test::field(2, test::field(3, 7))); },
                      {"unknown algorithm, 7"});
  int cut = 0;
  for (size_t length = 0; length < bytes.size(); ++length) try {
      parse_sentencepiece(std::string_view(bytes).substr(0, length));
    } catch (const ValueError&) {
      ++cut;
    }
  CHECK(cut > static_cast<int>(bytes.size()) / 2);
}

}  // namespace weft
