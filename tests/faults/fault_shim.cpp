// A library for LD_PRELOAD that counts the system calls a program makes on files below a folder, and makes some of them
// fail, or kills the program there.
//
//   FAULT_FOLDER=/tmp/x/run   calls on names that begin so, or on what was opened by one
//   FAULT_AT=27               the number of the call, from 1; 0 only counts
//   FAULT_DO=kill|EIO|...     what happens then: SIGKILL before the call, or a failure with that number of errno
//   FAULT_FOR_GOOD=1          all later calls of that name fail too
//   FAULT_LOG=FILE            each call's name and path, a line each, as they come
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace {

constexpr int most_files = 4096;
std::atomic<bool> concerned[most_files];
std::atomic<int> calls{0};
char failing_name[32];  // of the call that fails for good

struct Plan {
  const char* folder = getenv("FAULT_FOLDER");
  int at = getenv("FAULT_AT") ? atoi(getenv("FAULT_AT")) : 0;
  const char* what = getenv("FAULT_DO");
  bool for_good = getenv("FAULT_FOR_GOOD") != nullptr;
  int log = getenv("FAULT_LOG") ? static_cast<int>(syscall(SYS_openat, AT_FDCWD, getenv("FAULT_LOG"),
                                                           O_WRONLY | O_CREAT | O_APPEND, 0666))
                                : -1;
};

const Plan& plan() {
  static const Plan only;
  return only;
}

bool is_open_concerned(int fd) { return fd >= 0 && fd < most_files && concerned[fd]; }

/// Whether a name, seen from an open folder, lies below the one that is watched.
bool concerns(int at, const char* path) {
  if (plan().folder == nullptr || path == nullptr) return false;
  if (path[0] != '/' && at != AT_FDCWD) return is_open_concerned(at);
  char whole[4096];
  if (path[0] == '/') {
    snprintf(whole, sizeof whole, "%s", path);
  } else {
    char here[2048];
    if (getcwd(here, sizeof here) == nullptr) return false;
    snprintf(whole, sizeof whole, "%s/%s", here, path);
  }
  return strncmp(whole, plan().folder, strlen(plan().folder)) == 0;
}

/// The errno that this call fails with; 0 when it is let through.
int fault(const char* name, const char* path) {
  const int number = ++calls;
  if (plan().log >= 0) {
    char line[4300];
    const int length = snprintf(line, sizeof line, "%s %s\n", name, path);
    syscall(SYS_write, plan().log, line, length);
  }
  if (plan().at == 0 || plan().what == nullptr) return 0;
  const bool later = plan().for_good && number > plan().at && strcmp(failing_name, name) == 0;
  if (number != plan().at && !later) return 0;
  if (strcmp(plan().what, "kill") == 0) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
  }
  snprintf(failing_name, sizeof failing_name, "%s", name);
  return strcmp(plan().what, "ENOSPC") == 0   ? ENOSPC
         : strcmp(plan().what, "EACCES") == 0 ? EACCES
         : strcmp(plan().what, "EINVAL") == 0 ? EINVAL
         : strcmp(plan().what, "ENOENT") == 0 ? ENOENT
                                              : EIO;
}

template <class Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

int opened(int fd) {
  if (fd >= 0 && fd < most_files) concerned[fd] = true;
  return fd;
}

/// A call on a name: fails as planned, or is made.
template <class Call>
auto on_name(const char* name, int at, const char* path, Call call) -> decltype(call()) {
  if (concerns(at, path))
    if (const int error = fault(name, path)) {
      errno = error;
      return -1;
    }
  return call();
}

template <class Call>
auto on_file(const char* name, int fd, Call call) -> decltype(call()) {
  if (is_open_concerned(fd))
    if (const int error = fault(name, "")) {
      errno = error;
      return -1;
    }
  return call();
}

template <class Real>
int open_like(const char* symbol, int at, const char* path, int flags, mode_t mode, Real real) {
  const bool watched = concerns(at, path);
  const int fd = on_name(symbol, at, path, [&] { return real(path, flags, mode); });
  return watched ? opened(fd) : fd;
}

mode_t mode_in(int flags, va_list& more) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(more, mode_t) : 0;
}

}  // namespace

