#include "http_client.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <stdexcept>

std::string HttpReply::header(const std::string& name) const {
  for (const auto& [one, value] : headers)
    if (one == name) return value;
  return "";
}

HttpClient::HttpClient(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval most{60, 0};  // no test hangs
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
  const int yes = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    ::close(socket_);
    throw std::runtime_error("nothing listens at port " + std::to_string(port));
  }
}

HttpClient::~HttpClient() { hang_up(); }

void HttpClient::hang_up() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

bool HttpClient::send(const std::string& bytes) const {
  for (size_t sent = 0; sent < bytes.size();) {
    const ssize_t some = ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (some <= 0) return false;
    sent += static_cast<size_t>(some);
  }
  return true;
}

bool HttpClient::fill() {
  char bytes[16384];
  const ssize_t size = ::recv(socket_, bytes, sizeof bytes, 0);
  if (size <= 0) return false;
  buffer_.append(bytes, static_cast<size_t>(size));
  return true;
}

std::string HttpClient::some(size_t size) {
  if (buffer_.empty() && !fill()) return "";
  const std::string taken = buffer_.substr(0, size);
  buffer_.erase(0, taken.size());
  return taken;
}

std::string HttpClient::line() {
  size_t end = 0;
  while ((end = buffer_.find("\r\n")) == std::string::npos)
    if (!fill()) return "";
  const std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return line;
}

bool HttpClient::take(std::string& to, size_t size) {
  while (buffer_.size() < size && fill()) {
  }
  const bool all = buffer_.size() >= size;
  to += buffer_.substr(0, size);
  buffer_.erase(0, std::min(size, buffer_.size()));
  return all;
}

HttpReply HttpClient::reply(bool head) {
  HttpReply reply;
  std::string first = line();
  while (first.starts_with("HTTP/1.1 100")) {
    line();
    first = line();
  }
  if (!first.starts_with("HTTP/1.1 ")) return reply;
  reply.status = std::stoi(first.substr(9));
  for (std::string one; !(one = line()).empty();) {
    const size_t colon = one.find(": ");
    std::string name = one.substr(0, colon);
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    reply.headers.emplace_back(name, one.substr(colon + 2));
  }
  if (head) {
    reply.whole = true;
  } else if (reply.header("transfer-encoding") == "chunked") {
    for (std::string size; !(size = line()).empty();) {
      const size_t bytes = std::stoul(size, nullptr, 16);
      const bool all = take(reply.body, bytes);
      line();
      if (bytes == 0) {
        reply.whole = true;
        break;
      }
      if (!all) break;
    }
  } else if (const std::string length = reply.header("content-length"); !length.empty()) {
    reply.whole = take(reply.body, std::stoul(length));
  } else {
    while (fill()) {
    }
    reply.body = std::exchange(buffer_, "");
    reply.whole = true;
  }
  return reply;
}

HttpReply HttpClient::get(const std::string& path, const std::string& headers) {
  send("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + headers + "\r\n");
  return reply();
}

std::string HttpClient::posted(const std::string& path, const std::string& body, const std::string& headers) {
  return "POST " + path +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n" + headers + "\r\n" + body;
}

HttpReply HttpClient::post(const std::string& path, const std::string& body, const std::string& headers) {
  send(posted(path, body, headers));
  return reply();
}
