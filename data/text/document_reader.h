// Text as documents: files, or the records of tables, read in pieces with checks.
#pragma once

#include <weft/data/records/record_reader.h>
#include <weft/data/text/text.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// What is read as text, and where a document ends.
struct TextFiles {
  std::vector<std::string> paths;
  Newlines newlines = Newlines::keep;
  /// Each file is a document; else all of them together are one.
  bool by_file = false;
  /// They are records (data/records), each of which is a document: the text in the one column that is taken.
  std::optional<RecordOptions> records = {};

  /// Two that are equal, of equal bytes, give the same documents.
  std::string how() const;
};

struct DocumentPiece {
  std::string_view text;  ///< may be empty only of a record
  bool begins = false;    ///< a document
  size_t file = 0;        ///< its number among DocumentReader::files()
  int64_t line = 1;       ///< in which it begins; of a record, in which that does
  int64_t byte =
      0;  ///< of the text in the file at which it begins, carriage returns that are dropped not counted
};

/// Streams documents in pieces, in memory that depends on the longest record alone. Errors are TextReader's and
/// RecordReader's; ValueError for records of several columns of which none is named.
class DocumentReader {
 public:
  struct Options {
    bool utf8 = true;         ///< check, and end each piece between two characters; records always do
    bool refuse_nul = false;  ///< TextReader::Options has it; records never hold one
    int64_t piece_bytes = 1 << 20;
    TextProgress progress = nullptr;
    /// Whether document number n is wanted; others are passed over, but are part of what content_hash() tells.
    std::function<bool(int64_t document)> wanted = nullptr;
  };
  DocumentReader(TextFiles files, Options options);

  /// Good until the next call.
  std::optional<DocumentPiece> next();

  const std::vector<std::string>& files() const { return paths_; }
  bool of_records() const { return records_.has_value(); }
  /// Of records the format that they are read as; of texts nothing.
  std::string format() const { return records_ ? records_->format() : std::string(); }
  /// Documents begun so far, wanted or not.
  int64_t documents() const { return documents_; }
  /// Bytes of text so far, as next() gives them, of documents wanted or not.
  int64_t text_bytes() const { return text_bytes_; }
  /// Bytes read so far, decompressed.
  int64_t bytes() const { return records_ ? records_->bytes() : text_->size(); }
  TextNotes notes() const;
  /// Of all bytes, and, where that makes documents, of where files are cut; 32 hexadecimal digits. To be asked at the end.
  std::string content_hash() const;

 private:
  std::optional<DocumentPiece> read();
  std::optional<DocumentPiece> read_record();

  TextFiles files_;
  Options options_;
  std::vector<std::string> paths_;
  std::optional<TextReader> text_;
  std::optional<RecordReader> records_;
  std::string field_;
  std::vector<int64_t> file_bytes_;  ///< of files that hold something
  size_t file_ = 0;
  int64_t line_ = 1, documents_ = 0, text_bytes_ = 0;
  int64_t carriage_returns_ = 0;  ///< in records
};

}  // namespace weft
