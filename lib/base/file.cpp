#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <weft/lib/base/bytes.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/held_folder.h>
#include <weft/lib/base/system_calls_internal.h>
#include <weft/lib/machine/available_memory.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

namespace weft {
namespace {

using detail::checked, detail::fail_with;

std::atomic<FaultHook> fault_hook{nullptr};

/// close() is called even when the hook fails it, and never twice: the descriptor is gone after an error too.
int close_checked(int fd, const std::string& path) {
  const int failed = checked("close", path, [] { return 0; });
  const int error = errno;
  if (::close(fd) != 0) return -1;
  errno = error;
  return failed;
}

std::string reason(int error) {
  switch (error) {
    case ENOENT:
      return "there is no such file or folder";
    case EACCES:
    case EPERM:
      return "no permission";
    case EIO:
      return "the device reports an input/output error";
    default:
      return std::generic_category().message(error);
  }
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

/// The lock of an open file; false when somebody else has it. A file system that cannot lock is let pass.
bool try_lock(int fd, const std::string& path) {
  return checked("lock", path, [&] { return ::flock(fd, LOCK_EX | LOCK_NB); }) == 0 || errno != EWOULDBLOCK;
}

struct stat status_of(int fd, const std::string& path) {
  struct stat status {};
  if (checked("stat", path, [&] { return ::fstat(fd, &status); }) != 0)
    fail_with(errno, path, "cannot be examined");
  return status;
}

/// Opens `name` of a folder by `open` into `file` and locks it; false when somebody else has it. Whoever held the
/// lock before may have renamed or removed the file since it was opened: then it is opened again. Errors name `told`.
template <class Open>
bool open_locked(Descriptor& file, int folder, const std::string& name, const std::string& path,
                 const std::string& told, Open open) {
  constexpr int most = 1000;
  for (int attempt = 0; attempt < most; ++attempt) {
    Descriptor opened = open();
    if (!try_lock(opened.get(), path)) return false;
    file = std::move(opened);
    struct stat named {};
    const struct stat ours = status_of(file.get(), told);
    if (checked("stat", told, [&] { return ::fstatat(folder, name.c_str(), &named, AT_SYMLINK_NOFOLLOW); }) ==
        0) {
      if (named.st_ino == ours.st_ino && named.st_dev == ours.st_dev) return true;
    } else if (errno != ENOENT) {
      fail_with(errno, told, "cannot be examined");
    }
    file = Descriptor();
  }
  fail<FileError>(told, ": is removed by another process each time it is made");
}

void read_at(int fd, const std::string& path, uint64_t offset, std::span<uint8_t> bytes) {
  for (size_t done = 0; done < bytes.size();) {
    const auto got = checked("read", path, [&] {
      return ::pread(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    });
    if (got < 0) fail_with(errno, path, "cannot be read");
    if (got == 0)
      fail<FileError>(path, ": ends at byte ", offset + done, ", though ", offset + bytes.size(),
                      " were expected: something cut it short while it was read");
    done += static_cast<size_t>(got);
  }
}

[[noreturn]] void fail_memory(const InputFile& file) {
  fail<MemoryError>(file.path(), ": no memory for its ", file.size(), " bytes");
}

template <class Bytes>
Bytes read_whole(const InputFile& file) {
  file.check_memory();
  Bytes bytes;
  try {
    bytes.resize(file.size());
  } catch (const std::exception&) {
    fail_memory(file);
  }
  file.read(0, {reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()});
  return bytes;
}

}  // namespace

int detail::fault_of(const char* call, const std::string& path) {
  const FaultHook hook = fault_hook.load(std::memory_order_relaxed);
  return hook != nullptr ? hook(call, path) : 0;
}

void detail::fail_with(int error, const std::string& path, std::string_view what) {
  fail<FileError>(path, ": ", what, ": ", reason(error));
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}
Descriptor::Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}
int Descriptor::release() { return std::exchange(fd_, -1); }

// O_NONBLOCK: opening a pipe would wait for a writer. Regular files do not heed it.
InputFile::InputFile(std::string path)
    : path_(std::move(path)), descriptor_(checked("open", path_, [&] {
        return ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
      })) {
  if (descriptor_.get() < 0) fail_with(errno, path_, "cannot be opened");
  const struct stat status = status_of(descriptor_.get(), path_);
  if (S_ISDIR(status.st_mode)) fail<FileError>(path_, ": is a folder, not a file");
  if (!S_ISREG(status.st_mode)) fail<FileError>(path_, ": is not a regular file");
  identity_ = {
      .device = status.st_dev, .inode = status.st_ino, .size = static_cast<uint64_t>(status.st_size)};
}

void InputFile::read(uint64_t offset, std::span<uint8_t> bytes) const {
  read_at(descriptor_.get(), path_, offset, bytes);
}

void InputFile::check_memory() const {
  // To ask takes longer than to read a small file.
  constexpr uint64_t small = uint64_t{1} << 24;
  if (size() > small && size() > static_cast<uint64_t>(std::max<int64_t>(available_memory(), 0)))
    fail_memory(*this);
}

uint64_t InputFile::data_from(uint64_t offset) const {
#ifdef SEEK_DATA
  const off_t found = ::lseek(descriptor_.get(), static_cast<off_t>(offset), SEEK_DATA);
  if (found >= 0) return std::min(static_cast<uint64_t>(found), size());
  if (errno == ENXIO) return size();
#endif
  return offset;
}

AtomicFile::AtomicFile(std::string path) : AtomicFile(AT_FDCWD, path, path) {}

AtomicFile::AtomicFile(const HeldFolder& folder, std::string path)
    : AtomicFile(folder.get(), folder.below(path), path) {}

AtomicFile::AtomicFile(int above, std::string_view below, std::string path)
    : path_(std::move(path)),
      temporary_(str(path_, partial)),
      folder_(folder_of(path_)),
      name_(below.substr(below.rfind('/') + 1)),
      temporary_name_(str(name_, partial)) {
  if (name_.empty()) fail<FileError>("'", path_, "': names no file to write; give one");
  const std::string folder = folder_of(std::string(below));
  held_ = Descriptor(checked(
      "open", folder_, [&] { return ::openat(above, folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  if (held_.get() < 0) fail_with(errno, path_, str("its folder ", folder_, " cannot be opened"));
  check_replaceable();
  try {
    open_temporary();
  } catch (...) {
    discard();
    throw;
  }
}

AtomicFile::~AtomicFile() { discard(); }

void AtomicFile::check_replaceable() const {
  struct stat status {};
  if (::fstatat(held_.get(), name_.c_str(), &status, 0) != 0 || S_ISREG(status.st_mode)) return;
  fail<FileError>(path_, S_ISDIR(status.st_mode) ? ": is a folder" : ": is not a regular file",
                  ", so no file can be written there; give another path");
}

void AtomicFile::open_temporary() {
  const auto open_with = [&](int flags) {
    Descriptor file(checked("open", temporary_, [&] {
      return ::openat(held_.get(), temporary_name_.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0666);
    }));
    if (file.get() < 0) fail_with(errno, path_, str("cannot be written as ", temporary_));
    return file;
  };
  if (!open_locked(locked_, held_.get(), temporary_name_, temporary_, path_,
                   [&] { return open_with(O_RDWR | O_CREAT); }))
    fail<FileError>(path_, ": is being written by another process just now");
  // A descriptor of its own, so that closing it is checked before the rename while the lock is still held.
  output_ = open_with(O_WRONLY | O_TRUNC);
}

void AtomicFile::discard() {
  if (locked_.get() >= 0)
    checked("unlink", temporary_, [&] { return ::unlinkat(held_.get(), temporary_name_.c_str(), 0); });
  locked_ = Descriptor();
}

void AtomicFile::write(std::span<const uint8_t> bytes) {
  if (output_.get() < 0) fail<StateError>(path_, ": write after commit");
  hasher_.update(bytes);
  const uint64_t wanted = size_ + bytes.size();
  while (!bytes.empty()) {
    const auto put =
        checked("write", temporary_, [&] { return ::write(output_.get(), bytes.data(), bytes.size()); });
    if (put < 0 && (errno == ENOSPC || errno == EDQUOT)) {
      struct statvfs space {};
      const bool known = ::fstatvfs(held_.get(), &space) == 0;
      fail<FileError>(path_, ": the disk is full: ", wanted, " bytes are needed, ",
                      known ? str(size_ + space.f_bavail * space.f_frsize, " are free") : "too few are free",
                      " in ", folder_, "; make room or choose another folder");
    }
    if (put < 0 && errno == EFBIG)
      fail<FileError>(path_, ": ", wanted,
                      " bytes are needed, more than a file may have here (see ulimit -f)");
    if (put < 0) fail_with(errno, path_, "cannot be written");
    size_ += static_cast<uint64_t>(put);
    bytes = bytes.subspan(static_cast<size_t>(put));
  }
}

void AtomicFile::write(std::string_view text) { write(bytes_of(text)); }

void AtomicFile::commit() {
  if (output_.get() < 0) fail<StateError>(path_, ": commit twice");
  if (checked("fsync", temporary_, [&] { return ::fsync(output_.get()); }) != 0)
    fail_with(errno, path_, "cannot be synced to the disk");
  if (close_checked(output_.release(), temporary_) != 0) fail_with(errno, path_, "cannot be closed");
  read_back();

  if (checked("rename", path_, [&] {
        return ::renameat(held_.get(), temporary_name_.c_str(), held_.get(), name_.c_str());
      }) != 0)
    fail_with(errno, path_, str(temporary_, " cannot be renamed to it"));
  locked_ = Descriptor();
  // Some file systems cannot sync a folder and say EINVAL; the rename is as durable there as it gets.
  if (checked("fsync", folder_, [&] { return ::fsync(held_.get()); }) != 0 && errno != EINVAL &&
      errno != ENOTSUP)
    fail_with(errno, path_,
              "is written whole, but its folder cannot be synced, so a power cut may bring back the old");
}

void AtomicFile::read_back() const {
  // So that the device is read, not the memory we wrote from; advice that may be ignored.
  ::posix_fadvise(locked_.get(), 0, 0, POSIX_FADV_DONTNEED);
  constexpr uint64_t chunk = uint64_t{1} << 20;
  std::vector<uint8_t> bytes(std::min(size_, chunk));
  Hasher found;
  const auto size = static_cast<uint64_t>(status_of(locked_.get(), path_).st_size);
  for (uint64_t at = 0; at < size_ && size == size_; at += chunk) {
    const std::span part(bytes.data(), std::min(chunk, size_ - at));
    read_at(locked_.get(), path_, at, part);
    found.update(part);
  }
  if (size != size_ || found.digest() != hasher_.digest())
    fail<FileError>(path_, ": the ", size, " bytes read back differ from the ", size_,
                    " written: the disk or its driver is failing");
}

std::vector<uint8_t> read_file(const std::string& path) {
  return read_whole<std::vector<uint8_t>>(InputFile(path));
}

std::string read_text(const std::string& path, uint64_t most_bytes) {
  const InputFile file(path);
  if (file.size() > most_bytes)
    fail<FileError>(path, ": holds ", file.size(), " bytes, more than the ", most_bytes,
                    " that such a file may have");
  return read_whole<std::string>(file);
}

void write_file(const std::string& path, std::span<const uint8_t> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void write_file(const HeldFolder& folder, const std::string& path, std::span<const uint8_t> bytes) {
  AtomicFile file(folder, path);
  file.write(bytes);
  file.commit();
}

void write_file(const std::string& path, std::string_view text) { write_file(path, bytes_of(text)); }
void write_file(const HeldFolder& folder, const std::string& path, std::string_view text) {
  write_file(folder, path, bytes_of(text));
}

bool is_there(const std::string& path) {
  struct stat status {};
  if (checked("stat", path, [&] { return ::stat(path.c_str(), &status); }) == 0) return true;
  if (errno != ENOENT && errno != ENOTDIR) fail_with(errno, path, "cannot be examined");
  return false;
}

std::vector<std::string> names_in(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> names;
  std::filesystem::directory_iterator entries(folder, error);
  for (; !error && entries != std::filesystem::directory_iterator(); entries.increment(error))
    names.push_back(entries->path().filename().string());
  if (error) fail_with(error.value(), folder, "cannot be listed");
  std::ranges::sort(names);
  return names;
}

void remove_partial_files(const std::string& folder) {
  for (const std::string& name : names_in(folder)) {
    if (!name.ends_with(AtomicFile::partial)) continue;
    const std::string path = str(folder, "/", name);
    const Descriptor file(checked(
        "open", path, [&] { return ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK); }));
    if (file.get() < 0 || !try_lock(file.get(), path)) continue;
    if (checked("unlink", path, [&] { return ::unlink(path.c_str()); }) != 0)
      fail_with(errno, path, "cannot be removed");
  }
}

FileLock::FileLock(const HeldFolder& folder, const std::string& path) {
  const std::string name = folder.below(path);
  if (!open_locked(descriptor_, folder.get(), name, path, path, [&] {
        Descriptor file(checked("open", path, [&] {
          return ::openat(folder.get(), name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
        }));
        if (file.get() < 0) fail_with(errno, path, "cannot be opened to lock it");
        return file;
      }))
    fail<FileError>(path,
                    ": another process holds this lock and works in the same folder; wait for it or stop it");
}

void set_fault_hook(FaultHook hook) { fault_hook.store(hook, std::memory_order_relaxed); }

}  // namespace weft
