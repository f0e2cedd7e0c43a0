// A server of HTTP/1.1 for programs and browsers of this machine, or behind a proxy: it speaks no TLS. The plug-in
// libweft-http.so does the work, and is loaded by the first server that starts.
//
//   HttpServer server({.port = 8000});
//   server.get("/health", [](const HttpRequest&) { return HttpAnswer{.type = "text/plain", .body = "fine\n"}; });
//   server.get("/runs/", ...);  // all paths that begin so
//   server.start();             // http://127.0.0.1:8000
//
// Each connection has a thread; handlers are called from many threads at once. What is no request (not HTTP, too long, too
// slow, of another method) never reaches a handler. What a handler throws is answered with 500, without its text.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weft::tools {

using HttpFields = std::vector<std::pair<std::string, std::string>>;

/// Whoever has asked, while an answer is made.
class HttpPeer {
 public:
  virtual ~HttpPeer() = default;
  /// Whether the connection was closed at the other end, so that nobody reads the answer. Costs a system call. One of which
  /// only the sending half was closed (nc -N) looks the same, and counts as gone.
  virtual bool gone() const = 0;
};

struct HttpRequest {
  std::string method;  ///< "GET" (of HEAD, too) or "POST"
  std::string path;    ///< decoded, without the query: "/runs/a b"
  HttpFields query;    ///< decoded, by name
  HttpFields headers;
  std::string body;
  std::string address;             ///< of the peer: "127.0.0.1"
  const HttpPeer* peer = nullptr;  ///< valid while the handler runs

  /// The first of a name, in any case; nullptr without one.
  const std::string* header(std::string_view name) const;
  /// The first of a name in the query; nullptr without one.
  const std::string* parameter(std::string_view name) const;
};

/// A body on its way.
class HttpWriter : public HttpPeer {
 public:
  /// Sends a piece at once. False when it cannot, and nothing more can: the peer is gone, or takes nothing any more.
  virtual bool write(std::string_view piece) = 0;
};

struct HttpAnswer {
  int status = 200;
  std::string type = "application/json";
  std::string body = {};
  HttpFields headers = {};
  /// Instead of the body: is called once, in the connection's thread, after the handler has returned, and writes pieces
  /// until it returns. What it throws cuts the body off, so that the reader sees that it is not whole. Destroyed without a
  /// call if the peer is gone before.
  std::function<void(HttpWriter&)> stream = {};
};

using HttpHandler = std::function<HttpAnswer(const HttpRequest&)>;

struct HttpOptions {
  std::string host = "127.0.0.1";
  int port = 0;  ///< 0: any that is free
  int64_t body_limit = 1 << 20;
  int connections = 512;     ///< at once; those beyond are answered with 503
  int idle_seconds = 15;     ///< a connection is kept so long for a next request
  int request_seconds = 30;  ///< a request must be there by then
  int write_seconds = 30;    ///< a reader who takes nothing for so long is gone
};

class HttpServer {
 public:
  /// ValueError for options out of range.
  explicit HttpServer(HttpOptions options);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Before start(). A path that ends in / stands for all that begin so and have no handler of their own.
  void get(std::string path, HttpHandler handler);
  void post(std::string path, HttpHandler handler);
  /// Makes the answers to what reaches no handler, in place of a line of text: 400, 403, 404, 405, 408, 411, 413, 414, 415, 417,
  /// 431, 500, 503. Their status is kept.
  void on_error(std::function<HttpAnswer(int status, const std::string& text)> answer);

  /// Listens. PluginError without the plug-in, FileError where it cannot listen. A server that listens on this machine alone
  /// answers 403 to requests for other hosts, which pages of the net could send by a name that leads here.
  void start();
  /// Takes no more requests, and waits until those that came are answered. The destructor does so too.
  void stop();

  int port() const { return port_; }
  std::string url() const;  ///< "http://127.0.0.1:8000"
  /// Whether this machine alone can reach it.
  bool is_local() const;

 private:
  struct Gate;
  using Handlers = std::vector<std::pair<std::string, HttpHandler>>;
  HttpAnswer answer(const HttpRequest& request) const;
  HttpAnswer error(int status, const std::string& text) const;

  HttpOptions options_;
  Handlers get_, post_;
  std::function<HttpAnswer(int, const std::string&)> on_error_;
  int port_ = 0;
  void* running_ = nullptr;
};

}  // namespace weft::tools
