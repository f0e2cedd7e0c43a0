#include <weft/data/tasks/table_task.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace weft {
namespace {

using Ids = std::vector<int64_t>;
using Texts = std::vector<std::string>;

Texts as_they_are(Fields fields) {
  Texts texts;
  for (const std::string_view field : fields) texts.emplace_back(field);
  return texts;
}

TokenTask::Sample framed_text(const Tokenizer& tokenizer, const SpecialIds& special,
                              std::span<const std::string> texts) {
  return {framed(tokenizer, texts[0], special), {}};
}

TokenTask::Sample pair_of(const Tokenizer& tokenizer, const SpecialIds& special,
                          std::span<const std::string> texts) {
  return {with_end(tokenizer, texts[0], special.end), with_end(tokenizer, texts[1], special.end)};
}

/// "prefix: source".
Texts prefixed(Fields fields) {
  const std::string_view prefix = fields[0];
  return {str(prefix,
              prefix.empty()          ? ""
              : prefix.ends_with(':') ? " "
                                      : ": ",
              fields[1]),
          std::string(fields[2])};
}

/// How messages about a turn begin: "turn 2: ".
std::string turn_number(size_t from_zero) { return str("turn ", from_zero + 1, ": "); }

/// The one name for what data sets call a side.
std::string role_named(const std::string& given, const std::string& where) {
  if (given == "user" || given == "human") return "user";
  if (given == "assistant" || given == "gpt" || given == "model") return "assistant";
  if (given == "system") return "system";
  fail<ValueError>(where, "the role '", given,
                   "' is none of system, user (human) and assistant (gpt, model)");
}

std::string member(const nlohmann::json& turn, std::initializer_list<const char*> names,
                   const std::string& where) {
  for (const char* const name : names)
    if (const auto found = turn.find(name); found != turn.end() && found->is_string())
      return found->get<std::string>();
  fail<ValueError>(where, "needs the texts 'role' and 'content' (or 'from' and 'value')");
}

/// Roles and contents by turns.
Texts turns_of(Fields fields) {
  Texts turns;
  if (fields.size() > 1) {
    std::string asked(fields[0]);
    for (size_t i = 1; i + 1 < fields.size(); ++i)
      if (!fields[i].empty()) asked += str(asked.empty() ? "" : "\n", fields[i]);
    turns = {"user", asked, "assistant", std::string(fields.back())};
  } else {
    const nlohmann::json list = nlohmann::json::parse(fields[0], nullptr, false);
    if (!list.is_array() || list.empty())
      fail<ValueError>("needs a list of turns, [{\"role\": \"user\", \"content\": \"...\"}, ...]");
    for (const nlohmann::json& turn : list) {
      const std::string where = turn_number(turns.size() / 2);
      if (!turn.is_object()) fail<ValueError>(where, "is no object with 'role' and 'content'");
      turns.push_back(role_named(member(turn, {"role", "from"}, where), where));
      turns.push_back(member(turn, {"content", "value"}, where));
    }
  }
  bool answers = false;
  for (size_t i = 0; i < turns.size(); i += 2) {
    if (turns[i + 1].empty()) fail<ValueError>(turn_number(i / 2), "that of the ", turns[i], " is empty");
    answers = answers || turns[i] == "assistant";
  }
  if (!answers) fail<ValueError>("no turn of the assistant, so that there is nothing to learn");
  return turns;
}

TokenTask::Sample conversation(const Tokenizer& tokenizer, const SpecialIds& special,
                               std::span<const std::string> turns) {
  const std::map<std::string, int64_t> marks = tokenizer.special_tokens();
  Ids ids, wanted;
  for (size_t i = 0; i < turns.size(); i += 2) {
    const bool answer = turns[i] == "assistant";
    ids.push_back(marks.at(str("<|", turns[i], "|>")));
    wanted.push_back(Batch::ignored);
    for (const int64_t id : with_end(tokenizer, turns[i + 1], special.end)) {
      ids.push_back(id);
      wanted.push_back(answer ? id : Batch::ignored);
    }
  }
  ids.pop_back();
  wanted.erase(wanted.begin());
  return {std::move(ids), std::move(wanted)};
}

const std::vector<TableForm>& forms() {
  static const std::vector<TableForm> all = {
      {.name = "classify",
       .kind = TaskKind::classification,
       .special = {"<pad>", "<cls>", "<sep>", "<mask>"},
       .scores = {"accuracy", "f1"},
       .has_label = true,
       .cuts = true,
       .texts = as_they_are,
       .sample = framed_text},
      {.name = "masked",
       .kind = TaskKind::masked,
       .special = {"<pad>", "<cls>", "<sep>", "<mask>"},
       .scores = {"perplexity", "accuracy"},
       .cuts = true,
       .texts = as_they_are,
       .sample = framed_text},
      {.name = "pairs",
       .kind = TaskKind::pairs,
       .special = {"<pad>", "<s>", "</s>"},
       .scores = {"bleu", "chrf", "exact_match"},
       .asks = true,
       .texts = as_they_are,
       .sample = pair_of},
      {.name = "text-to-text",
       .kind = TaskKind::pairs,
       .special = {"<pad>", "<s>", "</s>"},
       .scores = {"exact_match", "bleu", "chrf"},
       .asks = true,
       .texts = prefixed,
       .sample = pair_of},
      {.name = "chat",
       .kind = TaskKind::language,
       .special = {"<pad>", "</s>", "<|system|>", "<|user|>", "<|assistant|>"},
       .scores = {"exact_match", "accuracy"},
       .has_turns = true,
       .asks = true,
       .texts = turns_of,
       .sample = conversation}};
  return all;
}

}  // namespace

const TableForm& table_form(const std::string& task) {
  const auto found = std::ranges::find(forms(), task, &TableForm::name);
  if (found == forms().end()) fail<ValueError>("the task ", task, " reads no tables");
  return *found;
}

}  // namespace weft
