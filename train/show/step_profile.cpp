#include <weft/lib/base/error.h>
#include <weft/lib/profile/profile.h>
#include <weft/train/show/step_profile.h>

namespace weft {

StepProfile::~StepProfile() {
  if (profiling()) stop_profile();
}

void StepProfile::before_update() {
  if (steps_ > 0 && done_ == warm_up) start_profile();
}

void StepProfile::after_update() {
  if (++done_ == warm_up + steps_ && steps_ > 0) write();
}

void StepProfile::finish() {
  if (steps_ == 0 || written_) return;
  if (profiling()) return write();
  console_.print(str("no profile: the run ended within ", warm_up, " updates of warm-up"));
}

void StepProfile::write() {
  written_ = true;
  const Profile profile = stop_profile();
  console_.print(str("\n", profile_table(profile)));
  write_file(run_.held(), run_.folder().trace(), profile_trace(profile));
  console_.print(str(run_.folder().trace(), ": the trace, for ui.perfetto.dev or chrome://tracing"));
}

}  // namespace weft
