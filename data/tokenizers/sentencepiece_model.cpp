#include <weft/data/tokenizers/sentencepiece_model.h>
#include <weft/lib/base/error.h>

#include <bit>
#include <cstring>

namespace weft {
namespace {

/// One field of a message after another.
class Fields {
 public:
  Fields(std::string_view bytes, size_t offset) : bytes_(bytes), offset_(offset) {}

  /// False at the end.
  bool next() {
    if (at_ == bytes_.size()) return false;
    const uint64_t key = varint();
    number = key >> 3;
    type_ = key & 7;
    if (number == 0) broken();
    switch (type_) {
      case 0:
        whole_ = varint();
        break;
      case 1:
        fixed(8);
        break;
      case 2: {
        const uint64_t length = varint();
        if (length > bytes_.size() - at_) broken();
        fixed(static_cast<size_t>(length));
        break;
      }
      case 5:
        fixed(4);
        break;
      default:
        broken();
    }
    return true;
  }

  uint64_t number = 0;

  int64_t whole() const { return type_ == 0 ? static_cast<int64_t>(whole_) : (broken(), 0); }
  bool flag() const { return whole() != 0; }
  std::string_view part() const { return type_ == 2 ? part_ : (broken(), part_); }
  Fields message() const { return {part(), part_offset_}; }
  float real() const {
    if (type_ != 5) broken();
    uint32_t bits = 0;
    std::memcpy(&bits, part_.data(), sizeof bits);
    return std::bit_cast<float>(bits);
  }

 private:
  [[noreturn]] void broken() const {
    fail<ValueError>("is no model of SentencePiece: byte ", offset_ + at_, " is wrong");
  }

  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at_ == bytes_.size()) broken();
      const auto byte = static_cast<uint8_t>(bytes_[at_++]);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    broken();
  }

  void fixed(size_t length) {
    if (length > bytes_.size() - at_) broken();
    part_ = bytes_.substr(at_, length);
    part_offset_ = offset_ + at_;
    at_ += length;
  }

  std::string_view bytes_, part_;
  size_t offset_, at_ = 0, part_offset_ = 0;
  uint64_t type_ = 0, whole_ = 0;
};

SentencePieceModel::Piece piece_of(Fields fields, size_t id) {
  SentencePieceModel::Piece piece;
  while (fields.next()) {
    if (fields.number == 1) piece.text = fields.part();
    if (fields.number == 2) piece.score = fields.real();
    if (fields.number != 3) continue;
    const int64_t kind = fields.whole();
    if (kind < 1 || kind > 6) fail<ValueError>("piece ", id, " is of an unknown kind, ", kind);
    piece.kind = static_cast<SentencePieceModel::Kind>(kind);
  }
  return piece;
}

void read_trainer(Fields fields, SentencePieceModel& model) {
  while (fields.next()) switch (fields.number) {
      case 3: {
        const int64_t algorithm = fields.whole();
        if (algorithm < 1 || algorithm > 4) fail<ValueError>("is of an unknown algorithm, ", algorithm);
        model.algorithm = static_cast<SentencePieceModel::Algorithm>(algorithm);
        break;
      }
      case 24:
        model.whitespace_as_suffix = fields.flag();
        break;
      case 35:
        model.byte_fallback = fields.flag();
        break;
      case 44:
        model.unknown_surface = fields.part();
        break;
      case 46:
        model.begin_piece = fields.part();
        break;
      case 47:
        model.end_piece = fields.part();
        break;
      case 48:
        model.pad_piece = fields.part();
        break;
      default:
        break;  // how it was trained
    }
}

void read_normalizer(Fields fields, SentencePieceModel& model) {
  while (fields.next()) {
    if (fields.number == 2) model.character_map = fields.part();
    if (fields.number == 3) model.dummy_prefix = fields.flag();
    if (fields.number == 4) model.remove_extra_spaces = fields.flag();
    if (fields.number == 5) model.escape_spaces = fields.flag();
  }
}

}  // namespace

SentencePieceModel parse_sentencepiece(std::string_view bytes) {
  SentencePieceModel model;
  Fields fields(bytes, 0);
  while (fields.next()) {
    if (fields.number == 1) model.pieces.push_back(piece_of(fields.message(), model.pieces.size()));
    if (fields.number == 2) read_trainer(fields.message(), model);
    if (fields.number == 3) read_normalizer(fields.message(), model);
    if (fields.number != 5) continue;
    for (Fields inner = fields.message(); inner.next();)
      model.denormalizes = model.denormalizes || (inner.number == 2 && !inner.part().empty());
  }
  return model;
}

}  // namespace weft
