// How much memory a run will take, found by a dry run of its parts before it begins.
#pragma once

#include <weft/data/tasks/task_data.h>
#include <weft/train/lora_run.h>
#include <weft/train/run_config.h>

#include <cstdint>
#include <string>
#include <vector>

namespace weft {

/// Bytes in RAM, at the highest: what `time -v` calls the maximum resident set size is never more.
struct MemoryPlan {
  int64_t program = 0;  ///< what is there already, and what threads and libraries will add; their files too
  int64_t weights = 0;  ///< with the optimizer's state
  int64_t update = 0;   ///< gradients, activations and scratch, of evaluation and samples too
  int64_t checkpoint = 0;  ///< the file, which is made in memory, and what libhdf5 takes for it
  int64_t loading = 0;     ///< all together before the first update: reading the text, checkpoints
  int64_t available = 0;   ///< of the machine and of the limits of this process, before the run

  int64_t most() const;
  /// Of buffers, cached ones too: what bound_cached() is to be told.
  int64_t buffers() const { return weights + update; }
};

/// For a configuration whose task is open, before there is a model, and a profile of so many updates. Nothing of the run
/// changes. MemoryError, with the amounts and the keys to lower, when the run would take more than there is.
/// With adapters, the model's `own` parts are trained beside; ValueError where a layer's adapter would not be, as the model
/// uses its weight without calling it.
MemoryPlan plan_memory(const RunConfig& config, const TaskData& task, int64_t profiled = 0,
                       const OwnParts& own = {});

/// Settings for which that has room, where it was refused for `config`: the same samples an update in smaller micro-batches,
/// or, where not even one sample has room, a smaller model. Empty when there are none.
std::vector<std::string> settings_with_room(RunConfig config, const TaskData& task, int64_t profiled = 0,
                                            const OwnParts& own = {});

/// plan_memory(), whose refusal ends with settings that have room.
MemoryPlan plan_with_advice(const RunConfig& config, const TaskData& task, int64_t profiled = 0,
                            const OwnParts& own = {});

/// "memory: at most 54.4 MB (...); 22.1 GB are available".
std::string describe(const MemoryPlan& plan);

}  // namespace weft
