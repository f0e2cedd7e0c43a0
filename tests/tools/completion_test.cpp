// What requests of OpenAI's API ask for, and how they are answered, without HTTP.
#include <doctest/doctest.h>
#include <weft/layers/models/gpt.h>
#include <weft/lib/array/random.h>
#include <weft/tools/serve/api_error.h>
#include <weft/tools/serve/completion_json.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

namespace weft::tools {
namespace {

using nlohmann::json;

/// Passes over spaces, as some do; its two first tokens are written alike.
struct Loose : CharTokenizer {
  Loose() : CharTokenizer({'a', 'b', 'c'}) {}
  size_t append_ids(std::string_view text, std::vector<int64_t>& ids) const override {
    std::string rest(text);
    std::erase(rest, ' ');
    return CharTokenizer::append_ids(rest, ids) == rest.size() ? text.size() : 0;
  }
  std::string decode(int64_t id) const override { return CharTokenizer::decode(id == 1 ? 0 : id); }
};

struct Served {
  WritingModel model;
  ServedModel served{.name = "m", .model = model, .turns = {}, .most_tokens = 9, .most_texts = 4};
  Served() {
    const RandomScope random({.seed = 1});
    auto gpt = std::make_unique<GPT>(
        GPTConfig{.vocab_size = 3, .block_size = 8, .n_layer = 1, .n_head = 1, .n_embd = 4});
    model.writer = gpt.get();
    model.model = std::move(gpt);
    model.tokenizer = model.file.checkpoint.model.tokenizer = std::make_shared<Loose>();
  }
};

}  // namespace

TEST_CASE("completions: a prompt without tokens is refused") {
  const Served s;
  const auto asked = [&](const json& prompt) {
    return completion_request(s.served, json{{"model", "m"}, {"prompt", prompt}}.dump(), false);
  };
  CHECK(asked("a c").prompts.at(0).ids == std::vector<int64_t>{0, 2});
  for (const json& prompt : {json(" "), json({"ab", "   "})}) {
    CAPTURE(prompt.dump());
    try {
      asked(prompt);
      FAIL("is taken");
    } catch (const ApiError& error) {
      CHECK(error.kind.status == 400);
      CHECK(error.kind.param == "prompt");
      CHECK(std::string(error.what()).ends_with(" has no tokens"));
    }
  }
}

TEST_CASE("completions: of tokens that are written alike the likeliest is told") {
  const Served s;
  const CompletionRequest request{.prompts = {{{0}}}, .top_logprobs = 3};
  const CompletionJson answers(s.served, request, "id", 0);
  const std::string event = answers.event(
      {.text = "a", .tokens = {{.id = 1, .log_p = -2.0, .likeliest = {{0, -1.0}, {1, -2.0}, {2, -3.0}}}}});
  REQUIRE(event.starts_with("data: "));
  CHECK(event.ends_with("}\n\n"));
  const json logprobs = json::parse(event.substr(6))["choices"][0]["logprobs"];
  CHECK(logprobs["tokens"] == json({"a"}));
  CHECK(logprobs["token_logprobs"] == json({-2.0}));
  CHECK(logprobs["top_logprobs"] == json::array({json{{"a", -1.0}, {"c", -3.0}}}));
}

}  // namespace weft::tools
