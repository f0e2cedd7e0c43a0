#include <weft/data/records/record_table.h>
#include <weft/data/text/text_scan.h>
#include <weft/data/text/utf8.h>

#include <array>
#include <bit>

namespace weft {
namespace {

/// Which characters a text has.
class Characters {
 public:
  void add(std::string_view text) {
    for (size_t at = 0; at < text.size();) {
      if (const auto byte = static_cast<uint8_t>(text[at]); byte < 0x80) {
        met_[byte] = 1;
        ++at;
        continue;
      }
      const Utf8Char c = decode_utf8(text.substr(at));
      met_[c.code_point] = 1;
      at += static_cast<size_t>(c.length);
    }
  }
  std::vector<char32_t> all() const {
    std::vector<char32_t> characters;
    for (char32_t c = 0; c < met_.size(); ++c)
      if (met_[c] != 0) characters.push_back(c);
    return characters;
  }

 private:
  std::vector<uint8_t> met_ = std::vector<uint8_t>(0x110000);
};

/// What is told of each document by its text.
class Digests {
 public:
  Digests(const ScanOptions& options, TextScan& scan) : options_(options), scan_(scan) {}
  void add(const DocumentPiece& piece) {
    if (options_.validation < 0 && !options_.digests) return;
    if (piece.begins) end();
    open_ = true;
    hasher_.update(piece.text);
  }
  void end() {
    if (!open_) return;
    const Digest digest = hasher_.digest();
    if (options_.validation >= 0) scan_.validates.push_back(is_validation(digest, options_.validation));
    if (options_.digests && scan_.digests.size() <= TextScan::most_digests)
      scan_.digests.push_back(std::bit_cast<std::array<uint64_t, 2>>(digest)[0]);
    hasher_ = Hasher();
    open_ = false;
  }

 private:
  const ScanOptions& options_;
  TextScan& scan_;
  Hasher hasher_;
  bool open_ = false;
};

}  // namespace

std::function<bool(int64_t)> wanted_documents(const TextScan& scan, TextPart part) {
  if (part == TextPart::all) return nullptr;
  return [&scan, part](int64_t document) {
    const auto place = static_cast<size_t>(document);
    return place < scan.validates.size() && scan.validates[place] == (part == TextPart::validation);
  };
}

TextScan scan_text(const TextFiles& files, const ScanOptions& options) {
  DocumentReader reader(files, {.utf8 = options.utf8,
                                .refuse_nul = options.refuse_nul,
                                .piece_bytes = options.piece_bytes,
                                .progress = options.progress});
  TextScan scan;
  scan.validation = options.validation;
  Characters met;
  Digests digests(options, scan);
  while (const auto piece = reader.next()) {
    if (options.utf8) met.add(piece->text);
    digests.add(*piece);
  }
  digests.end();
  scan.content_hash = reader.content_hash();
  scan.bytes = reader.bytes();
  scan.text_bytes = reader.text_bytes();
  scan.documents = reader.documents();
  scan.format = reader.format();
  scan.notes = reader.notes();
  scan.characters = met.all();
  return scan;
}

}  // namespace weft
