// A .model file of SentencePiece: a message of protocol buffers (sentencepiece_model.proto) with the pieces and how text
// is normalized.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

struct SentencePieceModel {
  enum class Kind { normal = 1, unknown, control, user_defined, unused, byte };
  enum class Algorithm { unigram = 1, bpe, word, character };
  struct Piece {
    std::string text = {};
    float score = 0;
    Kind kind = Kind::normal;
  };
  std::vector<Piece> pieces = {};  ///< by id
  Algorithm algorithm = Algorithm::unigram;
  bool byte_fallback = false, whitespace_as_suffix = false;
  std::string unknown_surface = " \u2047 ";  ///< what an unknown piece is written as
  std::string begin_piece = "<s>", end_piece = "</s>", pad_piece = "<pad>";
  std::string character_map = {};  ///< character_map.h
  bool dummy_prefix = true, remove_extra_spaces = true, escape_spaces = true;
  bool denormalizes = false;
};

/// ValueError, with the byte that is wrong, for bytes that are no such message.
SentencePieceModel parse_sentencepiece(std::string_view bytes);

}  // namespace weft
