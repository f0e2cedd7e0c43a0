// Texts that a model goes on with, together: what generation and beam search have in common.
#pragma once

#include <weft/layers/models/model.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace weft {

/// Row i is a text: the prompt, or the start of an answer to it, and what was added. `what` begins the
/// errors.
class DecodedTexts {
 public:
  static constexpr int64_t unlimited = std::numeric_limits<int64_t>::max();

  DecodedTexts(const char* what, const GenerativeModel& model,
               const std::vector<std::vector<int64_t>>& prompts = {});
  /// Answers to the rows of what an encoder-decoder reads. Both must outlive the texts.
  DecodedTexts(const char* what, const GenerativeModel& model, const Batch& source);

  /// New rows behind those that are there. Not beside the rows of a batch.
  void add(const std::vector<std::vector<int64_t>>& prompts);

  int64_t rows() const { return std::ssize(rows_); }
  const std::vector<int64_t>& text(int64_t row) const { return rows_[static_cast<size_t>(row)].text; }
  /// Lets the model read what it has not read of each text: of those that go on, the last token; of prompts, and of texts that
  /// begin anew since their context was full, together about `most` tokens, the first rows first. Without a limit, all.
  void read(int64_t most = unlimited);
  /// Whether all of a row was read.
  bool is_read(int64_t row) const { return rows_[static_cast<size_t>(row)].unread.empty(); }
  /// What the model says to row `row`, which was read: V values.
  std::span<const float> logits(int64_t row) const;
  /// Row i becomes what row rows[i] was, and tokens[i] behind it, for all i. A row that was not read has the token
  /// `none`, and stays as it is.
  void append(std::span<const int64_t> rows, std::span<const int64_t> tokens);
  static constexpr int64_t none = -1;

 private:
  /// What an encoder-decoder answers: ids, or a row of the batch.
  struct Source {
    std::vector<int64_t> ids;
    size_t row = 0;
  };
  struct Row {
    std::vector<int64_t> text, unread;
    std::shared_ptr<const Source> source;
    std::optional<std::pair<size_t, int64_t>>
        place{};  ///< its group and its row there; none before it is read
  };
  /// Rows that share a state. A row whose context is full leaves it.
  struct Group {
    std::unique_ptr<DecoderState> state;
    std::vector<size_t> rows;  ///< which row of ours each of the state's is
    Array logits{};            ///< float32 (rows, V)
  };

  void begin(Row& row, int64_t most_tokens) const;
  /// Tokens that the model is to read before it writes the next.
  int64_t cost_of(const Row& row) const;
  int64_t cost_of(const Group& group) const;
  void read_group(Group& group, int64_t most);
  std::vector<size_t> next_to_start(int64_t most) const;
  void start_group(const std::vector<size_t>& rows);
  Batch sources_of(const std::vector<size_t>& rows) const;
  void join_groups();

  const char* const what_;
  const GenerativeModel& model_;
  const int64_t context_;
  const Batch* const batch_;
  std::vector<Row> rows_;
  std::vector<Group> groups_;
};

}  // namespace weft
