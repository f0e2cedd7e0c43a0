// The program as a server: what it refuses, and how it says so.
#include <doctest/doctest.h>

#include "served.h"

TEST_CASE("serve: what cannot be done is refused with the parameter that is at fault") {
  Served served("chat", {"--tokens", "50"});
  if (!served) return;
  const auto refused = [&](const std::string& path, const std::string& body, int status,
                           const std::string& param) {
    CAPTURE(body);
    HttpClient client(served.port());
    const HttpReply reply = client.post(path, body);
    CHECK(reply.status == status);
    const Json error = Json::parse(reply.body)["error"];
    CHECK(error["message"].get<std::string>() != "");
    CHECK(error["type"] == "invalid_request_error");
    CHECK(error["param"] == (param.empty() ? Json() : Json(param)));
    CHECK(error["message"].get<std::string>().find(trained().name()) == std::string::npos);
  };
  for (const char* const body :
       {"", "{", "[]", "3", "\"a\"", "{\"model\": \"chat\",}", "{\"a\": 1, \"a\": 2}", "\xFF",
        "{\"a\": \"\xFF\"}", "{\"a\": \"\\ud800\"}", "{\"a\": 1e999}", "nul", "{\"a\": 1} {}"}) {
    refused(completions, body, 400, "");
    refused(chats, body, 400, "");
  }
  refused(completions, std::string(1000, '['), 400, "");
  refused(completions, "{\"a\":" + std::string(100, '['), 400, "");
  const auto with = [](Json body, const std::string& name, const Json& value) {
    body[name] = value;
    return body.dump();
  };
  const Json text{{"model", "chat"}, {"prompt", "say"}};
  const std::vector<std::pair<std::string, Json>> bad = {{"model", 3},
                                                         {"prompt", 3},
                                                         {"prompt", Json::array()},
                                                         {"prompt", ""},
                                                         {"prompt", {1, "a"}},
                                                         {"prompt", {100000}},
                                                         {"prompt", {-1}},
                                                         {"prompt", {{1.5}}},
                                                         {"prompt", {"a", ""}},
                                                         {"max_tokens", -1},
                                                         {"max_tokens", 51},
                                                         {"max_tokens", 1.5},
                                                         {"max_tokens", "9"},
                                                         {"temperature", -0.1},
                                                         {"temperature", 2.1},
                                                         {"temperature", "1"},
                                                         {"top_p", 1.1},
                                                         {"top_p", false},
                                                         {"n", 0},
                                                         {"n", 1000},
                                                         {"stream", 1},
                                                         {"stream", "yes"},
                                                         {"logprobs", 21},
                                                         {"logprobs", true},
                                                         {"stop", 3},
                                                         {"stop", ""},
                                                         {"stop", {"a", 3}},
                                                         {"seed", 1.5},
                                                         {"seed", "1"},
                                                         {"suffix", "b"},
                                                         {"best_of", 3},
                                                         {"frequency_penalty", 3},
                                                         {"echo", "yes"},
                                                         {"presence_penalty", -3},
                                                         {"logit_bias", {{"x", 1}}},
                                                         {"logit_bias", {{"1", 101}}},
                                                         {"logit_bias", 3},
                                                         {"tempreature", 1},
                                                         {"tools", Json::array()},
                                                         {"stream_options", Json::object()},
                                                         {"seed", 18446744073709551615u},
                                                         {"prompt", std::string(300, 'a')}};
  for (const auto& [name, value] : bad) refused(completions, with(text, name, value), 400, name);
  refused(completions, with(text, "model", "gpt-4"), 404, "model");
  refused(completions, "{\"prompt\": \"say\"}", 400, "model");
  refused(completions, "{\"model\": \"chat\"}", 400, "prompt");
  refused(completions, with(text, "top_p", 0), 400, "");
  refused(
      completions,
      Json{{"model", "chat"}, {"prompt", "say"}, {"echo", true}, {"logprobs", 1}, {"stream", true}}.dump(),
      400, "echo");
  CHECK(contains(served.post(completions, {{"model", "chat"}, {"prompt", "a"}, {"tempreature", 1}}).body,
                 "did you mean 'temperature'?"));
  CHECK(contains(served.post(completions, {{"model", "chat"}, {"prompt", std::string(300, 'a')}}).body,
                 "context_length_exceeded"));

  const Json hello{{"role", "user"}, {"content", "say"}};
  const Json talk{{"model", "chat"}, {"messages", {hello}}};
  const auto message = [&](const Json& one) { return with(talk, "messages", Json::array({one})); };
  refused(chats, "{\"model\": \"chat\"}", 400, "messages");
  refused(chats, with(talk, "messages", Json::array()), 400, "messages");
  refused(chats, with(talk, "messages", "say"), 400, "messages");
  refused(chats, message("say"), 400, "messages[0]");
  refused(chats, message({{"role", "tool"}, {"content", "a"}}), 400, "messages[0].role");
  refused(chats, message({{"role", "assistant"}, {"content", "a"}}), 400, "messages[0].role");
  refused(chats, message({{"content", "a"}}), 400, "messages[0].role");
  refused(chats, message({{"role", "user"}}), 400, "messages[0].content");
  refused(chats, message({{"role", "user"}, {"content", ""}}), 400, "messages[0].content");
  refused(chats, message({{"role", "user"}, {"content", 3}}), 400, "messages[0].content");
  refused(chats, message({{"role", "user"}, {"content", "a"}, {"name", "b"}}), 400, "messages[0].name");
  const Json picture{{"type", "image_url"}, {"image_url", {{"url", "a"}}}};
  refused(chats, message({{"role", "user"}, {"content", Json::array({picture})}}), 400,
          "messages[0].content[0].type");
  refused(chats, message({{"role", "user"}, {"content", std::string(300, 'a')}}), 400, "messages");
  const std::vector<std::pair<std::string, Json>> wrong = {{"top_logprobs", 3},
                                                           {"logprobs", 3},
                                                           {"max_tokens", 0},
                                                           {"tools", Json::array({Json::object()})},
                                                           {"tool_choice", "required"},
                                                           {"response_format", {{"type", "json_object"}}},
                                                           {"modalities", {"text", "audio"}},
                                                           {"audio", Json::object()},
                                                           {"reasoning_effort", "low"},
                                                           {"echo", true},
                                                           {"prompt", "a"},
                                                           {"store", true},
                                                           {"metadata", {{"a", "b"}}},
                                                           {"user", 3}};
  for (const auto& [name, value] : wrong) refused(chats, with(talk, name, value), 400, name);
  // What asks for nothing is taken, and nulls are as if they were not there.
  Json fine = talk;
  fine.update({{"max_tokens", 2},
               {"tools", Json::array()},
               {"tool_choice", "none"},
               {"response_format", {{"type", "text"}}},
               {"store", false},
               {"user", "me"},
               {"stop", nullptr},
               {"seed", nullptr},
               {"logprobs", false},
               {"n", 1},
               {"unknown", nullptr},
               {"parallel_tool_calls", true}});
  CHECK(served.post(chats, fine).status == 200);
  CHECK(served.metric("weft_tokens_written_total") <= 2);
}

