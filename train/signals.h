// Stopping in good order: SIGINT, SIGTERM, SIGHUP, and what batch systems send before they end a job, SIGUSR1 and SIGXCPU,
// ask for a stop, and the program ends where it suits it.
#pragma once

namespace weft {

/// While it lives, the first of them is remembered, and a second one ends the process at once, but for SIGXCPU; SIGHUP stays
/// ignored where it was (nohup). A pipe whose reader is gone is an error of write() and no death: what is told is lost, but no
/// update is.
class StopSignals {
 public:
  /// `told` says what the program does at the first, and must live as long.
  explicit StopSignals(const char* told = "stopping after this step");
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// The signal that asked for a stop; 0 for none.
  static int received();
};

/// What a program that a signal stopped returns: 130 for SIGINT, 143 for SIGTERM, 129 for SIGHUP, ...
constexpr int exit_code_of(int signal) { return 128 + signal; }
/// "SIGINT", "SIGTERM", ...
const char* signal_name(int signal);

/// Thrown out of work that a stop ends before there is anything to save.
struct Stopped {
  int signal;
};

}  // namespace weft
