// Text files, read in pieces with checks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
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
  int64_t byte_order_marks = 0; ///< files that begin with one
  int64_t carriage_returns = 0;
};

/// Bytes done and bytes in all.
using TextProgress = std::function<void(int64_t, int64_t)>;

/// Reads files one after another with nothing between, in pieces, in bounded memory, by pread:
///   TextReader text({"a.txt", "b.txt"});
///   for (std::string_view piece; !(piece = text.next()).empty();) ...
/// FileError, beginning with the path, on a file that is missing, a folder, not readable, empty, or that
/// changes its size while it is read; with `utf8` also on one that is not UTF-8, with the byte offset in that
/// file.
class TextReader {
 public:
  struct Options {
    bool utf8 = true; ///< check, and end each piece between two characters
    Newlines newlines = Newlines::keep;
    int64_t piece_bytes = 1 << 20; ///< at least 4
    TextProgress progress = nullptr;
  };
  /// Opens and checks every file. ValueError without files.
  explicit TextReader(std::vector<std::string> paths);
  TextReader(std::vector<std::string> paths, Options options);
  ~TextReader();
  TextReader(const TextReader&) = delete;
  TextReader& operator=(const TextReader&) = delete;

  /// The next piece, empty at the end. Good until the next call.
  std::string_view next();
  /// The bytes that next() read from the files for this piece, before `newlines` was applied.
  std::string_view raw() const;

  /// The file the last piece came from.
  const std::string& path() const;
  /// Bytes in all files.
  int64_t size() const { return size_; }
  /// What was met so far.
  const TextNotes& notes() const { return notes_; }

 private:
  struct File;
  std::string_view fill();

  std::vector<File> files_;
  Options options_;
  TextNotes notes_;
  size_t file_ = 0;
  size_t last_ = 0;
  int64_t size_ = 0;
  int64_t done_ = 0;
  std::string raw_, carry_, piece_;
};

/// A whole small text file, with the same checks.
std::string read_text(const std::string& path, Newlines newlines = Newlines::keep);

} // namespace weft
