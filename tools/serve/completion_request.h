// What a request of OpenAI's API asks a model to write: POST /v1/completions and /v1/chat/completions.
//
// Values that are left out are OpenAI's: temperature 1, top_p 1, n 1, 16 tokens of a completion, of a chat as many as there
// is room for and a request may ask for (`weft serve --tokens`), and a seed that nobody knows. top_k, min_p and repetition_penalty are as `weft generate` has them.
#pragma once

#include <weft/layers/models/decoding/sampling.h>
#include <weft/tools/writing/chat_turns.h>
#include <weft/tools/writing/writing_model.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace weft::tools {

struct CompletionRequest {
  bool chat = false;
  struct Prompt {
    std::vector<int64_t> ids;
    std::string text = {};  ///< as it was given, or what the ids say
  };
  std::vector<Prompt> prompts;  ///< of a chat one
  int64_t n = 1;                ///< texts for each of them
  int64_t tokens = 16;          ///< of each text, at most
  SamplingOptions sampling{.temperature = 1};
  uint64_t seed = 0;
  /// Which text of the seed the first is: of a chat, how often the assistant has spoken, as `weft chat` has it.
  uint64_t sample = 0;
  double frequency_penalty = 0, presence_penalty = 0;
  std::map<int64_t, double> logit_bias = {};
  std::vector<std::string> stop = {};
  std::optional<int64_t> top_logprobs = {};  ///< none: no log-probabilities
  bool echo = false, stream = false, include_usage = false;
};

/// What is known of a model that is served.
struct ServedModel {
  std::string name;
  const WritingModel& model;
  std::optional<ChatTurns> turns;  ///< none: it does not chat
  int64_t most_tokens;             ///< that a request may ask for
  int64_t most_texts;              ///< likewise, over all prompts
};

/// ApiError with status 400 for whatever cannot be done as it is asked, and 404 for another model.
CompletionRequest completion_request(const ServedModel& served, const std::string& body, bool chat);

}  // namespace weft::tools
