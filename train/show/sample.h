// What a run shows of itself at each evaluation.
#pragma once

#include <weft/data/tasks/task_data.h>
#include <weft/layers/models/model.h>

#include <cstdint>
#include <string>

namespace weft {

struct SampleOptions {
  int64_t tokens = 100;  ///< 0: none
  uint64_t seed = 1337;
  int64_t number = 0;  ///< of a generated task: which of the samples that were kept from training
};

/// Of a language model, text it writes; of a generated task, a sample that was kept from training: what is read, what
/// is right ("-> "), and what the model says ("=> "), a line each. Empty for what does not write, and for no tokens. Ends early when a signal asks
/// for a stop.
std::string sample_text(Model& model, const TaskData& task, const SampleOptions& options);

}  // namespace weft
