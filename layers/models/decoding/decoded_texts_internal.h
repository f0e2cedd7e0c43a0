// Texts that a model goes on with, together: what generation and beam search have in common.
#pragma once

#include <weft/layers/models/model.h>

#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace weft {

/// Row i is a text: the prompt, or the start of an answer to it, and what was added. `what` begins the
/// errors.
class DecodedTexts {
 public:
  DecodedTexts(const char* what, const GenerativeModel& model,
               const std::vector<std::vector<int64_t>>& prompts);
  /// Answers to the rows of what an encoder-decoder reads. Both must outlive the texts.
  DecodedTexts(const char* what, const GenerativeModel& model, const Batch& source);

  int64_t rows() const { return static_cast<int64_t>(texts_.size()); }
  const std::vector<int64_t>& text(int64_t row) const { return texts_[static_cast<size_t>(row)]; }
  /// Lets the model read what it has not read of each text.
  void read();
  /// What it says to row `row` since the last read(): V values.
  std::span<const float> logits(int64_t row) const;
  /// Row i becomes what row rows[i] was, and tokens[i] behind it, for all i.
  void append(std::span<const int64_t> rows, std::span<const int64_t> tokens);

 private:
  /// Rows that share a state. A row whose context is full leaves it.
  struct Group {
    std::unique_ptr<DecoderState> state;
    std::vector<int64_t> rows;                 ///< which row of ours each of the state's is
    std::vector<std::vector<int64_t>> unread;  ///< what each is to read next
    Array logits{};                            ///< float32 (rows, V)
  };

  /// Rows of what an encoder-decoder reads.
  using Sources = std::function<Batch(std::span<const size_t> prompts)>;
  DecodedTexts(const GenerativeModel& model, std::vector<std::vector<int64_t>> texts, Sources sources);
  void start_group(std::vector<int64_t> rows, int64_t most_tokens);

  const GenerativeModel& model_;
  const int64_t context_;
  Sources sources_;
  std::vector<std::vector<int64_t>> texts_;
  std::vector<size_t> prompt_of_;
  std::vector<Group> groups_;
  std::vector<std::pair<size_t, size_t>> places_;  ///< of each row: its group, and its row there
};

}  // namespace weft
