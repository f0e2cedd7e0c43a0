// A file of lines that another program is writing: what it has gained since it was looked at last.
#pragma once

#include <weft/lib/base/file.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace weft::tools {

class LineTail {
 public:
  /// A whole line without its newline, where it begins in the file, and whether it was longer than `longest` bytes: then
  /// it is empty.
  struct Line {
    std::string_view text;
    uint64_t offset = 0;
    bool too_long = false;
  };

  explicit LineTail(std::string path, size_t longest) : path_(std::move(path)), longest_(longest) {}

  /// Hands the lines that are new to `take`, some `most` bytes of them. What stands behind the last newline waits until its
  /// line is whole. `anew` is called first when the file is not the one that was read before, or not with the bytes that
  /// were read: then all of it is new. A file that is not there, or cannot be read, changes nothing but error().
  /// Returns whether anything was handed out or begun anew.
  bool read(const std::function<void()>& anew, const std::function<void(const Line&)>& take, uint64_t most);

  /// Begins from nothing, as for a file that is not there any more.
  void forget() { *this = LineTail(std::move(path_), longest_); }

  /// Whether the file was there at the last read().
  bool is_there() const { return there_; }
  /// Whether the last read() came to the end of what was whole.
  bool at_end() const { return at_end_; }
  /// Bytes that stand behind the last newline.
  uint64_t unfinished() const { return unfinished_; }
  /// Bytes read so far.
  uint64_t offset() const { return offset_; }
  /// Why the last read() could not read, in a sentence; else empty.
  const std::string& error() const { return error_; }

 private:
  bool is_as_it_was(const InputFile& file) const;
  void remember_end(const InputFile& file);

  std::string path_;
  size_t longest_;
  FileIdentity identity_;
  uint64_t offset_ = 0, unfinished_ = 0;
  std::string last_bytes_;    ///< those before offset_: a file that was written anew has others there
  bool inside_line_ = false;  ///< offset_ lies within a line that was too long, and was told
  bool there_ = false, at_end_ = false;
  std::string error_;
};

}  // namespace weft::tools
