#include <arpa/inet.h>
#include <strings.h>
#include <weft/lib/base/error.h>
#include <weft/lib/machine/plugin.h>
#include <weft/tools/http/http_plugin_internal.h>
#include <weft/tools/http/http_server.h>

#include <algorithm>
#include <array>

namespace weft::tools {
namespace {

const weft_http_functions& plugin() {
  static auto* const functions =
      reinterpret_cast<weft_http_functions_function*>(plugin_function({.library = http_plugin,
                                                                       .function = http_functions_function,
                                                                       .purpose = "a server of HTTP",
                                                                       .needs = "libcpp-httplib-dev"}))();
  return *functions;
}

std::string text_of(const weft_http_text& text) { return {text.data, text.size}; }
weft_http_text text_of(const std::string& text) { return {text.data(), text.size()}; }

HttpFields fields_of(const weft_http_field* from, size_t count) {
  HttpFields fields;
  for (size_t i = 0; i < count; ++i) fields.emplace_back(text_of(from[i].name), text_of(from[i].value));
  return fields;
}

class Peer : public HttpPeer {
 public:
  explicit Peer(const weft_http_request& request) : request_(request) {}
  bool gone() const override { return request_.gone(request_.connection) != 0; }

 private:
  const weft_http_request& request_;
};

class Writer : public HttpWriter {
 public:
  Writer(void* connection, weft_http_write* takes, int (*is_gone)(void*))
      : connection_(connection), write_(takes), gone_(is_gone) {}
  bool gone() const override { return gone_(connection_) != 0; }
  bool write(std::string_view piece) override {
    return piece.empty() || write_(connection_, {piece.data(), piece.size()}) != 0;
  }

 private:
  void* connection_;
  weft_http_write* write_;
  int (*gone_)(void*);
};

using Stream = std::function<void(HttpWriter&)>;

int run_stream(void* stream, void* connection, weft_http_write* write, int (*gone)(void*)) {
  try {
    Writer writer(connection, write, gone);
    (*static_cast<Stream*>(stream))(writer);
    return 1;
  } catch (...) {
    return 0;
  }
}

void give(HttpAnswer from, const weft_http_answer& to) {
  std::vector<weft_http_field> headers;
  for (const auto& [name, value] : from.headers) headers.push_back({text_of(name), text_of(value)});
  to.set(to.self, from.status, text_of(from.type), headers.data(), headers.size(), text_of(from.body));
  if (from.stream)
    to.set_stream(to.self, new Stream(std::move(from.stream)), run_stream,
                  [](void* stream) { delete static_cast<Stream*>(stream); });
}

/// Without the port.
std::string host_of(const std::string& header) {
  if (header.starts_with('[')) return header.substr(1, header.find(']') - 1);
  return header.substr(0, header.find(':'));
}

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return ::inet_pton(AF_INET, host.c_str(), address.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), address.data()) == 1;
}

const HttpHandler* found(const std::vector<std::pair<std::string, HttpHandler>>& handlers,
                         const std::string& path) {
  const std::pair<std::string, HttpHandler>* best = nullptr;
  for (const auto& one : handlers) {
    if (one.first == path) return &one.second;
    if (one.first.size() > 1 && one.first.ends_with('/') && path.starts_with(one.first) &&
        (best == nullptr || best->first.size() < one.first.size()))
      best = &one;
  }
  return best != nullptr ? &best->second : nullptr;
}

const char* text_of_status(int status) {
  switch (status) {
    case 408:
      return "the request did not come in time";
    case 411:
      return "a POST needs a Content-Length";
    case 413:
      return "the body is too long";
    case 414:
      return "the path is too long";
    case 415:
      return "a body is taken as it is, neither compressed nor in parts";
    case 417:
      return "what is expected cannot be met";
    case 405:
      return "only GET, HEAD and POST are answered";
    case 431:
      return "the headers are too long";
    case 503:
      return "too many connections; try again";
    default:
      return status < 500 ? "this is no request of HTTP that can be read" : "something failed here";
  }
}

const std::string* first_of(const HttpFields& fields, std::string_view name) {
  const auto at = std::ranges::find_if(fields, [&](const auto& field) {
    return field.first.size() == name.size() &&
           ::strncasecmp(field.first.data(), name.data(), name.size()) == 0;
  });
  return at != fields.end() ? &at->second : nullptr;
}

}  // namespace

const std::string* HttpRequest::header(std::string_view name) const { return first_of(headers, name); }

const std::string* HttpRequest::parameter(std::string_view name) const {
  const auto at = std::ranges::find(query, name, &HttpFields::value_type::first);
  return at != query.end() ? &at->second : nullptr;
}

