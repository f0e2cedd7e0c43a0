// How well a model does a generated task, in the task's own terms.
#pragma once

#include <weft/data/tasks/task.h>
#include <weft/layers/models/model.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace weft {

struct Score {
  std::string name;  ///< "loss", "perplexity", and those of TaskDataset::scores()
  double value = 0;
};

/// The scores over samples 0 .. samples - 1, `batch_size` at a time; answers are written greedily. `each`,
/// called before every batch with the number of samples done, may throw to stop.
std::vector<Score> score(Model& model, const TaskDataset& task, int64_t samples, int64_t batch_size,
                         const std::function<void(int64_t done)>& each);

/// The most tokens of an answer to a row of such a batch: what runs on is wrong in any case.
int64_t longest_answer(const TaskDataset& task, const Batch& batch);

/// What the model says to row `row` of a batch, as text.
std::string answer_of(Model& model, const TaskDataset& task, const Batch& batch, int64_t row);

}  // namespace weft
