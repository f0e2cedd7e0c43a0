// A file of a run's folder that grows at its end, each piece by one write: killed between two, it holds whole pieces.
#pragma once

#include <weft/lib/base/held_folder.h>

#include <string>
#include <string_view>

namespace weft {

class AppendedFile {
 public:
  /// None at all; is_open() is false.
  AppendedFile() = default;
  /// Opens it, and makes it where it is missing. FileError when it cannot be written.
  AppendedFile(const HeldFolder& folder, std::string path);

  bool is_open() const { return file_.get() >= 0; }
  const std::string& path() const { return path_; }
  /// Its folder has been renamed.
  void call(std::string path) { path_ = std::move(path); }

  /// FileError when the disk does not take all of it; a part may stand there then.
  void append(std::string_view bytes) const;
  /// Takes all of it away.
  void clear() const;
  /// Brings what was appended to the disk; nothing of one that is not open.
  void sync() const;

 private:
  std::string path_;
  Descriptor file_;
};

}  // namespace weft
