// Files, by POSIX calls whose every return code is checked. Errors are FileErrors that begin with the path
// and say what was expected, what was found and what to do. Only regular files are read; a pipe or a device
// is refused.
#pragma once

#include <weft/lib/base/error.h>
#include <weft/lib/base/hash.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

class HeldFolder;

/// Owns a file descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept;
  Descriptor& operator=(Descriptor&& other) noexcept;

  int get() const { return fd_; }
  /// Gives the descriptor up, to be closed by the caller.
  int release();

 private:
  int fd_;
};

/// Which file an open one is, and how long it was then.
struct FileIdentity {
  uint64_t device = 0, inode = 0, size = 0;
  bool operator==(const FileIdentity&) const = default;
};

/// A file to read from, by offset (pread), never mapped: a mapped file that shrinks kills the process.
/// Several threads may read at once.
class InputFile {
 public:
  explicit InputFile(std::string path);

  const std::string& path() const { return path_; }
  /// Bytes when it was opened.
  uint64_t size() const { return identity_.size; }
  const FileIdentity& identity() const { return identity_; }
  /// Fills `bytes` from `offset` on; FileError when the file ends before.
  void read(uint64_t offset, std::span<uint8_t> bytes) const;
  /// MemoryError when the system has not as much memory as the file has bytes: better refused than killed.
  void check_memory() const;
  /// Where the next bytes lie that are stored, from `offset` on: behind a hole, whose zeros take no room on the
  /// disk. size() when nothing else follows; `offset` where the file system cannot tell.
  uint64_t data_from(uint64_t offset) const;

 private:
  std::string path_;
  Descriptor descriptor_;
  FileIdentity identity_;
};

/// A file that appears whole or not at all: written under a temporary name beside `path`, and on commit()
/// synced, read back, compared and renamed. Without commit(), or after an error, the temporary is removed and
/// the file that was there stays as it is. A killed process leaves a temporary, which the next write to the
/// same path replaces. A write beyond the process's limit of file sizes kills it unless SIGXFSZ is ignored.
class AtomicFile {
 public:
  /// Suffix of the temporary name.
  static constexpr std::string_view partial = ".weft-partial";

  explicit AtomicFile(std::string path);
  /// In a folder that is held (base/held_folder.h): `path` lies below it.
  AtomicFile(const HeldFolder& folder, std::string path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const uint8_t> bytes);
  void write(std::string_view text);
  /// Bytes written so far.
  uint64_t size() const { return size_; }
  void commit();

 private:
  AtomicFile(int above, std::string_view below, std::string path);
  void open_temporary();
  void check_replaceable() const;
  void read_back() const;
  void discard();

  std::string path_, temporary_, folder_;  ///< as they are told
  Descriptor held_;                        ///< the folder; names in it follow
  std::string name_, temporary_name_;
  Descriptor locked_, output_;
  Hasher hasher_;
  uint64_t size_ = 0;
};

/// Whether there is anything of that name. FileError when that cannot be told just now: what cannot be looked at is
/// not missing.
bool is_there(const std::string& path);
/// Names in a folder, sorted. FileError when it cannot be listed whole.
std::vector<std::string> names_in(const std::string& folder);

/// A file as a whole. MemoryError, before it is read, when the system has not as much memory.
std::vector<uint8_t> read_file(const std::string& path);
/// The same for a text, which may have so many bytes: FileError, before it is read, for one that has more.
inline constexpr uint64_t most_text_bytes = uint64_t{1} << 26;
std::string read_text(const std::string& path, uint64_t most_bytes = most_text_bytes);
void write_file(const std::string& path, std::span<const uint8_t> bytes);
void write_file(const std::string& path, std::string_view text);
void write_file(const HeldFolder& folder, const std::string& path, std::span<const uint8_t> bytes);
void write_file(const HeldFolder& folder, const std::string& path, std::string_view text);

/// Removes what killed writers left in a folder: names that end in AtomicFile::partial and that nobody is
/// writing.
void remove_partial_files(const std::string& folder);

/// Holds a file of a folder locked against other processes, and other FileLocks of this one, while it lives. The
/// file is made when missing, holds nothing, and stays. FileError when somebody else holds it.
class FileLock {
 public:
  FileLock(const HeldFolder& folder, const std::string& path);

 private:
  Descriptor descriptor_;
};

/// For tests: asked before each system call ("open", "stat", "lock", "read", "write", "fsync",
/// "close", "rename", "unlink", "mkdir") with the path it concerns; what it returns, if not 0, is the errno the call
/// fails with.
using FaultHook = int (*)(const char* call, const std::string& path);
/// Sets the hook; nullptr removes it.
void set_fault_hook(FaultHook hook);

}  // namespace weft