TEST_CASE("serve: paths, methods, types and sizes that are none get errors of the same form") {
  Served served("text", {"--body-limit", "2000"});
  if (!served) return;
  HttpClient client(served.port());
  const auto is_error = [](const HttpReply& reply, int status) {
    CHECK(reply.status == status);
    CHECK(Json::parse(reply.body)["error"]["message"].get<std::string>() != "");
  };
  is_error(client.get("/v1/nothing"), 404);
  is_error(client.get("/v1/models/other"), 404);
  is_error(client.get("/\xFF"), 404);
  is_error(client.get(completions), 405);
  is_error(client.post("/v1/models", "{}"), 405);
  is_error(HttpClient(served.port()).post(completions, std::string(2001, 'x')), 413);
  for (const char* const type :
       {"Content-Type: text/plain\r\n", "Content-Type: application/x-www-form-urlencoded\r\n", ""}) {
    HttpClient other(served.port());
    other.send("POST " + completions + " HTTP/1.1\r\n" + type + "Content-Length: 2\r\n\r\n{}");
    is_error(other.reply(), 415);
  }
  HttpClient page_of_the_net(served.port());
  page_of_the_net.send("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  is_error(page_of_the_net.reply(), 403);
  CHECK(client.get("/health").body == "{\"status\":\"ok\"}\n");
}

TEST_CASE("serve: a key is asked for, and told from no other") {
  const Folder& folder = trained();
  folder.write("key", "a-secret\n");
  Served served("text", {"--api-key-file", "key"});
  if (!served) return;
  const Json body{{"model", "text"}, {"prompt", "the"}, {"max_tokens", 1}};
  for (const char* const header :
       {"", "Authorization: Bearer a-secre\r\n", "Authorization: Bearer a-secrets\r\n",
        "Authorization: Bearer \r\n", "Authorization: Basic a-secret\r\n", "Authorization: a-secret\r\n"}) {
    CAPTURE(std::string(header));
    const HttpReply reply = served.post(completions, body, header);
    CHECK(reply.status == 401);
    CHECK(Json::parse(reply.body)["error"]["code"] == "invalid_api_key");
    CHECK(reply.header("www-authenticate") == "Bearer");
    CHECK(HttpClient(served.port()).get("/v1/models", header).status == 401);
    CHECK(HttpClient(served.port()).get("/metrics", header).status == 401);
  }
  CHECK(served.post(completions, body, "Authorization: Bearer a-secret\r\n").status == 200);
  CHECK(HttpClient(served.port()).get("/health").status == 200);
  CHECK(HttpClient(served.port()).get("/").status == 200);
  Served other("text", {}, {.environment = {"WEFT_API_KEY=b"}});
  CHECK(other.post(completions, body).status == 401);
  CHECK(other.post(completions, body, "Authorization: Bearer b\r\n").status == 200);
}

TEST_CASE("serve: what it cannot serve, and where it cannot listen") {
  const Folder& folder = trained();
  refused_with(folder, {"serve", "missing"}, {"missing"});
  refused_with(folder, {"serve", "text", "--port", "65536"}, {"--port", "65536"});
  refused_with(folder, {"serve", "text", "--api-key", "a b"}, {"--api-key", "one word"});
  refused_with(folder, {"serve", "text", "--api-key", "a", "--api-key-file", "key"}, {"one of them"});
  folder.write("none", "\n");
  refused_with(folder, {"serve", "text", "--api-key-file", "none"}, {"none", "is empty"});
  const Result missing =
      run_weft(folder, {"serve", "text", "--port", "0"}, {.environment = {"WEFT_PLUGINS=/nowhere"}});
  CHECK(missing.code == 2);
  for (const char* const part : {"libweft-http.so", "weft-http", "libcpp-httplib-dev"})
    CHECK(contains(missing.err, part));
  Served served("text");
  if (!served) return;
  refused_with(folder, {"serve", "text", "--port", std::to_string(served.port())},
               {"Address already in use"});
  refused_with(folder, {"serve", "text", "--host", "no such host"}, {"no such host"});
}
