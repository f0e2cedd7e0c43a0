#include <weft/layers/models/decoding/sampling.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/values.h>
#include <weft/tools/serve/api_server.h>
#include <weft/train/show/console.h>
#include <weft/train/signals.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <thread>

#include "commands.h"

namespace weft::tools {
namespace {

/// All that serves, in the order in which it is made.
struct Service {
  Console console;
  ServeArguments arguments;
  bool has_key = false;
  WritingModel model;
  std::unique_ptr<StopSignals> signals = {};
  std::unique_ptr<GenerationQueue> queue = {};
  std::unique_ptr<ApiServer> api = {};
  std::unique_ptr<HttpServer> http = {};
};

std::string api_key(const ServeArguments& a) {
  const char* const variable = std::getenv("WEFT_API_KEY");
  if (!a.api_key.empty() && !a.api_key_file.empty())
    fail<ValueError>("--api-key and --api-key-file: give one of them");
  std::string key = a.api_key.empty() && variable ? variable : a.api_key;
  if (!a.api_key_file.empty()) key = read_text(a.api_key_file);
  while (key.ends_with('\n') || key.ends_with('\r')) key.pop_back();
  const bool given = !a.api_key.empty() || !a.api_key_file.empty() || variable;
  const char* const name = !a.api_key_file.empty() ? a.api_key_file.c_str()
                           : !a.api_key.empty()    ? "--api-key"
                                                   : "WEFT_API_KEY";
  if (given && key.empty()) fail<ValueError>(name, ": is empty");
  if (std::ranges::any_of(key, [](unsigned char c) { return c <= ' ' || c > '~'; }))
    fail<ValueError>(name, ": a key is one word of plain characters");
  return key;
}

std::string name_of(const ServeArguments& a) { return a.name.empty() ? name_of_model(a.model) : a.name; }

int serve(Service& s) {
  if (!s.http->is_local() && !s.has_key)
    s.console.print(
        "whoever reaches this machine may ask, for there is no key: WEFT_API_KEY or --api-key-file");
  s.console.print(str("serving ", name_of(s.arguments), " at ", s.http->url(), "; Ctrl-C ends"));
  while (StopSignals::received() == 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  s.http->stop();  // what was asked is answered first
  return exit_code_of(StopSignals::received());
}

}  // namespace

Work prepare_serve(const ServeArguments& a) {
  const auto s = std::make_shared<Service>();
  s->arguments = a;
  const std::string key = api_key(a);
  s->has_key = !key.empty();
  s->model = WritingModel::open(
      a.model, a.last, [&](std::string_view line) { s->console.print(line); }, a.base, a.weights);
  s->model.check_writes();
  if (!s->model.tokenizer)
    fail<ValueError>(s->model.file.path, ": has no tokenizer, so it reads no text; ", program_name(),
                     " generate --ids writes with it");
  s->queue = std::make_unique<GenerationQueue>(
      *s->model.writer, GenerationQueue::Options{.rows = a.rows, .waiting = a.waiting});
  s->api = std::make_unique<ApiServer>(
      ServedModel{.name = name_of(a),
                  .model = s->model,
                  .turns = ChatTurns::of(s->model),
                  .most_tokens = a.tokens,
                  .most_texts = std::min<int64_t>(128, a.rows + a.waiting)},
      *s->queue, ApiServer::Options{.api_key = key, .timeout = std::chrono::seconds(a.timeout)});
  s->http = std::make_unique<HttpServer>(HttpOptions{.host = a.host,
                                                     .port = static_cast<int>(a.port),
                                                     .body_limit = a.body_limit,
                                                     .connections = static_cast<int>(a.connections)});
  s->api->attach(*s->http);
  s->signals = std::make_unique<StopSignals>("answering what was asked until now");
  s->http->start();
  return [s] { return serve(*s); };
}

}  // namespace weft::tools
