#include <fcntl.h>
#include <unistd.h>
#include <weft/lib/base/error.h>
#include <weft/train/files/appended_file.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace weft {

AppendedFile::AppendedFile(const HeldFolder& folder, std::string path)
    : path_(std::move(path)),
      file_(::openat(folder.get(), folder.below(path_).c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC,
                     0666)) {
  if (!is_open())
    fail<FileError>(path_, ": cannot be opened for writing: ", std::generic_category().message(errno));
}

void AppendedFile::append(std::string_view bytes) const {
  ssize_t put = 0;
  do put = ::write(file_.get(), bytes.data(), bytes.size());
  while (put < 0 && errno == EINTR);
  if (put == static_cast<ssize_t>(bytes.size())) return;
  const std::string reason = put < 0 ? std::generic_category().message(errno) : "the disk is full";
  fail<FileError>(path_, ": cannot be written: ", reason);
}

void AppendedFile::clear() const {
  if (::ftruncate(file_.get(), 0) != 0)
    fail<FileError>(path_, ": cannot be cut short: ", std::generic_category().message(errno));
}

void AppendedFile::sync() const {
  if (is_open() && ::fsync(file_.get()) != 0)
    fail<FileError>(path_, ": cannot be synced to the disk: ", std::generic_category().message(errno));
}

}  // namespace weft
