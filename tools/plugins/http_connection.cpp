#include "http_connection.h"

#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace weft_http {
namespace {

constexpr size_t header_limit = size_t{64} << 10;

int ms_until(std::chrono::steady_clock::time_point end) {
  const auto left =
      std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
  return static_cast<int>(std::max<int64_t>(0, left.count()));
}

}  // namespace

bool is_ready(int socket, short events, int ms) {
  pollfd one{socket, events, 0};
  int ready = 0;
  do ready = ::poll(&one, 1, ms);
  while (ready < 0 && errno == EINTR);
  return ready > 0;
}

Connection::Connection(int socket, const weft_http_options& options) : socket_(socket), options_(options) {
  const int yes = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

Connection::~Connection() { ::close(socket_); }

bool Connection::waits_for_request(const std::atomic<bool>& ending) {
  const auto end = Clock::now() + std::chrono::seconds(options_.idle_seconds);
  while (begin_ == end_) {
    if (ending || Clock::now() > end) return false;
    if (is_ready(socket_, POLLIN, std::min(look_ms, 1 + ms_until(end)))) break;
  }
  left_ = header_limit;
  in_head_ = true;
  late_ = false;
  deadline_ = Clock::now() + std::chrono::seconds(options_.request_seconds);
  return true;
}

void Connection::head_is_read(httplib::Request& request) {
  in_head_ = false;
  left_ = 2 * options_.body_limit + header_limit;  // a body in chunks is longer than what it says
  path = std::exchange(request.path, "/");         // handlers are found by regular expressions
  request.ranges.clear();
  request.headers.erase("Accept-Encoding");
}

int Connection::status_of_error(int status) const {
  return late_ ? 408 : in_head_ && left_ == 0 ? 431 : status;
}

bool Connection::gone() {
  gone_ = gone_ || is_ready(socket_, POLLRDHUP, 0);
  return gone_;
}

void Connection::linger() {
  ::shutdown(socket_, SHUT_WR);
  const auto end = Clock::now() + std::chrono::seconds(1);
  char nothing[4096];
  while (Clock::now() < end && is_ready(socket_, POLLIN, ms_until(end)) &&
         ::recv(socket_, nothing, sizeof nothing, MSG_DONTWAIT) > 0) {
  }
}

bool Connection::is_readable() const { return begin_ < end_ || is_ready(socket_, POLLIN, 0); }

ssize_t Connection::read(char* to, size_t size) {
  if (left_ == 0) return -1;
  if (begin_ == end_ && !fill()) return eof_ ? 0 : -1;
  const size_t some = std::min({size, end_ - begin_, left_});
  std::memcpy(to, buffer_ + begin_, some);
  begin_ += some;
  left_ -= some;
  return static_cast<ssize_t>(some);
}

bool Connection::fill() {
  begin_ = end_ = 0;
  ssize_t some = -1;
  do {
    late_ = !is_ready(socket_, POLLIN, ms_until(deadline_));
    if (late_) return false;
    some = ::recv(socket_, buffer_, sizeof buffer_, MSG_DONTWAIT);
  } while (some < 0 && (errno == EINTR || errno == EAGAIN));
  eof_ = some == 0;
  end_ = some > 0 ? static_cast<size_t>(some) : 0;
  return some > 0;
}

ssize_t Connection::write(const char* from, size_t size) {
  for (size_t sent = 0; sent < size && !gone_;) {
    const ssize_t some = ::send(socket_, from + sent, size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (some > 0)
      sent += static_cast<size_t>(some);
    else if (some < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
      gone_ = !is_ready(socket_, POLLOUT, options_.write_seconds * 1000);
    else if (errno != EINTR)
      gone_ = true;
  }
  return gone_ ? -1 : static_cast<ssize_t>(size);
}

void Connection::get_remote_ip_and_port(std::string& ip, int& port) const {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  char host[NI_MAXHOST] = "", service[NI_MAXSERV] = "";
  if (::getpeername(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0)
    ::getnameinfo(reinterpret_cast<sockaddr*>(&address), size, host, sizeof host, service, sizeof service,
                  NI_NUMERICHOST | NI_NUMERICSERV);
  ip = host;
  port = std::atoi(service);
}

}  // namespace weft_http
