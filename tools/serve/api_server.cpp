#include <weft/lib/base/values.h>
#include <weft/tools/commands/json_line.h>
#include <weft/tools/page/page.h>
#include <weft/tools/serve/api_error.h>
#include <weft/tools/serve/api_server.h>
#include <weft/tools/serve_page/serve_page_texts.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <utility>

namespace weft::tools {
namespace {

using nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr int hung_up = 499;
/// How often a thread that waits for a text looks whether somebody waits for it.
constexpr std::chrono::milliseconds look{50};

int64_t now() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string random_name() {
  std::random_device any;
  constexpr const char* digits = "0123456789abcdefghjkmnpqrstvwxyz";
  std::string name;
  for (int i = 0; i < 12; ++i) name += digits[any() % 32];
  return name;
}

/// In a time that tells nothing of where they differ.
bool equal_secrets(const std::string& given, const std::string& secret) {
  size_t difference = given.size() ^ secret.size();
  for (size_t i = 0; i < given.size(); ++i)
    difference |=
        static_cast<unsigned char>(given[i]) ^ static_cast<unsigned char>(secret[i % secret.size()]);
  return difference == 0;
}

void check_is_json(const HttpRequest& request) {
  // Pages of the net can make a browser post anything else to this machine without asking.
  const std::string* const type = request.header("Content-Type");
  if (!type || !type->starts_with("application/json"))
    throw ApiError({.status = 415}, str("a request is JSON, Content-Type: application/json",
                                        type ? str(", not ", *type) : ""));
}

ApiError too_late(std::chrono::seconds timeout) {
  return {{.status = 503, .type = "server_error", .code = "timeout"},
          str("the text was not written within ", timeout.count(), " seconds")};
}

ApiError not_written() { return {{.status = 500, .type = "server_error"}, "the text could not be written"}; }

}  // namespace

/// A request, from when it came until it has been answered, once and for all: one that is dropped before was hung up.
struct ApiServer::Counted {
  ServeMetrics& metrics;
  const char* endpoint;
  Clock::time_point begin = Clock::now();
  bool answered = false;

