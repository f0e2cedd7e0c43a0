#include <weft/data/text/streaming_decoder.h>
#include <weft/exchange/json_internal.h>
#include <weft/lib/base/values.h>
#include <weft/tools/commands/model_input.h>
#include <weft/tools/serve/api_error.h>
#include <weft/tools/serve/completion_request.h>
#include <weft/tools/serve/request_fields.h>

#include <algorithm>
#include <limits>
#include <random>
#include <utility>

namespace weft::tools {
namespace {

using nlohmann::json;

constexpr int64_t most_stops = 16, most_logprobs = 20;

[[noreturn]] void refuse_length(const std::string& param, int64_t tokens, int64_t context) {
  throw ApiError({.param = param, .code = "context_length_exceeded"},
                 str(param, ": has ", grouped(tokens), " tokens; this model's maximum context length is ",
                     grouped(context)));
}

void check_model(const ServedModel& served, RequestFields& fields) {
  const std::optional<std::string> name = fields.text("model");
  if (!name) refuse_param("model", "is needed; this server has '", served.name, "'");
  if (*name != served.name)
    throw ApiError({.status = 404, .param = "model", .code = "model_not_found"},
                   str("the model '", *name, "' is not here; this server has '", served.name, "'"));
}

std::vector<std::string> stops_of(RequestFields& fields) {
  const json* const value = fields.take("stop");
  if (!value) return {};
  std::vector<json> all;
  if (value->is_array())
    all = value->get<std::vector<json>>();
  else
    all = {*value};
  if (std::ssize(all) > most_stops)
    refuse_param("stop", "holds ", all.size(), " texts, more than ", most_stops);
  std::vector<std::string> stops;
  for (const json& one : all) {
    if (!one.is_string() || one.get<std::string>().empty())
      refuse_param("stop", shown(one), " is no text that may end another");
    stops.push_back(one.get<std::string>());
  }
  return stops;
}

std::map<int64_t, double> bias_of(RequestFields& fields, int64_t vocab_size) {
  const json* const value = fields.take("logit_bias");
  if (!value) return {};
  if (!value->is_object()) refuse_param("logit_bias", "is no object of ids and numbers");
  std::map<int64_t, double> bias;
  for (const auto& [name, number] : value->items()) {
    if (!number.is_number() || number.get<double>() < -100 || number.get<double>() > 100)
      refuse_param("logit_bias", shown(number), " is not a number from -100 to 100");
    try {
      bias[parse_integer("logit_bias", name, 0, vocab_size - 1)] = number.get<double>();
    } catch (const ValueError& error) {
      throw ApiError({.param = "logit_bias"}, error.what());
    }
  }
  return bias;
}

/// What both kinds of request have.
void read_common(const ServedModel& served, RequestFields& fields, CompletionRequest& request) {
  const double unlimited = std::numeric_limits<double>::max();
  request.n = fields.integer("n", 1, served.most_texts).value_or(1);
  SamplingOptions& s = request.sampling;
  s.temperature = fields.number("temperature", 0, 2).value_or(1);
  s.top_p = fields.number("top_p", 0, 1).value_or(1);
  s.top_k = fields.integer("top_k", 0, INT64_MAX).value_or(0);
  s.min_p = fields.number("min_p", 0, 1).value_or(0);
  s.repetition_penalty = fields.number("repetition_penalty", 0, unlimited).value_or(1);
  try {
    s.check();
  } catch (const ValueError& error) {
    throw ApiError({}, error.what());
  }
  const std::optional<int64_t> seed = fields.integer("seed", INT64_MIN, INT64_MAX);
  std::random_device any;
  request.seed = seed ? static_cast<uint64_t>(*seed) : (uint64_t{any()} << 31 ^ any()) & INT64_MAX;
  request.frequency_penalty = fields.number("frequency_penalty", -2, 2).value_or(0);
  request.presence_penalty = fields.number("presence_penalty", -2, 2).value_or(0);
  request.logit_bias = bias_of(fields, served.model.writer->vocab_size());
  request.stop = stops_of(fields);
  request.stream = fields.boolean("stream").value_or(false);
  if (const json* const options = fields.take("stream_options")) {
    if (!options->is_object() || !request.stream)
      refuse_param("stream_options", "is an object that goes with stream");
    RequestFields of_stream(*options, "stream_options.");
    request.include_usage = of_stream.boolean("include_usage").value_or(false);
    of_stream.refuse_but("include_obfuscation", {false});
    of_stream.refuse_others();
  }
  // Who asks changes nothing of what is written.
  for (const char* const name : {"user", "safety_identifier", "prompt_cache_key"}) fields.text(name);
  fields.refuse_but("store", {false});
  fields.refuse_but("metadata", {json::object()});
  fields.refuse_but("service_tier", {"auto", "default"});
}

/// Texts, or ids: one, or a list of them.
std::vector<CompletionRequest::Prompt> prompts_of(const ServedModel& served, const json& value) {
  const WritingModel& model = served.model;
  const auto is_ids = [](const json& one) {
    return one.is_array() && !one.empty() &&
           std::ranges::all_of(one, [](const json& id) { return id.is_number_integer(); });
  };
  std::vector<json> all;
  if (value.is_array() && !is_ids(value))
    all = value.get<std::vector<json>>();
  else
    all = {value};
  if (all.empty()) refuse_param("prompt", "is an empty list");
  if (std::ssize(all) > served.most_texts)
    refuse_param("prompt", "holds ", all.size(), " prompts, more than the ", served.most_texts,
                 " that may wait here");
  std::vector<CompletionRequest::Prompt> prompts;
  for (const json& one : all) {
    if (one.is_string()) {
      const std::string text = as_trained(model.file.checkpoint.model, one.get<std::string>());
      try {
        prompts.push_back({model.encoded("prompt", text), text});
      } catch (const ValueError& error) {
        throw ApiError({.param = "prompt"}, error.what());
      }
    } else if (is_ids(one)) {
      std::vector<int64_t> ids;
      for (const json& id : one) {
        if ((id.is_number_unsigned() && id.get<uint64_t>() > uint64_t{INT64_MAX}) || id.get<int64_t>() < 0 ||
            id.get<int64_t>() >= model.writer->vocab_size())
          refuse_param("prompt", shown(id), " is no id below ", model.writer->vocab_size());
        ids.push_back(id.get<int64_t>());
      }
      const std::string text = decode_whole(*model.tokenizer, ids, {.begins = true});
      prompts.push_back({std::move(ids), text});
    } else {
      refuse_param("prompt", shown(one), " is neither a text nor a list of ids");
    }
    const int64_t size = std::ssize(prompts.back().ids), context = model.writer->context();
    if (size == 0) refuse_param("prompt", shown(one), " has no tokens");
    if (size > context) refuse_length("prompt", size, context);
  }
  return prompts;
}

/// A text, or parts that are texts.
std::string content_of(const json& value, const std::string& path) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) refuse_param(path, shown(value), " is no text");
  std::string text;
  for (size_t i = 0; i < value.size(); ++i) {
    const std::string at = str(path, "[", i, "]");
    if (!value[i].is_object()) refuse_param(at, shown(value[i]), " is no part of a text");
    RequestFields part(value[i], at + ".");
    const std::string type = part.text("type").value_or("");
    if (type != "text") refuse_param(at + ".type", "'", type, "': only 'text' is read");
    text += part.text("text").value_or("");
    part.refuse_others();
  }
  return text;
}

