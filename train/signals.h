// Stopping in good order: SIGINT and SIGTERM ask for a stop, and the program ends where it suits it.
#pragma once

namespace weft {

/// While it lives, the first SIGINT or SIGTERM is remembered, and a second one ends the process at once.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// The signal that asked for a stop; 0 for none.
  static int received();
};

/// What a program that a signal stopped returns: 130 for SIGINT, 143 for SIGTERM.
constexpr int exit_code_of(int signal) { return 128 + signal; }
/// "SIGINT", "SIGTERM".
const char* signal_name(int signal);

/// Thrown out of work that a stop ends before there is anything to save.
struct Stopped {
  int signal;
};

}  // namespace weft