  Counted(ServeMetrics& all, const char* of) : metrics(all), endpoint(of) {}
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() {
    try {
      answer(hung_up);
    } catch (const std::exception&) {
      // There is no memory to count it.
    }
  }
  void answer(int status) {
    if (!std::exchange(answered, true)) metrics.count(endpoint, status, seconds());
  }
  double seconds() const { return std::chrono::duration<double>(Clock::now() - begin).count(); }
};

ApiServer::ApiServer(ServedModel served, GenerationQueue& queue, Options options)
    : served_(std::move(served)),
      queue_(queue),
      options_(std::move(options)),
      started_(now()),
      instance_(random_name()) {}

bool ApiServer::is_allowed(const HttpRequest& request) const {
  if (options_.api_key.empty()) return true;
  const std::string* const header = request.header("Authorization");
  constexpr std::string_view bearer = "Bearer ";
  return header && header->starts_with(bearer) &&
         equal_secrets(header->substr(bearer.size()), options_.api_key);
}

/// Errors become answers; all are counted, of streams once they have run.
HttpHandler ApiServer::guarded(const char* endpoint, Handler handler) {
  return [this, endpoint, handler = std::move(handler)](const HttpRequest& request) {
    const auto counted = std::make_shared<Counted>(metrics_, endpoint);
    try {
      if (!is_allowed(request))
        throw ApiError({.status = 401, .code = "invalid_api_key"},
                       "this server needs its API key: Authorization: Bearer KEY");
      HttpAnswer answer = handler(request, counted);
      if (!answer.stream) counted->answer(answer.status);
      return answer;
    } catch (const ApiError& error) {
      counted->answer(error.kind.status);
      HttpAnswer answer = error_answer(error);
      if (error.kind.status == 401) answer.headers.emplace_back("WWW-Authenticate", "Bearer");
      if (error.kind.status == 429) {
        const auto seconds = static_cast<int64_t>(std::ceil(queue_.expected_wait()));
        answer.headers.emplace_back("Retry-After", std::to_string(std::clamp<int64_t>(seconds, 1, 60)));
      }
      return answer;
    } catch (...) {
      counted->answer(500);
      throw;
    }
  };
}

void ApiServer::attach(HttpServer& server) {
  const auto handle = [&](bool posts, const char* path, const char* endpoint, Handler handler) {
    if (posts)
      server.post(path, guarded(endpoint, std::move(handler)));
    else
      server.get(path, guarded(endpoint, std::move(handler)));
  };
  handle(false, "/v1/models", "models",
         [this](const HttpRequest& request, const auto&) { return models(request); });
  handle(false, "/v1/models/", "models",
         [this](const HttpRequest& request, const auto&) { return models(request); });
  handle(true, "/v1/completions", "completions", [this](const HttpRequest& request, const auto& counted) {
    return complete(request, false, counted);
  });
  handle(true, "/v1/chat/completions", "chat", [this](const HttpRequest& request, const auto& counted) {
    return complete(request, true, counted);
  });
  handle(false, "/metrics", "metrics", [this](const HttpRequest&, const auto&) {
    return HttpAnswer{.type = "text/plain; version=0.0.4; charset=utf-8", .body = metrics_.text(queue_)};
  });
  server.get("/health", [](const HttpRequest&) { return HttpAnswer{.body = json_line({{"status", "ok"}})}; });
  server.get("/", [text = page()](const HttpRequest&) {
    return HttpAnswer{
        .type = "text/html; charset=utf-8", .body = text, .headers = {{"Cache-Control", "no-cache"}}};
  });
  server.on_error(
      [](int status, const std::string& text) { return error_answer(error_of_status(status, text)); });
}

HttpAnswer ApiServer::models(const HttpRequest& request) const {
  const ordered_json model{
      {"id", served_.name}, {"object", "model"}, {"created", started_}, {"owned_by", "weft"}};
  constexpr std::string_view all = "/v1/models";
  if (request.path.size() <= all.size() + 1)
    return {.body = json_line({{"object", "list"}, {"data", ordered_json::array({model})}})};
  const std::string name = request.path.substr(all.size() + 1);
  if (name != served_.name)
    throw ApiError({.status = 404, .param = "model", .code = "model_not_found"},
                   str("the model '", name, "' is not here; this server has '", served_.name, "'"));
  return {.body = json_line(model)};
}

HttpAnswer ApiServer::complete(const HttpRequest& request, bool chat,
                               const std::shared_ptr<Counted>& counted) {
  check_is_json(request);
  std::shared_ptr<CompletionCall> call =
      CompletionCall::begin(served_, completion_request(served_, request.body, chat), queue_);
  if (!call)
    throw ApiError(
        {.status = 429, .type = "rate_limit_error", .code = "queue_full"},
        str("too many texts wait for this model, ", queue_.options().waiting, " at most; try again"));
  for (const CompletionRequest::Prompt& prompt : call->request().prompts)
    metrics_.read(std::ssize(prompt.ids));
  const CompletionJson json(served_, call->request(),
                            str(chat ? "chatcmpl-" : "cmpl-", instance_, "-", ++last_request_), now());
  if (!call->request().stream) return collect(*call, json, request, *counted);
  return {.type = "text/event-stream",
          .headers = {{"Cache-Control", "no-cache"}},
          .stream = [=, this](HttpWriter& writer) {
            try {
              counted->answer(stream(*call, json, writer, *counted));
            } catch (...) {
              counted->answer(500);
              throw;
            }
          }};
}

HttpAnswer ApiServer::collect(CompletionCall& call, const CompletionJson& json, const HttpRequest& request,
                              const Counted& counted) {
  std::vector<Piece> choices(call.request().prompts.size() * static_cast<size_t>(call.request().n));
  Clock::time_point looked = Clock::now();
  for (bool first = true; !call.over();) {
    std::optional<Piece> piece = call.next(look);
    if (counted.seconds() > static_cast<double>(options_.timeout.count())) throw too_late(options_.timeout);
    if (Clock::now() - looked >= look) {
      looked = Clock::now();
      if (request.peer->gone()) return {.status = hung_up};  // which nobody reads
    }
    if (!piece) continue;
    if (piece->failed) throw not_written();
    if (std::exchange(first, false)) metrics_.first_token(counted.seconds());
    Piece& choice = choices[static_cast<size_t>(piece->choice)];
    choice.choice = piece->choice;
    choice.text += piece->text;
    std::ranges::move(piece->tokens, std::back_inserter(choice.tokens));
    choice.finish = piece->finish;
  }
  return {.body = json.whole(choices, call)};
}

/// The status that it would have had, had it been known in time.
int ApiServer::stream(CompletionCall& call, const CompletionJson& json, HttpWriter& writer,
                      const Counted& counted) {
  const auto fails = [&](const ApiError& error) {
    writer.write(server_sent_event(error_json(error)));
    return error.kind.status;
  };
  bool there = writer.write(json.beginning());
  for (bool first = true; there && !call.over();) {
    const std::optional<Piece> piece = call.next(look);
    if (counted.seconds() > static_cast<double>(options_.timeout.count()))
      return fails(too_late(options_.timeout));
    if (!piece) {
      there = !writer.gone();
      continue;
    }
    if (piece->failed) return fails(not_written());
    if (std::exchange(first, false)) metrics_.first_token(counted.seconds());
    there = writer.write(json.event(*piece));
  }
  return there && writer.write(json.ending(call.written())) ? 200 : hung_up;
}

std::string ApiServer::page() const {
  const std::string about = json_line({{"model", served_.name},
                                       {"chats", served_.turns.has_value()},
                                       {"answers", served_.model.answers()},
                                       {"key", !options_.api_key.empty()},
                                       {"tokens", served_.most_tokens}});
  return filled(serve_html, {{"base.css", base_css},
                             {"serve.css", serve_css},
                             {"about", script_json(about)},
                             {"said.js", said_js},
                             {"serve.js", serve_js}});
}

}  // namespace weft::tools