CompletionRequest::Prompt conversation_of(const ServedModel& served, const json& messages,
                                          uint64_t& answers) {
  const ChatTurns& turns = *served.turns;
  if (!messages.is_array() || messages.empty())
    refuse_param("messages", "is a list of what was said, the last by the user");
  CompletionRequest::Prompt prompt;
  for (size_t i = 0; i < messages.size(); ++i) {
    const std::string at = str("messages[", i, "]");
    if (!messages[i].is_object()) refuse_param(at, shown(messages[i]), " is no message");
    RequestFields message(messages[i], at + ".");
    std::string role = message.text("role").value_or("");
    if (role == "developer") role = "system";
    if (role != "system" && role != "user" && role != "assistant")
      refuse_param(at + ".role", "'", role, "' is none of system, user and assistant");
    if (i + 1 == messages.size() && role != "user")
      refuse_param(at + ".role", "the last message is to be the user's");
    const json* const content = message.take("content");
    if (!content) refuse_param(at + ".content", "is needed");
    const std::string text = content_of(*content, at + ".content");
    if (text.empty()) refuse_param(at + ".content", "is empty");
    for (const char* const name : {"refusal", "audio", "function_call", "tool_calls", "annotations"})
      message.refuse_but(name, {json::array()});
    message.refuse_others();
    try {
      const std::vector<int64_t> said = turns.turn(role, text);
      prompt.ids.insert(prompt.ids.end(), said.begin(), said.end());
    } catch (const ValueError& error) {
      throw ApiError({.param = at + ".content"}, str(at, ".content: ", error.what()));
    }
    answers += role == "assistant" ? 1 : 0;
  }
  prompt.ids.push_back(turns.mark("assistant"));
  return prompt;
}

