// The program as a server: what OpenAI's clients get.
#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <thread>

#include "served.h"

namespace {

/// A request, and what `weft generate` writes for it alone.
struct Call {
  Json body;
  std::string expected;
};

std::vector<Call> calls() {
  std::vector<Call> all;
  const char* const prompts[] = {"the cat", "ran.\nthe", "m", "on a mat"};
  for (int i = 0; i < 8; ++i) {
    const std::string prompt = prompts[i % 4], seed = std::to_string(i % 3),
                      tokens = std::to_string(5 + 9 * i), temperature = i % 3 == 0 ? "0" : "1.2",
                      top_p = i % 2 == 0 ? "1" : "0.8";
    const Result alone =
        run_weft(trained(), {"generate", "text", "--prompt", prompt, "--seed", seed, "--tokens", tokens,
                             "--temperature", temperature, "--top-p", top_p, "--threads", "1"});
    REQUIRE_MESSAGE(alone.code == 0, alone.err);
    REQUIRE(alone.out.starts_with(prompt));
    all.push_back({{{"model", "text"},
                    {"prompt", prompt},
                    {"seed", std::stoi(seed)},
                    {"max_tokens", std::stoi(tokens)},
                    {"temperature", std::stod(temperature)},
                    {"top_p", std::stod(top_p)},
                    {"stream", i % 2 == 1}},
                   alone.out.substr(prompt.size())});
  }
  return all;
}

}  // namespace

