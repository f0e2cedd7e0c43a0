#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/join.h>
#include <weft/lib/base/values.h>
#include <weft/tools/board/board.h>
#include <weft/tools/board/board_page.h>
#include <weft/tools/board/board_server.h>
#include <weft/train/files/run_folder.h>
#include <weft/train/show/console.h>
#include <weft/train/signals.h>

#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include "commands.h"

namespace weft::tools {
namespace {

/// What is served, in the order in which it is to end.
struct Served {
  explicit Served(const std::vector<std::string>& runs) : board(runs) {}

  Board board;
  std::optional<HttpServer> server;
};

/// On the port that was asked for; on the usual one, or the first free behind it, where none was.
void start(Served& served, const BoardArguments& arguments) {
  constexpr int tries = 20;
  for (int i = 0;; ++i) {
    const int port = arguments.port.value_or(BoardArguments::usual_port + i);
    served.server.emplace(HttpOptions{.host = arguments.host, .port = port});
    serve_board(*served.server, served.board);
    try {
      return served.server->start();
    } catch (const FileError&) {
      if (arguments.port || i + 1 == tries) throw;
    }
  }
}

int serve(const Served& served) {
  Console console;
  write_out(served.server->url() + "\n");
  const size_t runs = served.board.size();
  console.print(str("following ", runs, runs == 1 ? " run" : " runs", "; Ctrl-C ends it"));
  for (const std::string& folder : served.board.empty_folders())
    console.print(str(folder, ": no run is there yet; one that begins is shown"));
  const StopSignals signals("the board ends");
  while (StopSignals::received() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  return exit_code_of(StopSignals::received());
}

}  // namespace

Work prepare_board(const BoardArguments& arguments) {
  const auto served = std::make_shared<Served>(arguments.runs);
  if (arguments.out.empty()) {
    start(*served, arguments);
    return [served] { return serve(*served); };
  }
  if (arguments.port || arguments.host != BoardArguments().host)
    fail<ValueError>("--out: writes a page that is served by nobody; leave out --port and --host");
  if (const std::vector<std::string> empty = served->board.empty_folders(); !empty.empty())
    fail<FileError>(empty.front(), ": holds no run; ", program_name(), " train --out ",
                    quoted(empty.front() + "/NAME"), " makes one");
  check_output(arguments.out);
  return [served, out = arguments.out] {
    served->board.read_all();
    write_file(out, board_html(served->board.whole_json()));
    return 0;
  };
}

}  // namespace weft::tools
