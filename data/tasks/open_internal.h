// How tasks are opened, for registry.cpp.
#pragma once

#include <weft/data/tasks/registry.h>

namespace weft {

/// Windows of request.data, of settings "block_size"; the first nine tenths train. FileError, ValueError as
/// tokenize_files and the datasets throw them.
TaskData open_text(const TaskRequest& request);

/// A task that makes its samples as they are needed. ValueError as TaskEntry::generate, and for data that it does not
/// read.
TaskData open_generated(const TaskEntry& entry, const TaskRequest& request);

}  // namespace weft
