// A library for LD_PRELOAD in which the function of MPI that STOP_AT names stops its process for good.
#include <signal.h>

extern "C" int STOP_AT() {
  for (;;) raise(SIGSTOP);
}
