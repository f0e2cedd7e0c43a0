// The program as a server: those who ask for too much, hang up, read slowly, and its end.
#include <doctest/doctest.h>
#include <signal.h>

#include "served.h"

TEST_CASE("serve: more than may wait get 429; who hangs up frees the row at once; slow readers stop nobody") {
  Served served("text", {"--rows", "1", "--waiting", "0", "--tokens", "1000000000"});
  if (!served) return;
  const Json brief{{"model", "text"}, {"prompt", "the"}, {"max_tokens", 5}, {"seed", 1}};
  const std::string expected = served.answer(completions, brief)["choices"][0]["text"];
  for (const bool stream : {false, true}) {
    CAPTURE(stream);
    HttpClient endless(served.port());
    endless.send(HttpClient::posted(
        completions,
        Json{{"model", "text"}, {"prompt", "a"}, {"max_tokens", 1000000000}, {"stream", stream}}.dump()));
    CHECK(wait_until([&] { return served.metric("weft_texts_running") == 1; }));
    const HttpReply reply = served.post(completions, brief);
    CHECK(reply.status == 429);
    CHECK(std::stoi(reply.header("retry-after")) >= 1);
    CHECK(Json::parse(reply.body)["error"]["type"] == "rate_limit_error");
    CHECK(HttpClient(served.port()).get("/health").status == 200);
    endless.hang_up();
    CHECK(wait_until([&] { return served.metric("weft_texts_running") == 0; }));
    CHECK(served.answer(completions, brief)["choices"][0]["text"] == expected);
  }
  CHECK(served.metric("weft_texts_cancelled_total") == 2);
  const auto requests = [&](const std::string& endpoint, int status) {
    return served.metric("weft_requests_total{endpoint=\"" + endpoint + "\",status=\"" +
                         std::to_string(status) + "\"}");
  };
  CHECK(requests("completions", 429) == 2);
  CHECK(wait_until([&] { return requests("completions", 499) == 2; }));
  for (const char* const path : {"/v1/models", "/v1/models/text", "/v1/models/none"})
    HttpClient(served.port()).get(path);
  CHECK(requests("models", 200) == 2);
  CHECK(requests("models", 404) == 1);
  const double asked = requests("metrics", 200);
  CHECK(requests("metrics", 200) == asked + 1);
  Served roomy("text", {"--rows", "4", "--tokens", "1000000000"});
  HttpClient slow(roomy.port());  // who reads nothing
  slow.send(HttpClient::posted(
      completions,
      Json{{"model", "text"}, {"prompt", "a"}, {"max_tokens", 1000000000}, {"stream", true}}.dump()));
  CHECK(wait_until([&] { return roomy.metric("weft_tokens_written_total") > 3000; }));
  CHECK(roomy.answer(completions, brief)["choices"][0]["text"] == expected);
}

TEST_CASE("serve: SIGTERM finishes what was asked, and a second signal does not wait") {
  const Json body{{"model", "text"}, {"prompt", "the"}, {"max_tokens", 4000}, {"stream", true}};
  {
    Served served("text");
    if (!served) return;
    HttpClient client(served.port()), idle(served.port());
    client.send(HttpClient::posted(completions, body.dump()));
    CHECK(wait_until([&] { return served.metric("weft_tokens_written_total") > 0; }));
    served.program().send(SIGTERM);
    const HttpReply reply = client.reply();
    CHECK(reply.whole);
    const Streamed all = streamed(reply.body);
    CHECK(all.done);
    CHECK(all.texts.at(0).size() == 4000);
    CHECK(idle.some().empty());
    CHECK(served.program().wait().code == 128 + SIGTERM);
  }
  Served served("text", {"--tokens", "1000000000"});
  Json endless = body;
  endless["max_tokens"] = 1000000000;
  HttpClient client(served.port());
  client.send(HttpClient::posted(completions, endless.dump()));
  CHECK(wait_until([&] { return served.metric("weft_tokens_written_total") > 0; }));
  served.program().send(SIGINT);
  CHECK(wait_until([&] {
    return contains(served.program().said(),
                    "weft: answering what was asked until now; once more stops at once");
  }));
  served.program().send(SIGINT);
  CHECK(served.program().wait().code == 128 + SIGINT);
}

TEST_CASE("serve: a request that takes too long is told so, and its row is free") {
  Served served("text", {"--tokens", "1000000000", "--timeout", "1"});
  if (!served) return;
  Json body{{"model", "text"}, {"prompt", "the"}, {"max_tokens", 1000000000}};
  const HttpReply reply = served.post(completions, body);
  CHECK(reply.status == 503);
  CHECK(Json::parse(reply.body)["error"]["code"] == "timeout");
  body["stream"] = true;
  const std::string streamed = served.post(completions, body).body;
  CHECK(contains(streamed, "\"code\":\"timeout\""));
  CHECK(!contains(streamed, "[DONE]"));
  CHECK(wait_until([&] { return served.metric("weft_texts_running") == 0; }));
}

TEST_CASE("serve: the page is for this model, and asks nobody else") {
  Served served("chat", {"--name", "</script><b>"});
  if (!served) return;
  const HttpReply reply = HttpClient(served.port()).get("/");
  CHECK(reply.status == 200);
  CHECK(reply.header("content-type") == "text/html; charset=utf-8");
  CHECK(contains(reply.body, "\"model\":\"\\u003c/script>\\u003cb>\""));
  CHECK(contains(reply.body, "\"chats\":true"));
  CHECK(contains(reply.body, "default-src 'none'"));
  for (const char* const outside : {"http://", "https://", "@serve", "@about"})
    CHECK(!contains(reply.body, outside));
}
