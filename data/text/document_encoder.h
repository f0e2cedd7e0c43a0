// Documents to ids: cut into parts that are read apart, by all threads. Ids do not depend on where files are cut into
// pieces, nor on the number of threads.
#pragma once

#include <weft/data/text/document_reader.h>
#include <weft/data/text/tokenizer.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace weft {

/// A part of a document whose ids do not depend on what is around it.
struct TextChunk {
  std::string text;
  bool begins = false, ends = false;  ///< its document
  size_t file = 0;
  int64_t line = 1;  ///< in which it begins; of a record, in which that does
  int64_t byte = 0;  ///< DocumentPiece::byte
};

/// Cuts documents into parts of some 64 KiB, or more where a tokenizer knows no place to cut (Tokenizer::safe_cut). No
/// part goes on in another file. A part may be empty where it ends a document.
class ChunkReader {
 public:
  ChunkReader(DocumentReader& reader, const Tokenizer& tokenizer) : reader_(reader), tokenizer_(tokenizer) {}
  std::optional<TextChunk> next();

 private:
  void read();
  void cut();
  void put(std::string text, bool ends);

  DocumentReader& reader_;
  const Tokenizer& tokenizer_;
  std::deque<TextChunk> ready_;
  std::string rest_;
  size_t window_ = first_window, file_ = 0;
  int64_t line_ = 1, byte_ = 0;
  bool open_ = false, begins_ = false, ended_ = false;
  static constexpr size_t first_window = 1 << 16;
};

/// A character that the tokenizer does not know.
class UnknownText : public FileError {
 public:
  using FileError::FileError;
};

/// What becomes of documents.
struct EncodedSink {
  /// The next ids, packed (pack_ids) in id_width() of the vocabulary.
  std::function<void(std::string_view packed)> ids;
  /// A document begins, with the number of its first id.
  std::function<void(int64_t begin, size_t file, int64_t line)> document = nullptr;
};
/// Behind each document stands `end_id`, unless that is -1. UnknownText that names file, character and its position in the
/// file, or in its record.
void encode_documents(DocumentReader& reader, const Tokenizer& tokenizer, int64_t end_id,
                      const EncodedSink& sink);

/// The id that ends a document: SpecialIds::end, or sep; -1 without one.
int64_t end_of_text_id(const Tokenizer& tokenizer);

}  // namespace weft
