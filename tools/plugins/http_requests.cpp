#include "http_requests.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

namespace weft_http {
namespace {

weft_http_text text_of(const std::string& text) { return {text.data(), text.size()}; }
std::string text_of(weft_http_text text) { return {text.data, text.size}; }

/// The connection that this thread serves.
thread_local Connection* current = nullptr;

/// Pieces that a handler promised.
struct Pieces {
  void* stream = nullptr;
  int (*run)(void*, void*, weft_http_write*, int (*)(void*)) = nullptr;
  void (*drop)(void*) = nullptr;
  Pieces() = default;
  Pieces(const Pieces&) = delete;
  Pieces& operator=(const Pieces&) = delete;
  ~Pieces() {
    if (drop != nullptr) drop(stream);
  }
};

/// Where pieces go.
struct Sink {
  httplib::DataSink& to;
  Connection& connection;

  static int write(void* self, weft_http_text piece) {
    const auto& [to, connection] = *static_cast<Sink*>(self);
    return !connection.gone() && to.write(piece.data, piece.size) ? 1 : 0;
  }
  static int gone(void* self) { return static_cast<Sink*>(self)->connection.gone() ? 1 : 0; }
};

/// What handlers fill.
struct Answer {
  httplib::Response& response;
  std::shared_ptr<Pieces> pieces = {};
  std::string type = {};

  static void set(void* self, int status, weft_http_text type, const weft_http_field* headers, size_t count,
                  weft_http_text body) {
    auto& to = *static_cast<Answer*>(self);
    to.response.status = status;
    for (size_t i = 0; i < count; ++i)
      to.response.set_header(text_of(headers[i].name), text_of(headers[i].value));
    to.type = text_of(type);
    to.response.set_content(body.data, body.size, to.type);
  }
  static void set_stream(void* self, void* stream, decltype(Pieces::run) run, decltype(Pieces::drop) drop) {
    auto& to = static_cast<Answer*>(self)->pieces;
    to = std::make_shared<Pieces>();
    to->stream = stream;
    to->run = run;
    to->drop = drop;
  }
  weft_http_answer functions() { return {.self = this, .set = set, .set_stream = set_stream}; }
};

bool is_number(const std::string& text) {
  return !text.empty() && text.size() < 19 && text.find_first_not_of("0123456789") == std::string::npos;
}

template <class Fields>
std::vector<weft_http_field> fields_of(const Fields& from) {
  std::vector<weft_http_field> fields;
  for (const auto& [name, value] : from) fields.push_back({text_of(name), text_of(value)});
  return fields;
}

}  // namespace

Server::Server(const weft_http_options& options, int socket)
    : options_(options), host_(options.host), port_(options.port) {
  options_.host = host_.c_str();
  options_.port = port_.c_str();
  svr_sock_ = socket;  // which is asked whether the server is to end
  set_payload_max_length(options.body_limit);
  set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
    const int status = status_before_body(request);
    if (status == 0) return HandlerResponse::Unhandled;
    response.status = status;
    return HandlerResponse::Handled;
  });
  Get("/", [this](const httplib::Request& request, httplib::Response& response) {
    answer(request, response, "");
  });
  Post("/", [this](const httplib::Request& request, httplib::Response& response,
                   const httplib::ContentReader& reader) {
    std::string body;
    bool fits = true;
    const bool whole = reader([&](const char* data, size_t size) {
      fits = body.size() + size <= options_.body_limit;
      if (fits) body.append(data, size);
      return fits;
    });
    if (whole && fits)
      answer(request, response, body);
    else
      response.status = fits ? 400 : 413;
  });
  set_error_handler(HandlerWithResponse([this](const httplib::Request&, httplib::Response& response) {
    if (!response.body.empty() || response.content_provider_) return HandlerResponse::Unhandled;
    current->last = true;  // where the next request begins is not known
    refuse(response, current->status_of_error(response.status));
    return HandlerResponse::Handled;
  }));
  set_post_routing_handler([this](const httplib::Request&, httplib::Response& response) {
    response.headers.erase("Keep-Alive");
    if (!current->last && !ending_) return;
    response.headers.erase("Connection");
    response.set_header("Connection", "close");
  });
  acceptor_ = std::thread([this] { accept_all(); });
}

Server::~Server() {
  ending_ = true;
  acceptor_.join();
  ::close(svr_sock_);
  std::list<std::thread> all;
  {
    const std::lock_guard lock(mutex_);
    all.splice(all.end(), done_);
    all.splice(all.end(), running_);
  }
  for (std::thread& one : all) one.join();
}

