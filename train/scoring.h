// How well a model does a task, in the task's own terms.
#pragma once

#include <weft/data/scores/scores.h>
#include <weft/data/tasks/task.h>
#include <weft/layers/models/model.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace weft {

struct Score {
  std::string name;  ///< "loss", "perplexity", and those of TaskDataset::scores()
  double value = 0;
};

/// One sample.
struct RowScore {
  double loss = 0;          ///< the sum over its targets
  int64_t tokens = 0;       ///< targets
  std::string target;       ///< what is right, as text
  std::string answer;       ///< what the model says; of a chat a line each
  double probability = -1;  ///< of the class that it takes; -1 where tokens are the answer
};

struct TaskScores {
  std::vector<Score> scores;
  std::optional<Confusion> confusion;  ///< of classes
  int64_t tokens = 0;                  ///< targets in all
};

struct ScoringOptions {
  int64_t batch_size = 32;  ///< nothing depends on it
  int64_t beams = 0;        ///< of answers that are written; 0: greedily
  /// Called before every batch with the number of samples done; may throw to stop.
  std::function<void(int64_t done)> each = nullptr;
  /// Takes each sample by its number.
  std::function<void(int64_t sample, const RowScore& score)> row = nullptr;
};

/// The scores over samples 0 .. samples - 1.
TaskScores score(Model& model, const TaskDataset& task, int64_t samples, const ScoringOptions& options);

/// exp of the mean loss of tokens of which each is hidden alone (Salazar et al., "Masked Language Model Scoring", ACL 2020),
/// over samples 0 .. samples - 1 of a masked task that are read whole.
double pseudo_perplexity(Model& model, const TaskDataset& task, int64_t samples,
                         const std::function<void(int64_t done)>& each = nullptr);

/// The most tokens of an answer to a row of such a batch: what runs on is wrong in any case.
int64_t longest_answer(const TaskDataset& task, const Batch& batch);

/// What the model says to row `row` of a batch, as text.
std::string answer_of(Model& model, const TaskDataset& task, const Batch& batch, int64_t row);

}  // namespace weft
