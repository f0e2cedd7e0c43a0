// The tasks of data/task.h, whose samples are made as they are needed.
#pragma once

#include "task.h"

namespace weft {

/// config.task, with config.samples samples for training. ValueError as weft::make_task throws it, and for
/// data that the task does not read.
Task generated_task(const Config& config, const TaskSource& source);

}  // namespace weft
