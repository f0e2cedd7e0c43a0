// The task of a language model on text files.
#pragma once

#include "task.h"

namespace weft {

/// Windows of config.data; the first nine tenths train. FileError, ValueError as tokenize_files and the
/// datasets throw them.
Task text_task(const Config& config, const TaskSource& source);

/// The digest of the files, without reading them as text.
std::string text_digest(const Config& config);

}  // namespace weft
