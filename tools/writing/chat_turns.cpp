#include <weft/data/tasks/table_task.h>
#include <weft/tools/commands/model_input.h>
#include <weft/tools/writing/chat_turns.h>

namespace weft::tools {

std::optional<ChatTurns> ChatTurns::of(const WritingModel& model) {
  if (!model.tokenizer || !model.writer || model.answers() || !has_turns(*model.tokenizer))
    return std::nullopt;
  ChatTurns turns;
  turns.file_ = &model.file.checkpoint.model;
  turns.marks_ = model.tokenizer->special_tokens();
  turns.end_ = SpecialIds::of(*model.tokenizer).end;
  turns.unsaid_ = special_ids(*model.tokenizer);
  return turns;
}

std::vector<int64_t> ChatTurns::turn(const std::string& role, const std::string& text) const {
  std::vector<int64_t> turn{mark(role)};
  const std::vector<int64_t> said = ids_of_text(*file_, role, text);
  turn.insert(turn.end(), said.begin(), said.end());
  turn.push_back(end_);
  return turn;
}

}  // namespace weft::tools
