// The turns of a chat as a model that was trained to chat reads them (the form "chat" of data/tasks/table_task.h).
#pragma once

#include <weft/tools/writing/writing_model.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace weft::tools {

class ChatTurns {
 public:
  /// Of a model that must outlive them; none for one that was not trained to chat.
  static std::optional<ChatTurns> of(const WritingModel& model);

  /// <|role|> text </s>. ValueError, which begins with the role, for a text that the tokenizer does not know.
  std::vector<int64_t> turn(const std::string& role, const std::string& text) const;
  /// <|role|>, of "system", "user" or "assistant".
  int64_t mark(const std::string& role) const { return marks_.at("<|" + role + "|>"); }
  /// Ends a turn.
  int64_t end() const { return end_; }
  /// Special tokens, in rising order: none of what is said. An answer ends with the first, since a mark begins what somebody
  /// else says.
  const std::vector<int64_t>& unsaid() const { return unsaid_; }

 private:
  const ModelFile* file_ = nullptr;
  std::map<std::string, int64_t> marks_;
  int64_t end_ = -1;
  std::vector<int64_t> unsaid_;
};

}  // namespace weft::tools
