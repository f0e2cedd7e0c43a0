// weft: trains, scores and runs transformers and what they are compared with.
//
// Exit codes: 0 done; 2 refused before work began; 1 failed while working; 130 and 143 after SIGINT and
// SIGTERM.
#include <malloc.h>
#include <signal.h>
#include <weft/lib/base/error.h>
#include <weft/train/console.h>
#include <weft/train/signals.h>

#include <exception>
#include <new>
#include <sstream>

#include "command_line.h"

namespace weft::tools {
namespace {

constexpr int refused = 2, failed = 1;

int complain(const char* what, int code) {
  Console().print(str("weft: ", what));
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
  CLI::App app("weft trains transformers from scratch.", "weft");
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
      fail<ValueError>(error.what(), "; weft ", argc > 1 && argv[1][0] != '-' ? str(argv[1], " ") : "",
                       "--help tells more");
    }
    work = prepare();
    return 0;
  });
  return work ? guarded(failed, work) : code;
}

}  // namespace
}  // namespace weft::tools

int main(int argc, char** argv) {
  // A file that may grow no further is an error of write(), not a death.
  ::signal(SIGXFSZ, SIG_IGN);
#ifdef __GLIBC__
  // Large blocks go back to the system when they are freed, instead of leaving holes: the image of a
  // checkpoint would else take its memory twice.
  ::mallopt(M_MMAP_THRESHOLD, 1 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 1 << 24);
#endif
  return weft::tools::run(argc, argv);
}