TEST_CASE("serve: mixed requests at once get the bytes that weft generate writes for each alone") {
  Served served("text", {"--rows", "3"});
  if (!served) return;
  const std::vector<Call> all = calls();
  std::vector<std::string> wrong(8);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < wrong.size(); ++t)
    threads.emplace_back([&, t] {
      HttpClient client(served.port());
      for (size_t i = 0; i < 12; ++i) {
        const Call& one = all[(5 * t + i) % all.size()];
        const HttpReply reply = client.post(completions, one.body.dump());
        const std::string text = one.body["stream"] == true
                                     ? streamed(reply.body).texts[0]
                                     : Json::parse(reply.body)["choices"][0]["text"].get<std::string>();
        if (text != one.expected) wrong[t] += "[" + text + "] is not [" + one.expected + "]";
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (const std::string& one : wrong) CHECK(one == "");
  // Counted once the answer is away.
  const std::string answered = "weft_requests_total{endpoint=\"completions\",status=\"200\"}";
  CHECK(
      wait_until([&] { return served.metric(answered) == 96 && served.metric("weft_texts_running") == 0; }));
  CHECK(served.metric("weft_texts_ended_total") == 96);
  CHECK(served.metric(answered) == 96);
}

TEST_CASE("serve: of weights in integers, what generate writes with them") {
  const Folder folder;
  write_text(folder);
  // Wide enough that layers become integers.
  REQUIRE(run_weft(folder, train("run", {"n_embd=64", "max_iters=30"})).code == 0);
  const auto alone = [&](const char* weights) {
    return run_weft(folder, {"generate", "run", "--prompt", "the", "--tokens", "400", "--seed", "3",
                             "--temperature", "1.5", "--weights", weights})
        .out;
  };
  const std::string text = alone("int8");
  CHECK(text != alone("float32"));
  Served served(folder.path("run"), {"--weights", "int8", "--tokens", "400"});
  if (!served) return;
  const Json body{{"model", "run"}, {"prompt", "the"},    {"max_tokens", 400},
                  {"seed", 3},      {"temperature", 1.5}, {"n", 2}};
  CHECK("the" + served.answer(completions, body)["choices"][0]["text"].get<std::string>() == text);
}

TEST_CASE("serve: completions have OpenAI's form, whole and in pieces") {
  Served served("text", {"--name", "one & only"});
  if (!served) return;
  const Json list = Json::parse(HttpClient(served.port()).get("/v1/models").body);
  CHECK(list["object"] == "list");
  CHECK(list["data"][0]["id"] == "one & only");
  CHECK(Json::parse(HttpClient(served.port()).get("/v1/models/one%20&%20only").body)["object"] == "model");
  Json body{{"model", "one & only"}, {"prompt", {"the", "a mat"}}, {"n", 2}, {"max_tokens", 20}, {"seed", 4}};
  const Json whole = served.answer(completions, body);
  CHECK(whole["object"] == "text_completion");
  CHECK(whole["id"].get<std::string>().starts_with("cmpl-"));
  CHECK(whole["model"] == "one & only");
  CHECK(whole["usage"] == Json{{"prompt_tokens", 8}, {"completion_tokens", 80}, {"total_tokens", 88}});
  REQUIRE(whole["choices"].size() == 4);
  CHECK(whole["choices"][1]["logprobs"].is_null());
  CHECK(whole["choices"][1]["finish_reason"] == "length");
  // Samples of the seed, as --samples has them.
  std::string samples;
  for (size_t i = 0; i < 2; ++i) {
    CHECK(whole["choices"][i]["index"] == i);
    samples += (i == 0 ? "the" : "\n---\nthe") + whole["choices"][i]["text"].get<std::string>();
  }
  const Result alone = run_weft(trained(), {"generate", "text", "--prompt", "the", "--seed", "4", "--tokens",
                                            "20", "--samples", "2", "--temperature", "1"});
  CHECK(alone.out == samples + "\n");
  body["stream"] = true;
  body["stream_options"] = {{"include_usage", true}};
  const HttpReply reply = served.post(completions, body);
  CHECK(reply.header("content-type") == "text/event-stream");
  const Streamed pieces = streamed(reply.body);
  CHECK(pieces.done);
  for (int64_t i = 0; i < 4; ++i) {
    CHECK(pieces.texts.at(i) == whole["choices"][static_cast<size_t>(i)]["text"]);
    CHECK(pieces.finishes.at(i) == "length");
  }
  CHECK(pieces.events.size() > 20);
  CHECK(pieces.events.front()["usage"].is_null());
  CHECK(pieces.events.back()["choices"].empty());
  CHECK(pieces.events.back()["usage"] == whole["usage"]);
  // Ids in place of a text, the text before what is written, and no seed: another text each time.
  const std::string bytes = "the";
  body = {{"model", "one & only"}, {"prompt", "the"}, {"max_tokens", 30}, {"seed", 4}, {"echo", true}};
  const std::string echoed = served.answer(completions, body)["choices"][0]["text"];
  CHECK(echoed.starts_with("the" + whole["choices"][0]["text"].get<std::string>()));
  CHECK(served.answer(completions, {{"model", "one & only"},
                                    {"prompt", "the"},
                                    {"max_tokens", 0},
                                    {"echo", true}})["choices"][0]["text"] == "the");
  body.erase("seed");
  CHECK(served.answer(completions, body)["choices"][0]["text"] !=
        served.answer(completions, body)["choices"][0]["text"]);
  body["stream"] = true;
  CHECK(streamed(served.post(completions, body).body).texts[0].starts_with("the"));
}

TEST_CASE("serve: stops are left out, wherever they lie; penalties and biases change what is drawn") {
  Served served("text");
  if (!served) return;
  Json body{{"model", "text"}, {"prompt", "the"}, {"max_tokens", 60}, {"temperature", 0}};
  const std::string text = served.answer(completions, body)["choices"][0]["text"];
  for (const bool stream : {false, true}) {
    CAPTURE(stream);
    const auto stopped = [&](const Json& stop) {
      Json asked = body;
      asked["stop"] = stop;
      asked["stream"] = stream;
      const HttpReply reply = served.post(completions, asked);
      if (stream) {
        const Streamed all = streamed(reply.body);
        return all.texts.at(0) + "|" + all.finishes.at(0);
      }
      const Json choice = Json::parse(reply.body)["choices"][0];
      return choice["text"].get<std::string>() + "|" + choice["finish_reason"].get<std::string>();
    };
    const std::string stop = text.substr(20, 3), last = text.substr(text.size() - 2) + "?";
    CHECK(stopped(stop) == text.substr(0, text.find(stop)) + "|stop");
    CHECK(stopped({"@never", stop}) == text.substr(0, text.find(stop)) + "|stop");
    CHECK(stopped(text.substr(0, 1)) == "|stop");
    CHECK(stopped(last) == text + "|length");  // what was held back comes in the end
    CHECK(stopped(nullptr) == text + "|length");
  }
  Json changed = body;
  changed["logit_bias"] = {{"0", 100}};
  CHECK(served.answer(completions, changed)["choices"][0]["text"] == std::string(60, '\n'));
  changed["frequency_penalty"] = 2;
  changed["max_tokens"] = 100;
  const std::string penalized = served.answer(completions, changed)["choices"][0]["text"];
  CHECK(penalized.starts_with(std::string(40, '\n')));
  CHECK(penalized != std::string(100, '\n'));  // 2 for each
  changed = body;
  changed["presence_penalty"] = 2;
  CHECK(served.answer(completions, changed)["choices"][0]["text"] != text);
}

TEST_CASE("serve: log-probabilities are those of weft logits") {
  const Folder& folder = trained();
  Served served("text");
  if (!served) return;
  Json body{{"model", "text"},    {"prompt", "cat"}, {"max_tokens", 3},
            {"temperature", 1.7}, {"seed", 5},       {"logprobs", 4}};
  const Json choice = served.answer(completions, body)["choices"][0], &logs = choice["logprobs"];
  const std::string text = choice["text"];
  REQUIRE(logs["tokens"].size() == 3);
  CHECK(logs["tokens"][0].get<std::string>() + logs["tokens"][1].get<std::string>() +
            logs["tokens"][2].get<std::string>() ==
        text);
  CHECK(logs["text_offset"] == Json{0, 1, 2});
  // The model's own numbers, by the ids of the text.
  const Result ids = run_weft(folder, {"generate", "text", "--ids", "1,2", "--tokens", "1"});
  REQUIRE(ids.code == 0);
  const Result encoded = run_weft(folder, {"tokenizer", "encode", "text"},
                                  {.under = {"/bin/sh", "-c", "printf 'cat" + text + "' | \"$0\" \"$@\""}});
  REQUIRE_MESSAGE(encoded.code == 0, encoded.err);
  const std::vector<int64_t> all = Json::parse(encoded.out);
  std::string listed;
  for (const int64_t id : all) listed += (listed.empty() ? "" : ",") + std::to_string(id);
  REQUIRE(run_weft(folder, {"logits", "text", "--ids", listed, "--out", "l.npy"}).code == 0);
  const std::string npy = folder.read("l.npy");
  const size_t head = 10 + static_cast<unsigned char>(npy[8]) + 256 * static_cast<unsigned char>(npy[9]);
  const size_t V = (npy.size() - head) / sizeof(float) / all.size();
  for (size_t t = 0; t < 3; ++t) {
    std::vector<float> row(V);
    std::memcpy(row.data(), npy.data() + head + (all.size() - 4 + t) * V * sizeof(float), V * sizeof(float));
    double total = 0;
    for (const float logit : row) total += std::exp(static_cast<double>(logit));
    const auto log_p = [&](size_t id) { return static_cast<double>(row[id]) - std::log(total); };
    CHECK(logs["token_logprobs"][t].get<double>() ==
          doctest::Approx(log_p(static_cast<size_t>(all[all.size() - 3 + t]))).epsilon(1e-9));
    // The likeliest four, and the one that was drawn.
    std::vector<double> sorted;
    for (size_t id = 0; id < V; ++id) sorted.push_back(log_p(id));
    std::sort(sorted.rbegin(), sorted.rend());
    CHECK(logs["top_logprobs"][t].size() >= 4);
    CHECK(logs["top_logprobs"][t].size() <= 5);
    double least = 0, most = -1e9;
    for (const auto& [name, value] : logs["top_logprobs"][t].items()) {
      least = std::min(least, value.get<double>());
      most = std::max(most, value.get<double>());
    }
    CHECK(most == doctest::Approx(sorted[0]).epsilon(1e-9));
    CHECK(least <= sorted[3] + 1e-9);
  }
  // Of a prompt, too: the same numbers, but for the first, which follows nothing.
  const Json echoed = served.answer(completions, {{"model", "text"},
                                                  {"prompt", {"the", "cat" + text}},
                                                  {"max_tokens", 1},
                                                  {"seed", 5},
                                                  {"echo", true},
                                                  {"logprobs", 4}})["choices"][1];
  const Json& both = echoed["logprobs"];
  REQUIRE(both["tokens"].size() == 7);
  CHECK(both["token_logprobs"][0].is_null());
  CHECK(both["top_logprobs"][0].is_null());
  CHECK(both["text_offset"] == Json{0, 1, 2, 3, 4, 5, 6});
  for (const char* const name : {"tokens", "token_logprobs", "top_logprobs"})
    for (size_t t = 0; t < 3; ++t) CHECK(both[name][3 + t] == logs[name][t]);
  body["logprobs"] = 0;
  CHECK(served.answer(completions, body)["choices"][0]["logprobs"]["top_logprobs"].is_null());
  body["logprobs"] = 2;
  body["stream"] = true;
  body["stop"] = text.substr(1, 1);
  size_t tokens = 0;
  for (const Json& event : streamed(served.post(completions, body).body).events)
    for (const Json& one : event["choices"])
      if (!one["logprobs"].is_null()) tokens += one["logprobs"]["tokens"].size();
  CHECK(tokens == 1);  // those of the stop are not told
}

TEST_CASE("serve: a model that chats answers as weft chat does") {
  const Folder& folder = trained();
  Served served("chat");
  if (!served) return;
  const auto chat = [&](const std::string& lines) {
    folder.write("said", lines);
    return lines_of(run_weft(folder,
                             {"chat", "chat", "--system", "be kind", "--tokens", "8", "--temperature", "0.7",
                              "--seed", "9"},
                             {.under = {"/bin/sh", "-c", "\"$0\" \"$@\" < said"}})
                        .out);
  };
  Json messages = Json::array();
  messages.push_back({{"role", "system"}, {"content", "be kind"}});
  messages.push_back(
      {{"role", "user"},
       {"content", {{{"type", "text"}, {"text", "say "}}, {{"type", "text"}, {"text", "cat 2"}}}}});
  Json body{{"model", "chat"},
            {"messages", messages},
            {"max_completion_tokens", 8},
            {"temperature", 0.7},
            {"seed", 9}};
  const Json first = served.answer(chats, body);
  CHECK(first["object"] == "chat.completion");
  CHECK(first["id"].get<std::string>().starts_with("chatcmpl-"));
  const Json& choice = first["choices"][0];
  CHECK(choice["message"]["role"] == "assistant");
  const std::string said = choice["message"]["content"];
  CHECK(chat("say cat 2\n") == std::vector<std::string>{said});
  // The second answer is the seed's second.
  body["messages"].push_back(choice["message"]);
  body["messages"].push_back({{"role", "user"}, {"content", "say dog 3"}});
  const std::string second = served.answer(chats, body)["choices"][0]["message"]["content"];
  CHECK(chat("say cat 2\nsay dog 3\n") == std::vector<std::string>{said, second});
  body["stream"] = true;
  body["logprobs"] = true;
  body["top_logprobs"] = 3;
  const Streamed pieces = streamed(served.post(chats, body).body);
  CHECK(pieces.texts.at(0) == second);
  CHECK(pieces.events.front()["object"] == "chat.completion.chunk");
  CHECK(pieces.events.front()["choices"][0]["delta"]["role"] == "assistant");
  CHECK(pieces.finishes.at(0) != "");
  std::string bytes;
  for (const Json& event : pieces.events)
    if (const Json& logs = event["choices"][0]["logprobs"]; !logs.is_null())
      for (const Json& token : logs["content"]) {
        CHECK(token["top_logprobs"].size() == 3);
        CHECK(token["logprob"].get<double>() <= 0);
        for (const int byte : token["bytes"]) bytes += static_cast<char>(byte);
      }
  CHECK(bytes == second);
  // It goes on with texts, too.
  CHECK(served.answer(
            completions,
            {{"model", "chat"}, {"prompt", "say"}, {"max_tokens", 3}})["usage"]["completion_tokens"] <= 3);
}

TEST_CASE("serve: a model that answers what it reads") {
  Served served("pairs");
  if (!served) return;
  const Result alone = run_weft(trained(), {"generate", "pairs", "--prompt", "the cat 8", "--seed", "3",
                                            "--temperature", "1", "--tokens", "9"});
  REQUIRE(alone.code == 0);
  const Json answer = served.answer(
      completions,
      {{"model", "pairs"}, {"prompt", {"the dog 1", "the cat 8"}}, {"seed", 3}, {"max_tokens", 9}});
  CHECK(answer["choices"][1]["text"].get<std::string>() + "\n" == alone.out);
  const HttpReply reply =
      served.post(chats, {{"model", "pairs"}, {"messages", {{{"role", "user"}, {"content", "a"}}}}});
  CHECK(reply.status == 400);
  CHECK(contains(reply.body, "was not trained to chat"));
}
