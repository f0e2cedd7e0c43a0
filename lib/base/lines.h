// The lines of a file, in memory that depends on the longest line that is allowed, and not on the file.
#pragma once

#include <weft/lib/base/file.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace weft {

/// Reads them one after the other:
///   for (LineReader lines(path); const auto line = lines.next();) ...
/// FileError as InputFile.
class LineReader {
 public:
  /// Bytes that a line may have, unless it is told.
  static constexpr size_t longest = size_t{1} << 16;

  /// From byte `from` of the file on.
  explicit LineReader(const std::string& path, size_t most = longest, uint64_t from = 0)
      : file_(path), most_(most), at_(from) {}

  /// The next line, without its newline; nothing at the end of the file, also behind a newline that ends it.
  /// Good until the next call.
  std::optional<std::string_view> next();
  /// Whether that line was too long: then next() gave an empty one. Holes of a file, of however many zeros,
  /// are not read.
  bool was_too_long() const { return too_long_; }
  /// Whether a newline ended it: the last line may have none.
  bool had_newline() const { return newline_; }
  /// Of the file, the byte behind that line and its newline: where the next one begins.
  uint64_t offset() const { return at_ - (buffer_.size() - begin_); }
  const InputFile& file() const { return file_; }

 private:
  bool read_more();

  InputFile file_;
  size_t most_;
  std::string buffer_;
  uint64_t at_ = 0;   ///< of the file, read so far
  size_t begin_ = 0;  ///< of the buffer, handed out so far
  bool too_long_ = false, newline_ = false;
};

}  // namespace weft
