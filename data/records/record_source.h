// The characters of one file of records, with the place they stand at.
#pragma once

#include <weft/data/records/record_options.h>
#include <weft/data/text/byte_stream.h>
#include <weft/lib/base/advice.h>
#include <weft/lib/base/hash.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace weft {

/// Decompressed (byte_stream.h), without a byte-order mark, checked to be UTF-8 without NUL: FileError with the line, the
/// column if reading() said one, and the byte, once all that is before it was taken.
class RecordSource {
 public:
  RecordSource(const std::string& path, const RecordOptions& options);

  /// Some of the characters that follow; empty only at the end of the file. Good until the next call.
  std::string_view ahead();
  /// Takes so many bytes of them.
  void take(size_t bytes);
  /// Takes a line, without the newline and a carriage return before it; false at the end of the file. FileError for one
  /// of more than most_bytes.
  bool line(std::string& to);
  /// FileError for a record of more than most_bytes, which `hint` goes on about.
  void check_size(size_t bytes, int64_t begun, std::string_view hint = {}) const;

  /// Of what is ahead, from 1, and bytes taken.
  int64_t line_number() const { return line_; }
  int64_t taken() const { return taken_; }
  /// Bytes read, decompressed.
  int64_t read() const { return read_; }
  const std::string& path() const { return path_; }
  /// The column that is being read, from 1, for messages; 0: none.
  void reading(size_t column) { column_ = column; }
  /// FileError "a.csv: line 3, column 2: ..."; without a column if that is empty.
  template <class... Parts>
  [[noreturn]] void fail_at(int64_t line, const std::string& column, const Parts&... parts) const {
    fail<FileError>(path_, ": line ", line, column.empty() ? "" : ", column ", column, ": ", parts...);
  }

  template <class... Parts>
  [[noreturn]] void fail_at(Advice advice, int64_t line, const std::string& column,
                            const Parts&... parts) const {
    fail_with<FileError>(std::move(advice), path_, ": line ", line, column.empty() ? "" : ", column ", column,
                         ": ", parts...);
  }

  /// The first bytes, whatever has been taken.
  const std::string& beginning() const { return stream_.beginning(); }
  bool had_byte_order_mark() const { return mark_; }
  int64_t replaced() const { return replaced_; }
  /// Bytes of the file as it lies on the disk that have been read.
  int64_t consumed() const { return stream_.consumed(); }
  /// Of all bytes read so far, decompressed.
  Digest digest() const { return hasher_.digest(); }

 private:
  void read_more();
  void check();
  [[noreturn]] void fail_bad() const;

  std::string path_;
  ByteStream stream_;
  RecordOptions::Invalid invalid_;
  size_t piece_bytes_, most_bytes_;
  Hasher hasher_;
  std::string buffer_, rest_;  ///< what is checked; what is not yet
  size_t begin_ = 0;           ///< of the buffer, taken
  int64_t read_ = 0;           ///< bytes read
  int64_t bad_ = -1;           ///< where the first byte is that is refused, behind the buffer; -1: none
  bool bad_is_nul_ = false, ended_ = false, first_ = true, mark_ = false;
  int64_t line_ = 1, taken_ = 0, replaced_ = 0;
  size_t column_ = 0;
};

}  // namespace weft
