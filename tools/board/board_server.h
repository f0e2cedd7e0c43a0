// The board over HTTP: the page at /, and what it asks for, as JSON.
//
//   /runs?board=B&since=V              reads what is new, and tells the runs that have changed (Board::runs_json)
//   /curve?run=I&curve=updates&most=N  a curve (Board::curve_json), with generation, level and known what is new of it,
//                                      with axis=step|tokens|seconds, from and to a part of it
//   /sample?run=I&number=K             /statistics?run=I&part=weights&measure=std
//
// Runs are known by number alone: no path of a request is ever opened. What does not fit is answered with 400, a file that
// cannot be read just now with 503.
#pragma once

#include "../http/http_server.h"
#include "board.h"

namespace weft::tools {

/// To be called before server.start(); `board` outlives the server.
void serve_board(HttpServer& server, Board& board);

}  // namespace weft::tools
