#include <signal.h>
#include <unistd.h>
#include <weft/train/signals.h>

#include <array>
#include <atomic>
#include <cstring>

namespace weft {
namespace {

std::atomic<int> first_signal{0};
std::atomic<const char*> what_is_told{""};
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<const char*>::is_always_lock_free);

constexpr std::array handled = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGXCPU, SIGPIPE};

/// What was done with each of them before.
std::array<struct sigaction, handled.size()> before;

// Only what may be called in a signal handler.
void on_signal(int signal) {
  int none = 0;
  if (!first_signal.compare_exchange_strong(none, signal)) {
    if (signal == SIGXCPU) return;  // comes every second
    ::_exit(exit_code_of(signal));
  }
  for (const char* const part : {"\nweft: ", what_is_told.load(), "; once more stops at once\n"})
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, part, std::strlen(part));
}

}  // namespace

StopSignals::StopSignals(const char* told) {
  what_is_told = told;
  for (size_t i = 0; i < handled.size(); ++i) {
    ::sigaction(handled[i], nullptr, &before[i]);
    if (handled[i] == SIGHUP && before[i].sa_handler == SIG_IGN) continue;
    struct sigaction action {};
    action.sa_handler = handled[i] == SIGPIPE ? SIG_IGN : on_signal;
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    ::sigaction(handled[i], &action, nullptr);
  }
}

StopSignals::~StopSignals() {
  for (size_t i = 0; i < handled.size(); ++i) ::sigaction(handled[i], &before[i], nullptr);
}

int StopSignals::received() { return first_signal.load(); }

const char* signal_name(int signal) {
  switch (signal) {
    case SIGINT:
      return "SIGINT";
    case SIGHUP:
      return "SIGHUP";
    case SIGUSR1:
      return "SIGUSR1";
    case SIGXCPU:
      return "SIGXCPU";
    default:
      return "SIGTERM";
  }
}

}  // namespace weft
