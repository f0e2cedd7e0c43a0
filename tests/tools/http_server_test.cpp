// The server of HTTP: what reaches handlers, what does not, and what becomes of those who hang up or read slowly.
#include <doctest/doctest.h>
#include <weft/lib/base/error.h>
#include <weft/lib/machine/plugin.h>
#include <weft/tools/http/http_server.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "http_client.h"

using weft::FileError;
using weft::PluginError;
using weft::ValueError;
using weft::tools::HttpAnswer;
using weft::tools::HttpOptions;
using weft::tools::HttpRequest;
using weft::tools::HttpServer;
using weft::tools::HttpWriter;

namespace {

/// False, and said, where the plug-in was not built.
bool started(HttpServer& server) {
  try {
    server.start();
    return true;
  } catch (const PluginError& error) {
    MESSAGE("skipped: ", error.what());
    return false;
  }
}

HttpAnswer said(std::string text) { return {.type = "text/plain", .body = std::move(text)}; }

/// Repeats what it was asked.
HttpAnswer echo(const HttpRequest& request) {
  std::string text = request.method + " " + request.path + "\n";
  for (const auto& [name, value] : request.query) text += name + "=" + value + "\n";
  if (const std::string* const one = request.header("X-ONE")) text += "x-one: " + *one + "\n";
  return said(text + request.address + "\n" + request.body);
}

template <class Condition>
bool comes_true(const Condition& condition) {
  for (int i = 0; i < 10000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return condition();
}

int status_of(int port, const std::string& bytes) {
  HttpClient client(port);
  client.send(bytes);
  return client.reply().status;
}

}  // namespace

TEST_CASE("http server: requests reach handlers by path and method") {
  HttpServer server({.body_limit = 100});
  server.get("/", echo);
  server.get("/runs/", echo);
  server.get("/runs/special", [](const HttpRequest&) { return said("special"); });
  server.post("/both", echo);
  server.get("/fails", [](const HttpRequest&) -> HttpAnswer { throw std::runtime_error("secret"); });
  server.get("/empty", [](const HttpRequest&) { return HttpAnswer{.status = 404, .body = "{}"}; });
  if (!started(server)) return;
  CHECK(server.is_local());
  CHECK_FALSE(HttpServer({.host = "0.0.0.0"}).is_local());
  CHECK(server.url() == "http://127.0.0.1:" + std::to_string(server.port()));
  HttpClient client(server.port());
  CHECK(client.get("/?b=1%202&a=x", "x-One: yes\r\n").body == "GET /\na=x\nb=1 2\nx-one: yes\n127.0.0.1\n");
  CHECK(client.get("/runs/a%2Fb/c%20d").body == "GET /runs/a/b/c d\n127.0.0.1\n");
  CHECK(client.get("/runs/special").body == "special");
  HttpReply reply = client.post("/both", "body");
  CHECK(reply.body == "POST /both\n127.0.0.1\nbody");
  CHECK(reply.header("content-type") == "text/plain");
  CHECK(client.post("/both", std::string(100, 'x')).status == 200);
  CHECK(client.post("/both", "a=b", "Content-Type: application/x-www-form-urlencoded\r\n")
            .body.ends_with("\na=b"));
  client.send("POST /both HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  CHECK(client.reply().body.ends_with("\nabcde"));
  client.send("HEAD / HTTP/1.1\r\n\r\n");
  reply = client.reply(true);
  CHECK(reply.status == 200);
  CHECK(reply.header("content-length") == "16");
  CHECK(client.get("/nothing").status == 404);
  CHECK(client.get("/runs").status == 404);
  CHECK(client.post("/", "").status == 405);
  reply = client.get("/both");
  CHECK(reply.status == 405);
  CHECK(reply.header("allow") == "POST");
  reply = client.get("/fails");
  CHECK(reply.status == 500);
  CHECK(reply.body.find("secret") == std::string::npos);
  CHECK(client.get("/empty").body == "{}");
  // Nothing is compressed, and no part is asked for.
  CHECK(client.get("/", "Accept-Encoding: gzip, br\r\nRange: bytes=0-1,2-3\r\n").body ==
        "GET /\n127.0.0.1\n");
  // Two at once.
  client.send("GET /runs/1 HTTP/1.1\r\n\r\nGET /runs/2 HTTP/1.1\r\n\r\n");
  CHECK(client.reply().body.starts_with("GET /runs/1"));
  CHECK(client.reply().body.starts_with("GET /runs/2"));
}

TEST_CASE("http server: what is no request is refused, and the connection ends") {
  HttpServer server({.body_limit = 1000, .request_seconds = 1});
  std::atomic<int> asked = 0;
  const auto count = [&](const HttpRequest&) { return ++asked, said("yes"); };
  server.get("/", count);
  server.post("/", count);
  server.on_error([](int status, const std::string& text) {
    return HttpAnswer{.body = "{\"error\": " + std::to_string(status) +
                              (text.empty() ? "" : ", \"text\": 1") + "}"};
  });
  if (!started(server)) return;
  const std::string post = "POST / HTTP/1.1\r\n";
  const std::vector<std::pair<std::string, int>> refused = {
      {"nonsense\r\n\r\n", 400},
      {"GET / HTTP/9.9\r\n\r\n", 400},
      {"GET /\r\n\r\n", 400},
      {"\r\n\r\n", 400},
      {std::string("\0\xFF\xFE\r\n\r\n", 7), 400},
      {"PUT / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", 405},
      {"DELETE / HTTP/1.1\r\n\r\n", 405},
      {"OPTIONS * HTTP/1.1\r\n\r\n", 405},
      {"GET / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", 400},
      {"GET / HTTP/1.1\r\nContent-Length: 18\r\n\r\nGET / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nTransfer-Encoding: identity\r\n\r\n", 400},
      {post + "\r\n", 411},
      {post + "Content-Length: 1001\r\n\r\n", 413},
      {post + "Content-Length: 99999999999999999999999\r\n\r\n", 400},
      {post + "Content-Length: -1\r\n\r\n", 400},
      {post + "Content-Length: x\r\n\r\n", 400},
      {post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400},
      {post + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400},
      {post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
      {post + "Transfer-Encoding: chunked\r\n\r\n3E9\r\n" + std::string(1001, 'x') + "\r\n0\r\n\r\n", 413},
      {post + "Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\nabc", 400},
      {post + "Content-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx", 415},
      {post + "Content-Type: multipart/form-data; boundary=a\r\nContent-Length: 1\r\n\r\nx", 415},
      {"GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n\r\n", 414},
      {"GET / HTTP/1.1\r\n" + std::string(9000, 'a') + ": b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 403},
      {"GET / HTTP/1.1\r\nHost: 127.0.0.1.evil.example:80\r\n\r\n", 403}};
  for (const auto& [bytes, status] : refused) {
    CAPTURE(bytes.substr(0, 100));
    HttpClient client(server.port());
    client.send(bytes);
    const HttpReply reply = client.reply();
    CHECK(reply.status == status);
    CHECK(reply.body == "{\"error\": " + std::to_string(status) + ", \"text\": 1}");
    if (status != 403) CHECK(client.some().empty());
  }
  std::string many = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < 4000; ++i) many += "name" + std::to_string(i) + ": some value\r\n";
  CHECK(status_of(server.port(), many + "\r\n") == 431);
  // What never ends is not read for ever.
  CHECK(status_of(server.port(), "GET / HTTP/1.1\r\nX: y") == 408);
  CHECK(status_of(server.port(), post + "Content-Length: 10\r\n\r\nabc") == 408);
  {
    HttpClient client(server.port());
    client.send(std::string(1 << 20, 'a'));
    CHECK(client.reply().status != 200);
  }
  CHECK(asked == 0);
  for (const char* const host : {"localhost:80", "127.0.0.1", "[::1]:1", "a.localhost", "192.168.0.7"}) {
    HttpClient client(server.port());
    client.send("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n");
    CHECK(client.reply().status == 200);
  }
  CHECK(status_of(server.port(), "GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n") == 200);
  {
    HttpClient head(server.port());
    head.send("HEAD / HTTP/1.1\r\nContent-Length: 18\r\n\r\nGET / HTTP/1.1\r\n\r\n");
    CHECK(head.reply(true).status == 400);
    CHECK(head.some().empty());
  }
}

TEST_CASE("http server: bodies in pieces, and who hangs up") {
  HttpServer server({});
  std::atomic<int> dropped = 0, waiting = 0;
  server.get("/pieces", [](const HttpRequest&) {
    return HttpAnswer{.type = "text/event-stream", .stream = [](HttpWriter& writer) {
                        for (int i = 0; i < 3; ++i) writer.write("piece " + std::to_string(i) + "\n");
                      }};
  });
  server.get("/cut", [](const HttpRequest&) {
    return HttpAnswer{.type = "text/plain", .stream = [](HttpWriter& writer) {
                        writer.write("begun");
                        throw std::runtime_error("secret");
                      }};
  });
  server.get("/endless", [&](const HttpRequest&) {
    return HttpAnswer{.type = "text/plain", .stream = [&](HttpWriter& writer) {
                        while (writer.write(std::string(1 << 16, 'x'))) {
                        }
                        ++dropped;
                      }};
  });
  server.get("/waits", [&](const HttpRequest& request) {
    ++waiting;
    while (!request.peer->gone()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    --waiting;
    return said("");
  });
  if (!started(server)) return;
  HttpClient client(server.port());
  HttpReply reply = client.get("/pieces");
  CHECK(reply.header("transfer-encoding") == "chunked");
  CHECK(reply.header("content-type") == "text/event-stream");
  CHECK(reply.whole);
  CHECK(reply.body == "piece 0\npiece 1\npiece 2\n");
  CHECK(client.get("/pieces").body == reply.body);
  reply = client.get("/cut");
  CHECK(reply.body == "begun");
  CHECK(!reply.whole);
  {
    HttpClient old(server.port());
    old.send("GET /pieces HTTP/1.0\r\n\r\n");
    reply = old.reply();
    CHECK(reply.header("transfer-encoding").empty());
    CHECK(reply.body == "piece 0\npiece 1\npiece 2\n");
  }
  {
    HttpClient one(server.port()), other(server.port());
    one.send("GET /endless HTTP/1.1\r\n\r\n");
    CHECK(one.some(10).size() == 10);
    other.send("GET /waits HTTP/1.1\r\n\r\n");
    CHECK(comes_true([&] { return waiting == 1; }));
    CHECK(client.some(0).empty());
  }
  CHECK(comes_true([&] { return dropped == 1; }));
  CHECK(comes_true([&] { return waiting == 0; }));
}

TEST_CASE("http server: limits of connections, and readers that stop") {
  HttpServer server({.connections = 2, .idle_seconds = 1, .write_seconds = 1});
  std::atomic<bool> given_up = false;
  server.get("/fine", [](const HttpRequest&) { return said("fine"); });
  server.get("/big", [&](const HttpRequest&) {
    return HttpAnswer{.type = "text/plain", .stream = [&](HttpWriter& writer) {
                        while (writer.write(std::string(1 << 20, 'x'))) {
                        }
                        given_up = true;
                      }};
  });
  if (!started(server)) return;
  HttpServer second({.port = server.port()});
  CHECK_THROWS_WITH_AS(second.start(), doctest::Contains("Address already in use"), FileError);
  HttpClient stuck(server.port()), idle(server.port());
  stuck.send("GET /big HTTP/1.1\r\n\r\n");
  CHECK(idle.get("/fine").body == "fine");
  HttpClient third(server.port());
  const HttpReply reply = third.reply();
  CHECK(reply.status == 503);
  CHECK(reply.header("retry-after") == "1");
  CHECK(idle.some().empty());  // a second has gone by
  CHECK(comes_true([&] { return given_up.load(); }));
}

TEST_CASE("http server: a stop waits for what is being answered") {
  HttpServer server({});
  std::atomic<bool> inside = false, stopping = false;
  server.get("/slow", [&](const HttpRequest&) {
    inside = true;
    comes_true([&] { return stopping.load(); });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return said("answered");
  });
  if (!started(server)) return;
  HttpClient idle(server.port()), client(server.port());
  client.send("GET /slow HTTP/1.1\r\n\r\n");
  CHECK(comes_true([&] { return inside.load(); }));
  std::thread stop([&] {
    stopping = true;
    server.stop();
  });
  const HttpReply reply = client.reply();
  CHECK(reply.body == "answered");
  CHECK(client.some().empty());
  CHECK(idle.some().empty());
  stop.join();
  CHECK_THROWS(HttpClient(server.port()));
}

TEST_CASE("http server: options out of range, hosts that are none, no plug-in") {
  CHECK_THROWS_AS(HttpServer({.port = 65536}), ValueError);
  CHECK_THROWS_AS(HttpServer({.host = ""}), ValueError);
  CHECK_THROWS_AS(HttpServer({.body_limit = 0}), ValueError);
  HttpServer server({.host = "no such host"});
  try {
    server.start();
    FAIL("listens");
  } catch (const PluginError& error) {
    CHECK(std::string(error.what()).find("weft-http") != std::string::npos);
  } catch (const FileError& error) {
    CHECK(std::string(error.what()).find("no such host:0: cannot be listened at: ") == 0);
  }
}
