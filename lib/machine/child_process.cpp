#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/lib/machine/child_process.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <span>
#include <system_error>
#include <utility>

namespace weft {
namespace {

constexpr int gave = 0, threw = 3, cannot_tell = 4;

bool put(int file, std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t done = ::write(file, bytes.data(), bytes.size());
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(done));
  }
  return true;
}

void limit(__rlimit_resource resource, rlim_t most) {
  const rlimit both{most, most};
  ::setrlimit(resource, &both);
}

/// The exit code.
int work_alone(const std::function<std::vector<uint8_t>()>& work, int file, int64_t most_seconds) {
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, static_cast<rlim_t>(most_seconds));
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTERM, SIGINT})
    ::signal(signal, SIG_DFL);
  if (const int nowhere = ::open("/dev/null", O_RDWR); nowhere >= 0) ::dup2(nowhere, STDERR_FILENO);
  try {
    return put(file, work()) ? gave : cannot_tell;
  } catch (const std::exception& error) {
    const std::string text = error.what();
    return put(file, {reinterpret_cast<const uint8_t*>(text.data()), text.size()}) ? threw : cannot_tell;
  }
}

}  // namespace

ChildResult run_in_child(const std::function<std::vector<uint8_t>()>& work, int64_t most_seconds) {
  // A file in memory: the child may fill it and end without anybody who reads meanwhile.
  const Descriptor file(::memfd_create("weft", MFD_CLOEXEC));
  const pid_t child = file.get() < 0 ? -1 : ::fork();
  if (child < 0) fail<MemoryError>("no process to work in: ", std::generic_category().message(errno));
  if (child == 0) ::_exit(work_alone(work, file.get(), most_seconds));
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  if (code == cannot_tell) fail<MemoryError>("no memory for what a process gave");
  if (code != gave && code != threw) return {.died = true};
  std::vector<uint8_t> bytes(static_cast<size_t>(std::max<off_t>(::lseek(file.get(), 0, SEEK_END), 0)));
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t got =
        ::pread(file.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return {.died = true};
    done += static_cast<size_t>(got);
  }
  if (code == threw) return {.error = std::string(bytes.begin(), bytes.end())};
  return {.bytes = std::move(bytes)};
}

}  // namespace weft
