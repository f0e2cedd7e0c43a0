#include "signals.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

namespace weft {
namespace {

std::atomic<int> first_signal{0};
static_assert(std::atomic<int>::is_always_lock_free);

// Only what may be called in a signal handler.
void on_signal(int signal) {
  int none = 0;
  if (!first_signal.compare_exchange_strong(none, signal)) ::_exit(exit_code_of(signal));
  constexpr char text[] = "\nweft: stopping after this step; once more stops at once\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text, sizeof text - 1);
}

void handle(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

}  // namespace

StopSignals::StopSignals() { handle(on_signal); }
StopSignals::~StopSignals() { handle(SIG_DFL); }
int StopSignals::received() { return first_signal.load(); }

const char* signal_name(int signal) { return signal == SIGINT ? "SIGINT" : "SIGTERM"; }

}  // namespace weft
