#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <weft/lib/base/error.h>
#include <weft/tools/cli.h>
#include <weft/train/show/console.h>
#include <weft/train/signals.h>

#include <exception>
#include <filesystem>
#include <new>
#include <sstream>

#include "command_line.h"

namespace weft::tools {
namespace {

constexpr int refused = 2, failed = 1;

int complain(const char* what, int code) {
  Console().print(str(program_name(), ": ", what));
  return code;
}

/// Runs `body`; errors are told and become `code`.
template <class Body>
int guarded(int code, Body&& body) {
  try {
    return body();
  } catch (const Stopped& stopped) {
    return exit_code_of(stopped.signal);
  } catch (const std::bad_alloc&) {
    return complain("there is not enough memory", code);
  } catch (const std::exception& error) {
    return complain(error.what(), code);
  }
}

int run(int argc, char** argv) {
  CLI::App app(str(program_name(), " trains transformers from scratch."), program_name());
  app.set_version_flag("--version", "weft " WEFT_VERSION);
  app.require_subcommand(1);
  const std::function<Work()> prepare = declare_commands(app);
  Work work;
  const int code = guarded(refused, [&] {
    // Before CLI11 calls it an unexpected argument.
    if (argc > 1 && argv[1][0] != '-') check_command(app, argv[1]);
    try {
      app.parse(argc, argv);
    } catch (const CLI::Success& asked) {
      std::ostringstream text;
      app.exit(asked, text);
      write_out(text.str());
      return 0;
    } catch (const CLI::ParseError& error) {
      fail<ValueError>(error.what(), "; ", program_name(), " ",
                       argc > 1 && argv[1][0] != '-' ? str(argv[1], " ") : "", "--help tells more");
    }
    work = prepare();
    return 0;
  });
  return work ? guarded(failed, work) : code;
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
#endif
  if (argc > 0) set_program_name(std::filesystem::path(argv[0]).filename().string());
  return tools::run(argc, argv);
}

}  // namespace weft
