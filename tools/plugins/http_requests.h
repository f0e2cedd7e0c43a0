// The server: accepts connections, gives each a thread, and lets cpp-httplib read and answer.
#pragma once

#include <httplib.h>
#include <weft/tools/http/http_plugin_internal.h>

#include <atomic>
#include <list>
#include <mutex>
#include <string>
#include <thread>

#include "http_connection.h"

namespace weft_http {

class Server : public httplib::Server {
 public:
  /// Of a socket that listens, which it takes.
  Server(const weft_http_options& options, int socket);
  /// Accepts no more, and waits for what is being answered.
  ~Server() override;

 private:
  int status_before_body(const httplib::Request& request) const;
  void answer(const httplib::Request& request, httplib::Response& response, const std::string& body) const;
  void refuse(httplib::Response& response, int status) const;
  void accept_all();
  void take(int socket);
  void turn_away(Connection& connection) const;
  void serve(Connection& connection);
  void join_done();

  weft_http_options options_;
  const std::string host_, port_;
  std::atomic<bool> ending_{false};
  std::mutex mutex_;
  std::list<std::thread> running_, done_;
  std::thread acceptor_;
};

}  // namespace weft_http
