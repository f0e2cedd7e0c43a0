// A connection as cpp-httplib reads and writes it, with limits of size and time.
#pragma once

#include <httplib.h>
#include <weft/tools/http/http_plugin_internal.h>

#include <atomic>
#include <chrono>
#include <string>

namespace weft_http {

/// How often a thread that waits looks whether the server is to end.
constexpr int look_ms = 100;

/// Whether one of the events of poll() comes within so many milliseconds.
bool is_ready(int socket, short events, int ms);

class Connection : public httplib::Stream {
 public:
  /// Closes the socket at its end. The options must outlive it.
  Connection(int socket, const weft_http_options& options);
  ~Connection() override;

  /// Whether a next request begins before the idle time is over or the server is to end.
  bool waits_for_request(const std::atomic<bool>& ending);
  /// To be called between head and body: keeps the path, and takes away what cpp-httplib would do by itself.
  void head_is_read(httplib::Request& request);
  /// What was wrong with a request that could not be read: its pace, its size, or else what cpp-httplib says.
  int status_of_error(int status) const;
  /// Whether the other side has closed it, or takes nothing any more.
  bool gone();
  /// Waits a second at most until the other side closes it: what was sent is lost when bytes come that nobody reads.
  void linger();

  bool is_readable() const override;
  bool is_writable() const override { return !gone_; }
  ssize_t read(char* to, size_t size) override;
  ssize_t write(const char* from, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string&, int&) const override {}
  socket_t socket() const override { return socket_; }

  std::string path = {};
  bool last = false;  ///< nothing is read after this request

 private:
  using Clock = std::chrono::steady_clock;
  bool fill();

  const int socket_;
  const weft_http_options& options_;
  char buffer_[8192];
  size_t begin_ = 0, end_ = 0;
  size_t left_ = 0;  ///< bytes that the request may still have
  Clock::time_point deadline_{};
  bool in_head_ = false, late_ = false, eof_ = false, gone_ = false;
};

}  // namespace weft_http
