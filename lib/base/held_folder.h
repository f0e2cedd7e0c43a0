// A folder held open. What a long-lived writer writes through it lands in this folder also when the folder's
// name has come to mean another one; once the folder is removed, writing fails.
#pragma once

#include <weft/lib/base/file.h>

#include <string>

namespace weft {

class HeldFolder {
 public:
  /// FileError when there is no such folder, or it cannot be opened.
  explicit HeldFolder(std::string path);

  /// How it is called; the functions below take paths that begin with it.
  const std::string& path() const { return path_; }
  /// It has been renamed.
  void call(std::string path) { path_ = std::move(path); }
  /// Whether its name still leads to it.
  bool is_named() const;
  int get() const { return descriptor_.get(); }
  /// What of `path` is behind path() and a slash; ValueError for one that does not lie below.
  std::string below(const std::string& path) const;

  /// Makes a folder in it, unless it is there already.
  void make_folder(const std::string& path) const;
  /// Removes a file, unless it is gone already.
  void remove(const std::string& path) const;
  void rename(const std::string& from, const std::string& to) const;

 private:
  std::string path_;
  Descriptor descriptor_;
};

/// The two folders change places in one step; false, and nothing done, where the system or its file system has
/// no such call.
bool exchange_folders(const std::string& a, const std::string& b);
/// Brings the names in a folder to the disk.
void sync_folder(const std::string& path);

}  // namespace weft