extern "C" {

#define OPEN(symbol)                                                        \
  int symbol(const char* path, int flags, ...) {                            \
    va_list more;                                                           \
    va_start(more, flags);                                                  \
    const mode_t mode = mode_in(flags, more);                               \
    va_end(more);                                                           \
    static const auto real = next<int (*)(const char*, int, ...)>(#symbol); \
    return open_like("open", AT_FDCWD, path, flags, mode, real);            \
  }
OPEN(open)
OPEN(open64)

#define OPENAT(symbol)                                                                   \
  int symbol(int at, const char* path, int flags, ...) {                                 \
    va_list more;                                                                        \
    va_start(more, flags);                                                               \
    const mode_t mode = mode_in(flags, more);                                            \
    va_end(more);                                                                        \
    static const auto real = next<int (*)(int, const char*, int, ...)>(#symbol);         \
    return open_like("open", at, path, flags, mode,                                      \
                     [&](const char* p, int f, mode_t m) { return real(at, p, f, m); }); \
  }
OPENAT(openat)
OPENAT(openat64)

// The calls of one shape: NAME is what is told, SYMBOL what is called.
#define ON_FILE(result, name, symbol, parameters, arguments)      \
  result symbol parameters {                                      \
    static const auto real = next<result(*) parameters>(#symbol); \
    return on_file(name, fd, [&] { return real arguments; });     \
  }
ON_FILE(ssize_t, "read", read, (int fd, void* bytes, size_t size), (fd, bytes, size))
ON_FILE(ssize_t, "read", pread, (int fd, void* bytes, size_t size, off_t at), (fd, bytes, size, at))
ON_FILE(ssize_t, "read", pread64, (int fd, void* bytes, size_t size, off64_t at), (fd, bytes, size, at))
ON_FILE(ssize_t, "write", write, (int fd, const void* bytes, size_t size), (fd, bytes, size))
ON_FILE(ssize_t, "write", pwrite, (int fd, const void* bytes, size_t size, off_t at), (fd, bytes, size, at))
ON_FILE(int, "fsync", fsync, (int fd), (fd))
ON_FILE(int, "fsync", fdatasync, (int fd), (fd))
ON_FILE(int, "stat", fstat, (int fd, struct stat* status), (fd, status))
ON_FILE(int, "stat", fstat64, (int fd, struct stat64* status), (fd, status))
ON_FILE(int, "lock", flock, (int fd, int operation), (fd, operation))

int close(int fd) {
  static const auto real = next<int (*)(int)>("close");
  const bool watched = is_open_concerned(fd);
  const int error = watched ? fault("close", "") : 0;
  if (fd >= 0 && fd < most_files) concerned[fd] = false;
  const int result = real(fd);
  if (error == 0) return result;
  errno = error;
  return -1;
}

#define ON_NAME(name, symbol, at, path, parameters, arguments)      \
  int symbol parameters {                                           \
    static const auto real = next<int(*) parameters>(#symbol);      \
    return on_name(name, at, path, [&] { return real arguments; }); \
  }
ON_NAME("rename", rename, AT_FDCWD, to, (const char* from, const char* to), (from, to))
ON_NAME("rename", renameat, b, to, (int a, const char* from, int b, const char* to), (a, from, b, to))
ON_NAME("exchange", renameat2, b, to, (int a, const char* from, int b, const char* to, unsigned flags),
        (a, from, b, to, flags))
ON_NAME("unlink", unlink, AT_FDCWD, path, (const char* path), (path))
ON_NAME("unlink", remove, AT_FDCWD, path, (const char* path), (path))
ON_NAME("unlink", rmdir, AT_FDCWD, path, (const char* path), (path))
ON_NAME("unlink", unlinkat, at, path, (int at, const char* path, int flags), (at, path, flags))
ON_NAME("link", link, AT_FDCWD, to, (const char* from, const char* to), (from, to))
ON_NAME("mkdir", mkdir, AT_FDCWD, path, (const char* path, mode_t mode), (path, mode))
ON_NAME("mkdir", mkdirat, at, path, (int at, const char* path, mode_t mode), (at, path, mode))
ON_NAME("stat", stat, AT_FDCWD, path, (const char* path, struct stat* status), (path, status))
ON_NAME("stat", lstat, AT_FDCWD, path, (const char* path, struct stat* status), (path, status))
ON_NAME("stat", stat64, AT_FDCWD, path, (const char* path, struct stat64* status), (path, status))
ON_NAME("stat", lstat64, AT_FDCWD, path, (const char* path, struct stat64* status), (path, status))
ON_NAME("stat", fstatat, at, path, (int at, const char* path, struct stat* status, int flags),
        (at, path, status, flags))
ON_NAME("stat", fstatat64, at, path, (int at, const char* path, struct stat64* status, int flags),
        (at, path, status, flags))

DIR* opendir(const char* path) {
  static const auto real = next<DIR* (*)(const char*)>("opendir");
  const bool watched = concerns(AT_FDCWD, path);
  if (watched)
    if (const int error = fault("opendir", path)) {
      errno = error;
      return nullptr;
    }
  DIR* const folder = real(path);
  if (watched && folder != nullptr) opened(dirfd(folder));
  return folder;
}

DIR* fdopendir(int fd) {
  static const auto real = next<DIR* (*)(int)>("fdopendir");
  if (is_open_concerned(fd))
    if (const int error = fault("opendir", "")) {
      errno = error;
      return nullptr;
    }
  return real(fd);
}

#define READDIR(symbol, entry)                                       \
  struct entry* symbol(DIR* folder) {                                \
    static const auto real = next<struct entry* (*)(DIR*)>(#symbol); \
    if (is_open_concerned(dirfd(folder)))                            \
      if (const int error = fault("readdir", "")) {                  \
        errno = error;                                               \
        return nullptr;                                              \
      }                                                              \
    return real(folder);                                             \
  }
READDIR(readdir, dirent)
READDIR(readdir64, dirent64)

int closedir(DIR* folder) {
  static const auto real = next<int (*)(DIR*)>("closedir");
  const int fd = dirfd(folder);
  if (fd >= 0 && fd < most_files) concerned[fd] = false;
  return real(folder);
}

}  // extern "C"
