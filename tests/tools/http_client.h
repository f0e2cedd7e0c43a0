// A client of HTTP/1.1 that says any bytes, and reads answers as they come.
#pragma once

#include <string>
#include <utility>
#include <vector>

struct HttpReply {
  int status = 0;                                                 ///< 0: no answer
  std::vector<std::pair<std::string, std::string>> headers = {};  ///< names in lower case
  std::string body = {};
  bool whole = false;  ///< as long as its headers say

  /// Empty where there is none.
  std::string header(const std::string& name) const;
};

/// A connection to a port of this machine.
class HttpClient {
 public:
  explicit HttpClient(int port);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Sends bytes as they are; false when the other side takes no more.
  bool send(const std::string& bytes) const;
  /// The next answer; a body without a length goes to the end of the connection. To HEAD there is no body.
  HttpReply reply(bool head = false);
  /// What comes next, up to `size` bytes; empty at the end.
  std::string some(size_t size = 4096);
  /// Ends what is sent, or all.
  void hang_up();

  /// Asks for one thing.
  HttpReply get(const std::string& path, const std::string& headers = "");
  HttpReply post(const std::string& path, const std::string& body, const std::string& headers = "");
  /// The bytes of such a request.
  static std::string posted(const std::string& path, const std::string& body,
                            const std::string& headers = "");

 private:
  bool fill();
  std::string line();
  bool take(std::string& to, size_t size);

  int socket_;
  std::string buffer_;
};
