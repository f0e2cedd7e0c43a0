// Text files, read in pieces with checks.
#pragma once

#include <weft/data/text/byte_stream.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/hash.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// What to do with carriage returns: leave them, or drop each '\r'.
enum class Newlines { keep, lf };
/// "keep", "lf"; ValueError on another text.
Newlines newlines_from(std::string_view name);
const char* name_of(Newlines newlines);

/// What a text holds besides its characters; nothing of it is altered unless Newlines::lf asks for it.
struct TextNotes {
  int64_t byte_order_marks = 0;  ///< files that begin with one
  int64_t carriage_returns = 0;
  int64_t replaced = 0;                       ///< of records: bytes that are not UTF-8, read as U+FFFD
  int64_t skipped = 0;                        ///< records that are empty, passed over
  std::vector<std::string> empty_files = {};  ///< passed over, as they hold nothing
  std::vector<std::string> foreign_files =
      {};  ///< taken though they are no text: ForeignFile::message of each
};

/// Bytes done and bytes in all, as they lie in the files.
using TextProgress = std::function<void(int64_t, int64_t)>;

/// Reads files one after another with nothing between, in pieces, in bounded memory, by pread:
///   TextReader text({"a.txt", "b.txt"}, {.utf8 = true});
///   for (std::string_view piece = text.next(); !piece.empty(); piece = text.next()) ...
/// A folder or a pattern stands for its files (data_files.h); what is compressed by gzip or zstd is decompressed
/// (byte_stream.h). Files that are empty are passed over. One is open at a time, so that there may be any number of them.
/// FileError, beginning with the path, on a file that is missing, not readable, another than at the beginning
/// when its turn comes, or cut short while it is read, and when all are empty; with `utf8` also on one that is not
/// UTF-8, with what it is and how text is made of it (foreign_file.h), or the byte offset in that file; with `refuse_nul`
/// likewise on one that holds a NUL.
class TextReader {
 public:
  struct Options {
    bool utf8 = true;  ///< check, and end each piece between two characters
    bool refuse_nul =
        false;  ///< a NUL (U+0000) is an error: no text has one, and what is none often is full of them
    Newlines newlines = Newlines::keep;
    int64_t piece_bytes = 1 << 20;  ///< at least 4
    TextProgress progress = nullptr;
  };
  /// Opens, checks and closes every file. ValueError without files.
  TextReader(const std::vector<std::string>& paths, Options options);

  /// The next piece, of one file, empty at the end of all. Good until the next call.
  std::string_view next();

  /// The number of the file that the last piece came from, and its path.
  size_t file() const { return file_; }
  const std::string& path() const { return files_[file_].path; }
  /// Bytes read so far, decompressed.
  int64_t size() const { return done_; }
  /// What was met so far.
  const TextNotes& notes() const { return notes_; }
  /// Of the bytes read so far as they lie in the files, decompressed; 32 hexadecimal digits.
  std::string content_hash() const { return to_hex(hasher_.digest()); }

 private:
  struct Source {
    std::string path;
    FileIdentity identity;
    int64_t size() const { return static_cast<int64_t>(identity.size); }
  };
  void open_next();
  void read_more();
  void check_nul() const;
  [[noreturn]] void fail_utf8(int64_t offset) const;
  [[noreturn]] void fail_empty() const;
  size_t whole_characters() const;

  std::vector<Source> files_;
  std::optional<ByteStream> open_;
  Options options_;
  TextNotes notes_;
  Hasher hasher_;
  size_t file_ = 0;
  int64_t at_ = 0;          ///< bytes read of this file
  int64_t done_ = 0;        ///< bytes read of all
  bool ended_ = false;      ///< whether this file is read to its end
  int64_t consumed_ = 0;    ///< bytes of the files before it, as they lie there
  int64_t file_bytes_ = 0;  ///< of all files, likewise
  std::string buffer_;      ///< what was read and not handed out, then the piece itself
  std::string rest_;        ///< the beginning of a character whose end is still to be read
};

}  // namespace weft