void read_chat(const ServedModel& served, RequestFields& fields, CompletionRequest& request) {
  if (!served.turns)
    throw ApiError(
        {.param = "messages", .code = "model_not_chat"},
        str("the model '", served.name, "' was not trained to chat; POST /v1/completions writes with it"));
  const json* const messages = fields.take("messages");
  if (!messages) refuse_param("messages", "is needed");
  request.prompts.push_back(conversation_of(served, *messages, request.sample));
  const int64_t context = served.model.writer->context(), size = std::ssize(request.prompts[0].ids);
  if (size >= context) refuse_length("messages", size, context - 1);
  const std::optional<int64_t> older = fields.integer("max_tokens", 1, served.most_tokens),
                               newer = fields.integer("max_completion_tokens", 1, served.most_tokens);
  if (older && newer && *older != *newer)
    refuse_param("max_tokens", "is not max_completion_tokens; give one of them");
  // An answer that would go beyond the context ends there.
  request.tokens = std::min(newer ? *newer : older.value_or(served.most_tokens), context - size);
  const bool logprobs = fields.boolean("logprobs").value_or(false);
  const std::optional<int64_t> top = fields.integer("top_logprobs", 0, most_logprobs);
  if (top && !logprobs) refuse_param("top_logprobs", "needs logprobs: true");
  if (logprobs) request.top_logprobs = top.value_or(0);
  const json text_alone = {{"type", "text"}};
  fields.refuse_but("response_format", {text_alone});
  fields.refuse_but("modalities", {json::array({"text"})});
  fields.refuse_but("tools", {json::array()});
  fields.refuse_but("tool_choice", {"none", "auto"});
  fields.refuse_but("parallel_tool_calls", {true, false});  // of which there are none
  fields.refuse_but("functions", {json::array()});
  for (const char* const name :
       {"function_call", "audio", "prediction", "reasoning_effort", "verbosity", "web_search_options"})
    fields.refuse_but(name, {});
}

void read_completion(const ServedModel& served, RequestFields& fields, CompletionRequest& request) {
  const json* const prompt = fields.take("prompt");
  if (!prompt) refuse_param("prompt", "is needed");
  request.prompts = prompts_of(served, *prompt);
  if (std::ssize(request.prompts) > served.most_texts / request.n)
    refuse_param("n", "makes ", request.prompts.size(), " x ", request.n, " texts, more than the ",
                 served.most_texts, " that may wait here");
  request.tokens =
      fields.integer("max_tokens", 0, served.most_tokens).value_or(std::min<int64_t>(16, served.most_tokens));
  request.top_logprobs = fields.integer("logprobs", 0, most_logprobs);
  request.echo = fields.boolean("echo").value_or(false);
  if (request.echo && request.top_logprobs && request.stream)
    refuse_param("echo", "with logprobs is served whole; leave out stream");
  if (request.echo && served.model.answers())
    refuse_param("echo", "is not for a model that answers what it reads");
  fields.refuse_but("suffix", {""});
  fields.refuse_but("best_of", {request.n});
}

}  // namespace

CompletionRequest completion_request(const ServedModel& served, const std::string& body, bool chat) {
  json root;
  try {
    root = parse_json_object(body, "the body", body.size());
  } catch (const FileError& error) {
    throw ApiError({}, error.what());
  }
  RequestFields fields(root);
  check_model(served, fields);
  CompletionRequest request;
  request.chat = chat;
  read_common(served, fields, request);
  if (chat)
    read_chat(served, fields, request);
  else
    read_completion(served, fields, request);
  fields.refuse_others();
  return request;
}

}  // namespace weft::tools
