#include <weft/data/text/utf8.h>
#include <weft/tools/commands/json_line.h>
#include <weft/tools/serve/completion_json.h>
#include <weft/train/files/run_checkpoint.h>

#include <algorithm>
#include <utility>

namespace weft::tools {
namespace {

using Json = nlohmann::ordered_json;

Json bytes_of(const std::string& text) {
  Json bytes = Json::array();
  for (const char byte : text) bytes.push_back(static_cast<unsigned char>(byte));
  return bytes;
}

bool is_text(std::string_view bytes) {
  while (!bytes.empty()) {
    const int length = decode_utf8(bytes).length;
    if (length <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(length));
  }
  return true;
}

/// What is a part of a character is told by its bytes, so that those of different bytes have different names.
std::string as_key(const std::string& bytes) {
  if (is_text(bytes)) return bytes;
  constexpr const char* digits = "0123456789abcdef";
  std::string key = "bytes:";
  for (const char one : bytes) {
    const auto byte = static_cast<unsigned char>(one);
    key.append("\\x").append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
  }
  return key;
}

}  // namespace

std::string server_sent_event(const Json& json) { return "data: " + json_line(json) + "\n"; }

CompletionJson::CompletionJson(const ServedModel& served, const CompletionRequest& request, std::string id,
                               int64_t created)
    : served_(served), request_(request), id_(std::move(id)), created_(created) {}

Json CompletionJson::frame(const char* object) const {
  return {{"id", id_},
          {"object", object},
          {"created", created_},
          {"model", served_.name},
          {"system_fingerprint", str("weft-" WEFT_VERSION "-", numerics_version)}};
}

Json CompletionJson::usage(int64_t written) const {
  int64_t read = 0;
  for (const CompletionRequest::Prompt& prompt : request_.prompts) read += std::ssize(prompt.ids);
  return {{"prompt_tokens", read}, {"completion_tokens", written}, {"total_tokens", read + written}};
}

/// Its bytes, or, of one that no text has, what it is called.
std::string CompletionJson::name_of(int64_t token) const {
  const Tokenizer& tokenizer = *served_.model.tokenizer;
  if (const std::string bytes = tokenizer.decode(token); !bytes.empty()) return bytes;
  for (const auto& [name, id] : tokenizer.special_tokens())
    if (id == token) return name;
  return "";
}

std::string CompletionJson::echoed(int64_t choice) const {
  return request_.echo ? request_.prompts[static_cast<size_t>(choice / request_.n)].text : "";
}

/// Of a completion: four lists, side by side.
Json CompletionJson::logprobs(const std::vector<ToldToken>& tokens) const {
  Json names = Json::array(), log_ps = Json::array(), tops = Json::array(), offsets = Json::array();
  for (const ToldToken& token : tokens) {
    names.push_back(as_key(name_of(token.id)));
    log_ps.push_back(token.log_p ? Json(*token.log_p) : Json());
    offsets.push_back(token.offset);
    Json top = Json::object();
    // Of tokens with the same bytes the likeliest.
    for (const auto& [id, log_p] : token.likeliest) top.emplace(as_key(name_of(id)), log_p);
    if (token.log_p) top.emplace(as_key(name_of(token.id)), *token.log_p);
    tops.push_back(token.log_p ? std::move(top) : Json());
  }
  return {{"tokens", std::move(names)},
          {"token_logprobs", std::move(log_ps)},
          {"top_logprobs", *request_.top_logprobs > 0 ? std::move(tops) : Json()},
          {"text_offset", std::move(offsets)}};
}

Json CompletionJson::chat_logprobs(const std::vector<ToldToken>& tokens) const {
  const auto entry = [&](int64_t id, double log_p) {
    const std::string name = name_of(id);
    return Json{{"token", name}, {"logprob", log_p}, {"bytes", bytes_of(name)}};
  };
  Json content = Json::array();
  for (const ToldToken& token : tokens) {
    Json one = entry(token.id, *token.log_p);
    one["top_logprobs"] = Json::array();
    for (const auto& [id, log_p] : token.likeliest) one["top_logprobs"].push_back(entry(id, log_p));
    content.push_back(std::move(one));
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

std::string CompletionJson::whole(const std::vector<Piece>& choices, const CompletionCall& call) const {
  Json all = frame(request_.chat ? "chat.completion" : "text_completion");
  all["choices"] = Json::array();
  for (const Piece& piece : choices) {
    Json choice{{"index", piece.choice}};
    const std::string echo = echoed(piece.choice);
    if (request_.chat)
      choice["message"] = {{"role", "assistant"}, {"content", piece.text}, {"refusal", nullptr}};
    else
      choice["text"] = echo + piece.text;
    std::vector<ToldToken> tokens = call.prompt_tokens(piece.choice / request_.n);
    for (const ToldToken& token : piece.tokens) {
      tokens.push_back(token);
      tokens.back().offset += echo.size();
    }
    choice["logprobs"] = !request_.top_logprobs ? Json()
                         : request_.chat        ? chat_logprobs(tokens)
                                                : logprobs(tokens);
    choice["finish_reason"] = piece.finish;
    all["choices"].push_back(std::move(choice));
  }
  all["usage"] = usage(call.written());
  return json_line(all);
}

std::string CompletionJson::event_of(Json choices) const {
  Json all = frame(request_.chat ? "chat.completion.chunk" : "text_completion");
  all["choices"] = std::move(choices);
  if (request_.include_usage) all["usage"] = nullptr;
  return server_sent_event(all);
}

Json CompletionJson::choice_event(int64_t choice, Json said, const Json& logprobs,
                                  const std::string& finish) const {
  Json one{{"index", choice}};
  one[request_.chat ? "delta" : "text"] = std::move(said);
  one["logprobs"] = logprobs;
  one["finish_reason"] = finish.empty() ? Json() : Json(finish);
  return Json::array({std::move(one)});
}

std::string CompletionJson::beginning() const {
  std::string events;
  const int64_t choices = std::ssize(request_.prompts) * request_.n;
  for (int64_t choice = 0; choice < choices; ++choice) {
    if (request_.chat)
      events += event_of(
          choice_event(choice, {{"role", "assistant"}, {"content", ""}, {"refusal", nullptr}}, {}, ""));
    else if (request_.echo)
      events += event_of(choice_event(choice, echoed(choice), {}, ""));
  }
  return events;
}

std::string CompletionJson::event(const Piece& piece) const {
  Json logs;
  if (request_.top_logprobs && !piece.tokens.empty())
    logs = request_.chat ? chat_logprobs(piece.tokens) : logprobs(piece.tokens);
  if (!request_.chat) return event_of(choice_event(piece.choice, piece.text, logs, piece.finish));
  std::string events;
  if (!piece.text.empty() || !logs.is_null())
    events = event_of(choice_event(piece.choice, {{"content", piece.text}}, logs, ""));
  if (!piece.finish.empty()) events += event_of(choice_event(piece.choice, Json::object(), {}, piece.finish));
  return events;
}

std::string CompletionJson::ending(int64_t written) const {
  std::string events;
  if (request_.include_usage) {
    Json all = frame(request_.chat ? "chat.completion.chunk" : "text_completion");
    all["choices"] = Json::array();
    all["usage"] = usage(written);
    events = server_sent_event(all);
  }
  return events + "data: [DONE]\n\n";
}

}  // namespace weft::tools
