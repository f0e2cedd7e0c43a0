// Between weft and its plug-in libweft-http.so, which is linked with cpp-httplib, as weft is not. In C, so that the two may
// be built apart. No exception passes through.
#pragma once

#include <stddef.h>
#include <stdint.h>

extern "C" {

struct weft_http_text {
  const char* data;
  size_t size;
};

struct weft_http_field {
  weft_http_text name, value;
};

struct weft_http_request {
  weft_http_text method, path, body, peer;
  const weft_http_field *query, *headers;
  size_t query_fields, header_fields;
  void* connection;
  /// Not 0 when whoever asked has hung up.
  int (*gone)(void* connection);
};

/// Takes a piece of a body; 0 when it cannot be sent and no more can.
using weft_http_write = int(void* connection, weft_http_text piece);

/// Through which a handler answers, before it returns.
struct weft_http_answer {
  void* self;
  void (*set)(void* self, int status, weft_http_text type, const weft_http_field* headers,
              size_t header_fields, weft_http_text body);
  /// Instead of the body, pieces: after the handler has returned, `run` is called, at most once, and writes them; then, in
  /// any case, `drop`. What `run` returns is 0 when the body is not whole.
  void (*set_stream)(void* self, void* stream,
                     int (*run)(void* stream, void* connection, weft_http_write* write,
                                int (*gone)(void* connection)),
                     void (*drop)(void* stream));
};

struct weft_http_options {
  const char *host, *port;  ///< port "0": any that is free
  size_t body_limit;        ///< bytes
  int connections;          ///< at once; each has a thread
  int idle_seconds;         ///< how long a connection may say nothing between requests
  int request_seconds;      ///< in which a request must be there
  int write_seconds;        ///< in which a reader must take something
  void* self;
  /// Answers a request. Called from many threads.
  void (*handle)(void* self, const weft_http_request* request, const weft_http_answer* answer);
  /// Answers what is no request that can be handed over, by its status.
  void (*refuse)(void* self, int status, const weft_http_answer* answer);
};

struct weft_http_functions {
  /// Listens from now on; nullptr when it cannot, with why in `error`.
  void* (*start)(const weft_http_options* options, int* port, char* error, size_t error_size);
  /// Takes no more connections, waits for the requests that are being answered, and frees the server.
  void (*finish)(void* server);
};

/// The plug-in's function.
using weft_http_functions_function = const weft_http_functions*();

}  // extern "C"

namespace weft {
inline constexpr const char* http_plugin = "libweft-http.so";
inline constexpr const char* http_functions_function = "weft_http_functions_1";  ///< 1: of all of the above
}  // namespace weft
