#include "board_server.h"

#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>

#include <functional>
#include <limits>

#include "board_page.h"

namespace weft::tools {
namespace {

constexpr int64_t most_of_all = std::numeric_limits<int64_t>::max();

/// Text of the query; empty without one.
std::string text_in(const HttpRequest& request, const char* name) {
  const std::string* const text = request.parameter(name);
  return text != nullptr ? *text : "";
}

int64_t integer_in(const HttpRequest& request, const char* name, int64_t otherwise, int64_t least,
                   int64_t most) {
  const std::string* const text = request.parameter(name);
  return text != nullptr ? parse_integer(name, *text, least, most) : otherwise;
}

double number_in(const HttpRequest& request, const char* name) {
  return parse_number(name, text_in(request, name), std::numeric_limits<double>::lowest());
}

size_t run_in(const HttpRequest& request) {
  return static_cast<size_t>(integer_in(request, "run", most_of_all, 0, most_of_all));
}

Series::Axis axis_of(const std::string& name) {
  if (name == "step") return Series::Axis::step;
  if (name == "tokens") return Series::Axis::tokens;
  if (name == "seconds") return Series::Axis::seconds;
  fail<ValueError>("axis: '", name, "' is none of step, tokens, seconds");
}

Board::Wanted wanted_in(const HttpRequest& request) {
  Board::Wanted wanted;
  if (request.parameter("curve") != nullptr) wanted.curve = text_in(request, "curve");
  wanted.most = static_cast<size_t>(integer_in(request, "most", 1000, 1, 10'000));
  wanted.generation = integer_in(request, "generation", -1, 0, most_of_all);
  wanted.level = static_cast<int>(integer_in(request, "level", -1, 0, 62));
  wanted.known_until = static_cast<size_t>(integer_in(request, "known", 0, 0, most_of_all));
  wanted.is_part = request.parameter("axis") != nullptr;
  if (!wanted.is_part) return wanted;
  wanted.axis = axis_of(text_in(request, "axis"));
  wanted.from = number_in(request, "from");
  wanted.to = number_in(request, "to");
  return wanted;
}

HttpAnswer answer_of(const std::function<std::string()>& json) {
  HttpAnswer answer{.headers = {{"Cache-Control", "no-store"}, {"X-Content-Type-Options", "nosniff"}}};
  try {
    answer.body = json();
  } catch (const ValueError& error) {
    answer.status = 400;
    answer.type = "text/plain; charset=utf-8";
    answer.body = str(error.what(), "\n");
  } catch (const FileError& error) {
    answer.status = 503;
    answer.type = "text/plain; charset=utf-8";
    answer.body = str(error.what(), "\n");
  }
  return answer;
}

}  // namespace

void serve_board(HttpServer& server, Board& board) {
  server.get("/", [page = board_html("null")](const HttpRequest&) {
    HttpAnswer answer = answer_of([&] { return page; });
    answer.type = "text/html; charset=utf-8";
    return answer;
  });
  server.get("/runs", [&board](const HttpRequest& request) {
    return answer_of([&] {
      const auto since = static_cast<uint64_t>(integer_in(request, "since", 0, 0, most_of_all));
      board.read();
      return board.runs_json(text_in(request, "board"), since);
    });
  });
  server.get("/curve", [&board](const HttpRequest& request) {
    return answer_of([&] { return board.curve_json(run_in(request), wanted_in(request)); });
  });
  server.get("/sample", [&board](const HttpRequest& request) {
    return answer_of([&] {
      return board.sample_json(
          run_in(request), static_cast<size_t>(integer_in(request, "number", most_of_all, 0, most_of_all)));
    });
  });
  server.get("/statistics", [&board](const HttpRequest& request) {
    return answer_of([&] {
      return board.statistics_json(run_in(request), text_in(request, "part"), text_in(request, "measure"));
    });
  });
}

}  // namespace weft::tools
