#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/resource.h>
#include <weft/lib/base/advice.h>
#include <weft/lib/machine/cores.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/processes/processes.h>
#include <weft/tools/cli.h>
#include <weft/train/show/console.h>
#include <weft/train/signals.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <new>
#include <sstream>
#include <string_view>
#include <vector>

#include "advised_lines.h"
#include "command_line.h"
#include "refused_words.h"

namespace weft::tools {
namespace {

constexpr int refused = 2, failed = 1;

/// While a thread of MPI is at work, which cannot be waited for.
[[noreturn]] void end_at_once(int code) {
  std::fflush(nullptr);
  std::_Exit(code);
}

/// Leaves the others, and gives the exit code.
int leave(int code) {
  if (!Processes::joined().leave()) end_at_once(code);
  return code;
}

/// An error is told once, by one of the processes that had it.
int complain(const char* what, int code) {
  if (!Processes::are_several()) {
    Console().print(str(program_name(), ": ", what));
    return code;
  }
  Processes& processes = Processes::joined();
  if (processes.report_failure(what)) {
    set_silent(false);
    Console().print(str(program_name(), ": ", what));
  }
  return leave(code);
}

/// Those that mpirun has started with this one.
void join_processes() {
  if (!Processes::are_several()) return;
  set_silent(Processes::rank_of_start() > 0);
  try {
    const Processes& processes = Processes::joined();
    set_silent(!processes.is_first());
    set_num_threads(std::max(1, available_cores() / processes.sharing_cores()));
  } catch (const std::exception& error) {
    if (dynamic_cast<const JoinError*>(&error) != nullptr) set_silent(false);
    Console().print(str(program_name(), ": ", error.what(), advised_lines(advice_of(error), {})));
    end_at_once(refused);
  }
}

/// Runs `body`; errors are told, with what to type instead of `words`, and become `code`.
template <class Body>
int guarded(int code, const std::vector<std::string>& words, Body&& body) {
  try {
    return body();
  } catch (const Stopped& stopped) {
    if (Processes::are_several())
      complain(str("stopped by ", signal_name(stopped.signal)).c_str(), exit_code_of(stopped.signal));
    return exit_code_of(stopped.signal);
  } catch (const std::bad_alloc&) {
    return complain("there is not enough memory", code);
  } catch (const std::exception& error) {
    return complain((error.what() + advised_lines(advice_of(error), words)).c_str(), code);
  }
}

int run(int argc, char** argv) {
  CLI::App app(str(program_name(), " trains transformers from scratch."), program_name());
  app.set_version_flag("--version", "weft " WEFT_VERSION);
  app.require_subcommand(1);
  const std::function<Work()> prepare = declare_commands(app);
  join_processes();
  Work work;
  const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  const int code = guarded(refused, words, [&] {
    Processes::joined().check();
    if (Processes::are_several() && argc > 1 && argv[1][0] != '-' && std::string_view(argv[1]) != "train")
      fail<ValueError>(argv[1], ": is for one process, but mpirun has started ", Processes::joined().size(),
                       "; only train works on several");
    // Before CLI11 calls it an unexpected argument.
    if (argc > 1 && argv[1][0] != '-') check_command(app, argv[1]);
    try {
      app.parse(argc, argv);
    } catch (const CLI::Success& asked) {
      std::ostringstream text;
      app.exit(asked, text);
      if (Processes::joined().is_first()) write_out(text.str());
      return leave(0);
    } catch (const CLI::ParseError& error) {
      refuse_words(app, words, error);
    }
    work = prepare();
    return 0;
  });
  if (!work) return code;
  return guarded(failed, words, [&] { return leave(work()); });
}

}  // namespace
}  // namespace weft::tools

namespace weft {

int command_line(int argc, char** argv) {
  // What is opened next would else become standard output.
  for (int fd = 0; fd <= 2; ++fd)
    if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) < 0) return 1;
  // A file that may grow no further is an error of write(), not a death.
  ::signal(SIGXFSZ, SIG_IGN);
#ifdef __GLIBC__
  // Large blocks go back to the system when they are freed, instead of leaving holes: the image of a
  // checkpoint would else take its memory twice.
  ::mallopt(M_MMAP_THRESHOLD, 1 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 24);
  // Each thread that allocates reserves 64 MiB of addresses for itself; a plan of memory does not know of them.
  rlimit addresses{};
  if (::getrlimit(RLIMIT_AS, &addresses) == 0 && addresses.rlim_cur != RLIM_INFINITY)
    ::mallopt(M_ARENA_MAX, 1);
#endif
  if (argc > 0) set_program_name(std::filesystem::path(argv[0]).filename().string());
  return tools::run(argc, argv);
}

}  // namespace weft
