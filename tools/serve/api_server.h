// OpenAI's API over HTTP, for one model: GET /v1/models, POST /v1/completions and /v1/chat/completions; GET /health and
// /metrics; and at / a page to talk to the model with.
#pragma once

#include <weft/tools/http/http_server.h>
#include <weft/tools/serve/completion_json.h>
#include <weft/tools/serve/completion_request.h>
#include <weft/tools/serve/generation_queue.h>
#include <weft/tools/serve/serve_metrics.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace weft::tools {

class ApiServer {
 public:
  struct Options {
    std::string api_key = {};           ///< that requests must carry; empty: none
    std::chrono::seconds timeout{600};  ///< of a request, from when it came to its last token
  };
  /// The model, the queue and this must outlive the server, or it must be stopped before.
  ApiServer(ServedModel served, GenerationQueue& queue, Options options);
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  /// Before server.start().
  void attach(HttpServer& server);

 private:
  struct Counted;
  using Handler = std::function<HttpAnswer(const HttpRequest&, const std::shared_ptr<Counted>&)>;
  HttpHandler guarded(const char* endpoint, Handler handler);
  bool is_allowed(const HttpRequest& request) const;
  HttpAnswer models(const HttpRequest& request) const;
  HttpAnswer complete(const HttpRequest& request, bool chat, const std::shared_ptr<Counted>& counted);
  HttpAnswer collect(CompletionCall& call, const CompletionJson& json, const HttpRequest& request,
                     const Counted& counted);
  int stream(CompletionCall& call, const CompletionJson& json, HttpWriter& writer, const Counted& counted);
  std::string page() const;

  const ServedModel served_;
  GenerationQueue& queue_;
  const Options options_;
  const int64_t started_;  ///< seconds since 1970
  const std::string instance_;
  std::atomic<uint64_t> last_request_{0};
  ServeMetrics metrics_;
};

}  // namespace weft::tools
