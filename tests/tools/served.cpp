#include "served.h"

#include <doctest/doctest.h>

/// Runs that write, chat and answer, made once.
const Folder& trained() {
  static const struct Trained : Folder {
    Trained() {
      write_text(*this);
      std::string pairs, talks;
      for (int i = 0; i < 40; ++i) {
        const std::string word = i % 2 == 0 ? "cat" : "dog", number = std::to_string(i);
        pairs += "the " + word + " " + number + "\t" + word + "\n";
        Json turns = Json::array();
        turns.push_back({{"role", "user"}, {"content", "say " + word + " " + number}});
        turns.push_back({{"role", "assistant"}, {"content", word + "!"}});
        talks += Json({{"messages", turns}}).dump() + "\n";
      }
      with("pairs.tsv", "source\ttarget\n" + pairs).with("chats.jsonl", talks);
      run(train("text", {"max_iters=60"}));
      for (const char* const task : {"pairs", "chat"}) {
        Arguments all = train(task, {"vocab_size=270", "batch_size=8", "block_size=64", "max_iters=40"});
        all[2] = std::string(task) == "chat" ? "chats.jsonl" : "pairs.tsv";
        std::erase_if(all, [](const std::string& one) { return one.starts_with("block_size=8"); });
        for (size_t i = 0; i + 1 < all.size(); ++i)
          if (all[i] == "--set" && all[i + 1] == "--set")
            all.erase(all.begin() + static_cast<std::ptrdiff_t>(i--));
        all.insert(all.end(), {"--task", task});
        run(all);
      }
    }
    void run(const Arguments& arguments) const {
      const Result result = run_weft(*this, arguments);
      REQUIRE_MESSAGE(result.code == 0, result.err);
    }
  } folder;
  return folder;
}

Served::Served(const std::string& model, const Arguments& more, const Program::Options& options) {
  Arguments all{"serve", model, "--port", "0", "--threads", "1"};
  all.insert(all.end(), more.begin(), more.end());
  program_ = std::make_unique<Program>(trained(), all, options);
  wait_until([&] { return !program_->running() || port() > 0; });
  if (port() > 0) return;
  const Result result = program_->wait();
  REQUIRE_MESSAGE(contains(result.err, "libweft-http.so"), result.err);
  MESSAGE("skipped: ", result.err);
  program_.reset();
}

int Served::port() const {
  const std::string said = program_->said(), before = "http://127.0.0.1:";
  const size_t at = said.find(before);
  if (at == std::string::npos || said.find(';', at) == std::string::npos) return 0;
  return std::stoi(said.substr(at + before.size()));
}

HttpReply Served::post(const std::string& path, const Json& body, const std::string& headers) const {
  return HttpClient(port()).post(path, body.dump(), headers);
}

Json Served::answer(const std::string& path, const Json& body) const {
  const HttpReply reply = post(path, body);
  REQUIRE_MESSAGE(reply.status == 200, reply.body);
  return Json::parse(reply.body);
}

double Served::metric(const std::string& name) const {
  const std::string text = HttpClient(port()).get("/metrics").body;
  const size_t at = text.find("\n" + name + " ");
  REQUIRE_MESSAGE(at != std::string::npos, text);
  return std::stod(text.substr(at + name.size() + 2));
}

Streamed streamed(const std::string& body) {
  Streamed all;
  for (size_t at = 0, end = 0; (end = body.find("\n\n", at)) != std::string::npos; at = end + 2) {
    const std::string line = body.substr(at, end - at);
    REQUIRE(line.starts_with("data: "));
    REQUIRE(!all.done);
    if (line == "data: [DONE]") {
      all.done = true;
      continue;
    }
    const Json event = all.events.emplace_back(Json::parse(line.substr(6)));
    REQUIRE(event.contains("choices"));
    for (const Json& choice : event["choices"]) {
      const auto index = choice["index"].get<int64_t>();
      all.texts[index] += choice.contains("text") ? choice["text"].get<std::string>()
                                                  : choice["delta"].value("content", std::string());
      if (!choice["finish_reason"].is_null()) all.finishes[index] = choice["finish_reason"];
    }
  }
  return all;
}
