#include <sys/ioctl.h>
#include <unistd.h>
#include <weft/lib/base/error.h>
#include <weft/train/show/console.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

namespace weft {
namespace {

/// The errno of a write that failed, else 0.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno;
    text.remove_prefix(static_cast<size_t>(put));
  }
  return 0;
}

std::string& name_of_program() {
  static std::string name = "weft";
  return name;
}

bool silenced = false;

size_t columns() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
}

}  // namespace

const std::string& program_name() { return name_of_program(); }
void set_program_name(std::string name) {
  if (!name.empty()) name_of_program() = std::move(name);
}

void set_silent(bool silent) { silenced = silent; }

void write_out(std::string_view text) {
  if (const int error = write_all(STDOUT_FILENO, text); error != 0)
    fail<FileError>("standard output: cannot be written: ", std::generic_category().message(error));
}

Console::Console() {
  const char* kind = std::getenv("TERM");
  terminal_ = ::isatty(STDERR_FILENO) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
}

Console::~Console() { clear(); }

// What standard error cannot take is lost: training goes on without an audience.
void Console::print(std::string_view line) {
  if (silenced) return;
  clear();
  write_all(STDERR_FILENO, str(line, "\n"));
}

void Console::renew(std::string_view line) {
  if (silenced) return;
  const auto now = std::chrono::steady_clock::now();
  if (!terminal_ || (showing_ && now - last_ < std::chrono::milliseconds(100))) return;
  last_ = now;
  showing_ = true;
  write_all(STDERR_FILENO, str("\r", line.substr(0, columns() - 1), "\x1b[K"));
}

void Console::clear() {
  if (showing_) write_all(STDERR_FILENO, "\r\x1b[K");
  showing_ = false;
}

}  // namespace weft
