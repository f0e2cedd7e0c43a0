#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/held_folder.h>
#include <weft/lib/base/system_calls_internal.h>

#include <cerrno>
#include <cstdio>
#include <utility>

namespace weft {

using detail::checked, detail::fail_with;

HeldFolder::HeldFolder(std::string path)
    : path_(std::move(path)),
      descriptor_(
          checked("open", path_, [&] { return ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); })) {
  if (descriptor_.get() < 0) fail_with(errno, path_, "the folder cannot be opened");
}

bool HeldFolder::is_named() const {
  struct stat named {
  }, held{};
  if (checked("stat", path_, [&] { return ::fstat(get(), &held); }) != 0)
    fail_with(errno, path_, "cannot be examined");
  return ::stat(path_.c_str(), &named) == 0 && named.st_ino == held.st_ino && named.st_dev == held.st_dev;
}

std::string HeldFolder::below(const std::string& path) const {
  if (!path.starts_with(path_ + "/") || path.ends_with('/'))
    fail<ValueError>(path, ": does not lie in ", path_);
  // A name that began with a slash would be looked for from the root on.
  return path.substr(path.find_first_not_of('/', path_.size()));
}

void HeldFolder::make_folder(const std::string& path) const {
  const std::string name = below(path);
  if (checked("mkdir", path, [&] { return ::mkdirat(get(), name.c_str(), 0777); }) == 0) return;
  const int error = errno;
  struct stat status {};
  if (error == EEXIST && ::fstatat(get(), name.c_str(), &status, 0) == 0 && S_ISDIR(status.st_mode)) return;
  if (error == EEXIST)
    fail<FileError>(path, ": is not a folder, and one of this name is needed; move it away");
  fail_with(error, path, "the folder cannot be made");
}

void HeldFolder::remove(const std::string& path) const {
  const std::string name = below(path);
  if (checked("unlink", path, [&] { return ::unlinkat(get(), name.c_str(), 0); }) != 0 && errno != ENOENT)
    fail_with(errno, path, "cannot be removed");
}

void HeldFolder::rename(const std::string& from, const std::string& to) const {
  const std::string before = below(from), after = below(to);
  if (checked("rename", to, [&] { return ::renameat(get(), before.c_str(), get(), after.c_str()); }) != 0)
    fail_with(errno, from, str("cannot be renamed to ", to));
}

bool exchange_folders(const std::string& a, const std::string& b) {
#ifdef RENAME_EXCHANGE
  if (checked("exchange", b,
              [&] { return ::renameat2(AT_FDCWD, a.c_str(), AT_FDCWD, b.c_str(), RENAME_EXCHANGE); }) == 0)
    return true;
  if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP)
    fail_with(errno, b, str("cannot change places with ", a));
#endif
  return false;
}

void sync_folder(const std::string& path) {
  const HeldFolder folder(path);
  // Some file systems cannot sync a folder and say EINVAL.
  if (checked("fsync", path, [&] { return ::fsync(folder.get()); }) != 0 && errno != EINVAL &&
      errno != ENOTSUP)
    fail_with(errno, path, "cannot be synced to the disk");
}

}  // namespace weft
