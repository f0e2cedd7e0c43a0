// libweft-http.so: HTTP by cpp-httplib, which reads requests and writes answers. Sockets, threads and limits are our own: its
// loop ends at the first connection that it cannot accept, its lines have no limit, and it shares its port with other servers.
#include <netdb.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string>

#include "http_requests.h"

namespace {

constexpr int backlog = 1024;

/// A socket that listens, or -1 with errno.
int listening(const addrinfo& address) {
  const int socket =
      ::socket(address.ai_family, address.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address.ai_protocol);
  if (socket < 0) return -1;
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(socket, address.ai_addr, address.ai_addrlen) == 0 && ::listen(socket, backlog) == 0)
    return socket;
  const int why = errno;
  ::close(socket);
  errno = why;
  return -1;
}

int listening_at(const weft_http_options& options, std::string& error) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* all = nullptr;
  if (const int code = ::getaddrinfo(options.host, options.port, &wanted, &all); code != 0) {
    error = ::gai_strerror(code);
    return -1;
  }
  int socket = -1;
  for (const addrinfo* one = all; one != nullptr && socket < 0; one = one->ai_next) {
    socket = listening(*one);
    if (socket < 0) error = std::strerror(errno);
  }
  ::freeaddrinfo(all);
  return socket;
}

int port_of(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  char service[NI_MAXSERV] = "";
  ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size);
  ::getnameinfo(reinterpret_cast<sockaddr*>(&address), size, nullptr, 0, service, sizeof service,
                NI_NUMERICSERV);
  return std::atoi(service);
}

/// Signals are for the threads that were there before.
class NoSignals {
 public:
  NoSignals() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~NoSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  NoSignals(const NoSignals&) = delete;
  NoSignals& operator=(const NoSignals&) = delete;

 private:
  sigset_t before_;
};

void* start(const weft_http_options* options, int* port, char* error, size_t error_size) {
  std::string why;
  const int socket = listening_at(*options, why);
  if (socket >= 0) {
    *port = port_of(socket);
    try {
      const NoSignals no_signals;
      return new weft_http::Server(*options, socket);
    } catch (const std::exception& failed) {
      why = failed.what();
      ::close(socket);
    }
  }
  std::snprintf(error, error_size, "%s", why.c_str());
  return nullptr;
}

void finish(void* server) { delete static_cast<weft_http::Server*>(server); }

}  // namespace

extern "C" __attribute__((visibility("default"))) const weft_http_functions* weft_http_functions_1() {
  static const weft_http_functions functions{.start = start, .finish = finish};
  return &functions;
}
