// Answers as OpenAI's API has them: objects of text_completion and chat.completion, and their pieces.
#pragma once

#include <weft/tools/serve/completion_call.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace weft::tools {

/// Makes the answers to one request.
class CompletionJson {
 public:
  /// `id` is the request's, `created` seconds since 1970.
  CompletionJson(const ServedModel& served, const CompletionRequest& request, std::string id,
                 int64_t created);

  /// The whole answer of a call that is over, all pieces of each choice put together.
  std::string whole(const std::vector<Piece>& choices, const CompletionCall& call) const;

  /// Events of a stream, each of which is an answer's piece: data: {...}. The first of each choice say who speaks, and the
  /// prompt where it is to be echoed.
  std::string beginning() const;
  std::string event(const Piece& piece) const;
  /// What ends a stream that is whole.
  std::string ending(int64_t written) const;

 private:
  using Json = nlohmann::ordered_json;
  Json frame(const char* object) const;
  Json logprobs(const std::vector<ToldToken>& tokens) const;
  Json chat_logprobs(const std::vector<ToldToken>& tokens) const;
  Json usage(int64_t written) const;
  Json choice_event(int64_t choice, Json said, const Json& logprobs, const std::string& finish) const;
  std::string event_of(Json choices) const;
  std::string name_of(int64_t token) const;
  std::string echoed(int64_t choice) const;

  const ServedModel& served_;
  const CompletionRequest& request_;
  const std::string id_;
  const int64_t created_;
};

/// data: {...}
std::string server_sent_event(const nlohmann::ordered_json& json);

}  // namespace weft::tools