int Server::status_before_body(const httplib::Request& request) const {
  if (request.get_header_value_count("Host") > 1) return 400;
  const bool chunked = request.has_header("Transfer-Encoding");
  const size_t lengths = request.get_header_value_count("Content-Length");
  // The body of such a request is read by nobody: it would be the next request.
  if (request.method == "GET" || request.method == "HEAD")
    return chunked || lengths > 1 || (lengths == 1 && request.get_header_value("Content-Length") != "0") ? 400
                                                                                                         : 0;
  if (request.method != "POST") return 405;
  if (chunked && (lengths > 0 || request.get_header_value("Transfer-Encoding") != "chunked")) return 400;
  if (request.has_header("Content-Encoding") || request.is_multipart_form_data()) return 415;
  if (chunked) return 0;
  if (lengths == 0) return 411;
  const std::string length = request.get_header_value("Content-Length");
  if (lengths > 1 || !is_number(length)) return 400;
  return std::stoull(length) > options_.body_limit ? 413 : 0;
}

void Server::answer(const httplib::Request& request, httplib::Response& response,
                    const std::string& body) const {
  const std::vector<weft_http_field> query = fields_of(request.params), headers = fields_of(request.headers);
  const std::string method = request.method == "POST" ? "POST" : "GET";
  const weft_http_request handed{
      .method = text_of(method),
      .path = text_of(current->path),
      .body = text_of(body),
      .peer = text_of(request.remote_addr),
      .query = query.data(),
      .headers = headers.data(),
      .query_fields = query.size(),
      .header_fields = headers.size(),
      .connection = current,
      .gone = [](void* connection) { return static_cast<Connection*>(connection)->gone() ? 1 : 0; }};
  Answer to{.response = response};
  const weft_http_answer functions = to.functions();
  options_.handle(options_.self, &handed, &functions);
  if (!to.pieces) return;
  response.body.clear();
  response.headers.erase("Content-Type");
  const auto provider = [pieces = to.pieces, here = current](size_t, httplib::DataSink& sink) {
    Sink pieces_go{sink, *here};
    if (pieces->run(pieces->stream, &pieces_go, Sink::write, Sink::gone) == 0) return false;
    sink.done();
    return true;
  };
  if (request.version == "HTTP/1.0") {
    current->last = true;
    response.set_content_provider(to.type, provider);
  } else {
    response.set_chunked_content_provider(to.type, provider);
  }
}

void Server::refuse(httplib::Response& response, int status) const {
  Answer to{.response = response};
  const weft_http_answer functions = to.functions();
  options_.refuse(options_.self, status, &functions);
}

void Server::accept_all() {
  while (!ending_) {
    join_done();
    if (!is_ready(svr_sock_, POLLIN, look_ms)) continue;
    const int socket = ::accept4(svr_sock_, nullptr, nullptr, SOCK_CLOEXEC);
    bool full = socket < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM);
    try {
      if (socket >= 0) take(socket);
    } catch (const std::exception&) {
      full = true;  // there is no memory: this connection ends
    }
    if (full) std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

void Server::take(int socket) {
  std::unique_ptr<Connection> connection;
  try {
    connection = std::make_unique<Connection>(socket, options_);
  } catch (const std::exception&) {
    ::close(socket);
    throw;
  }
  std::unique_lock lock(mutex_);
  if (std::ssize(running_) >= options_.connections) {
    lock.unlock();
    return turn_away(*connection);
  }
  const auto self = running_.emplace(running_.begin());
  try {
    *self = std::thread([this, self, kept = std::move(connection)]() mutable {
      serve(*kept);
      kept.reset();
      const std::lock_guard here(mutex_);
      // The destructor has taken it, or it is taken to those that are joined next.
      if (std::ranges::any_of(running_, [&](const std::thread& one) { return &one == &*self; }))
        done_.splice(done_.end(), running_, self);
    });
  } catch (const std::exception&) {  // there are no more threads
    running_.erase(self);
  }
}

/// Without a thread for it.
void Server::turn_away(Connection& connection) const {
  httplib::Response response;
  refuse(response, 503);
  std::string text = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n";
  for (const auto& [name, value] : response.headers)
    text.append(name).append(": ").append(value).append("\r\n");
  text += "Content-Length: " + std::to_string(response.body.size()) + "\r\n\r\n" + response.body;
  ::send(connection.socket(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ::shutdown(connection.socket(), SHUT_WR);
  char nothing[4096];
  int reads = 16;  // who sends without an end is not waited for
  while (reads-- > 0 && ::recv(connection.socket(), nothing, sizeof nothing, MSG_DONTWAIT) > 0) {
  }
}

void Server::serve(Connection& connection) {
  current = &connection;
  try {
    bool closed = false;
    while (!closed && !connection.last && connection.waits_for_request(ending_)) {
      const bool whole = process_request(
          connection, ending_, closed, [&](httplib::Request& request) { connection.head_is_read(request); });
      closed = closed || !whole;
    }
  } catch (const std::exception&) {
    // No memory: the connection ends.
  }
  if (connection.last) connection.linger();
  current = nullptr;
}

void Server::join_done() {
  std::list<std::thread> some;
  {
    const std::lock_guard lock(mutex_);
    some.swap(done_);
  }
  for (std::thread& one : some) one.join();
}

}  // namespace weft_http
