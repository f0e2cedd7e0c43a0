// Small tokenizers that the tests here share.
#pragma once

#include <weft/data/tokenizers/pipeline_tokenizer.h>
#include <weft/data/tokenizers/sentencepiece_model.h>

#include <cstring>
#include <string>
#include <vector>

namespace weft::test {

inline PipelineTokenizer::Parts small_parts() {
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

/// A field of protocol buffers: of bytes, or a number.
inline std::string field(int number, const std::string& bytes) {
  std::string all(1, static_cast<char>(number << 3 | 2));
  size_t length = bytes.size();
  for (; length >= 128; length >>= 7) all += static_cast<char>(length | 128);
  return all + static_cast<char>(length) + bytes;
}
inline std::string field(int number, int value) {
  std::string all;
  for (int key = number << 3;; key >>= 7) {
    all += static_cast<char>(key >= 128 ? (key & 127) | 128 : key);
    if (key < 128) break;
  }
  return all + static_cast<char>(value);
}

struct ModelSettings {
  SentencePieceModel::Algorithm algorithm = SentencePieceModel::Algorithm::unigram;
  bool byte_fallback = false, dummy_prefix = true, remove_extra_spaces = true;
};
/// A .model file of SentencePiece.
inline std::string model_bytes(const std::vector<SentencePieceModel::Piece>& pieces,
                               const ModelSettings& settings = {}) {
  std::string all;
  for (const auto& [text, score, kind] : pieces) {
    std::string number(4, '\0');
    std::memcpy(number.data(), &score, 4);
    all += field(1, field(1, text) + std::string(1, 0x15) + number + field(3, static_cast<int>(kind)));
  }
  const std::string trainer = field(3, static_cast<int>(settings.algorithm)) + std::string("\x98\x02", 2) +
                              static_cast<char>(settings.byte_fallback);
  return all + field(2, trainer) +
         field(3, field(3, settings.dummy_prefix) + field(4, settings.remove_extra_spaces));
}

/// Every kind of piece.
inline const std::vector<SentencePieceModel::Piece>& small_pieces() {
  using Kind = SentencePieceModel::Kind;
  static const std::vector<SentencePieceModel::Piece> all = {
      {"<unk>", 0, Kind::unknown},   {"<s>", 0, Kind::control},    {"</s>", 0, Kind::control},
      {"\u2581a", -1, Kind::normal}, {"\u2581", -3, Kind::normal}, {"a", -4, Kind::normal},
      {"b", -5, Kind::normal},       {"ab", -4.5F, Kind::normal},  {"<x>", 0, Kind::user_defined}};
  return all;
}

}  // namespace weft::test
