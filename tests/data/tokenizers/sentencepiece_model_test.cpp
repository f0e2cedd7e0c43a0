#include <doctest/doctest.h>
#include <weft/data/tokenizers/sentencepiece_model.h>

#include "checks.h"
#include "parts.h"

namespace weft {

using test::model_bytes;
using test::refuses;
using test::small_pieces;

TEST_CASE("SentencePiece's file: what it says, and bytes that are none") {
  const std::string bytes = model_bytes(
      small_pieces(),
      {.algorithm = SentencePieceModel::Algorithm::bpe, .byte_fallback = true, .dummy_prefix = false});
  const SentencePieceModel model = parse_sentencepiece(bytes);
  REQUIRE(model.pieces.size() == small_pieces().size());
  for (size_t id = 0; id < small_pieces().size(); ++id) {
    CHECK(model.pieces[id].text == small_pieces()[id].text);
    CHECK(model.pieces[id].score == small_pieces()[id].score);
    CHECK(model.pieces[id].kind == small_pieces()[id].kind);
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