/// What the plug-in calls.
struct HttpServer::Gate {
  static void handle(void* self, const weft_http_request* request, const weft_http_answer* answer) {
    const auto& server = *static_cast<const HttpServer*>(self);
    try {
      const Peer peer(*request);
      give(server.answer({.method = text_of(request->method),
                          .path = text_of(request->path),
                          .query = fields_of(request->query, request->query_fields),
                          .headers = fields_of(request->headers, request->header_fields),
                          .body = text_of(request->body),
                          .address = text_of(request->peer),
                          .peer = &peer}),
           *answer);
    } catch (...) {
      refuse(self, 500, answer);
    }
  }
  static void refuse(void* self, int status, const weft_http_answer* answer) {
    try {
      give(static_cast<const HttpServer*>(self)->error(status, text_of_status(status)), *answer);
    } catch (...) {
      answer->set(answer->self, status, {"text/plain", 10}, nullptr, 0, {});
    }
  }
};

HttpServer::HttpServer(HttpOptions options) : options_(std::move(options)) {
  const HttpOptions& o = options_;
  if (o.host.empty()) fail<ValueError>("HttpServer: the host is empty; 127.0.0.1 is this machine alone");
  if (o.port < 0 || o.port > 65535) fail<ValueError>("HttpServer: port ", o.port, " is not from 0 to 65535");
  if (o.body_limit < 1 || o.connections < 1 || o.idle_seconds < 1 || o.request_seconds < 1 ||
      o.write_seconds < 1)
    fail<ValueError>("HttpServer: limits must be at least 1");
}

HttpServer::~HttpServer() { stop(); }

void HttpServer::get(std::string path, HttpHandler handler) {
  get_.emplace_back(std::move(path), std::move(handler));
}

void HttpServer::post(std::string path, HttpHandler handler) {
  post_.emplace_back(std::move(path), std::move(handler));
}

void HttpServer::on_error(std::function<HttpAnswer(int, const std::string&)> answer) {
  on_error_ = std::move(answer);
}

HttpAnswer HttpServer::error(int status, const std::string& text) const {
  HttpAnswer answer{.status = status, .type = "text/plain; charset=utf-8", .body = text + "\n"};
  if (on_error_) answer = on_error_(status, text);
  answer.status = status;
  if (status == 503) answer.headers.emplace_back("Retry-After", "1");
  return answer;
}

HttpAnswer HttpServer::answer(const HttpRequest& request) const {
  if (const std::string* const header = request.header("Host"); header && is_local()) {
    const std::string host = host_of(*header);
    if (!is_address(host) && host != "localhost" && !host.ends_with(".localhost"))
      return error(403, str("this server is for this machine alone, and is not called '", host, "'; ask for ",
                            url(), ", or start it with another --host"));
  }
  const bool posted = request.method == "POST";
  if (const HttpHandler* const handler = found(posted ? post_ : get_, request.path))
    return (*handler)(request);
  if (found(posted ? get_ : post_, request.path) == nullptr)
    return error(404, str("there is nothing at ", request.path));
  HttpAnswer other = error(405, str(request.path, " is for ", posted ? "GET" : "POST"));
  other.headers.emplace_back("Allow", posted ? "GET, HEAD" : "POST");
  return other;
}

void HttpServer::start() {
  const std::string port = std::to_string(options_.port);
  const weft_http_options options{.host = options_.host.c_str(),
                                  .port = port.c_str(),
                                  .body_limit = static_cast<size_t>(options_.body_limit),
                                  .connections = options_.connections,
                                  .idle_seconds = options_.idle_seconds,
                                  .request_seconds = options_.request_seconds,
                                  .write_seconds = options_.write_seconds,
                                  .self = this,
                                  .handle = Gate::handle,
                                  .refuse = Gate::refuse};
  if (running_ != nullptr) fail<StateError>("HttpServer: has started already");
  std::array<char, 512> error{};
  running_ = plugin().start(&options, &port_, error.data(), error.size());
  if (running_ == nullptr)
    fail<FileError>(options_.host, ":", options_.port, ": cannot be listened at: ", error.data());
}

void HttpServer::stop() {
  if (running_ != nullptr) plugin().finish(std::exchange(running_, nullptr));
}

bool HttpServer::is_local() const {
  const std::string& host = options_.host;
  return host.starts_with("127.") || host == "::1" || host == "localhost";
}

std::string HttpServer::url() const {
  const bool six = options_.host.find(':') != std::string::npos;
  return str("http://", six ? "[" : "", options_.host, six ? "]" : "", ":", port_);
}

}  // namespace weft::tools
