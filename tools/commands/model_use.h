// What a model is for, told where it was given to a command that can do nothing with it.
#pragma once

#include <weft/lib/base/advice.h>
#include <weft/train/files/opened_model.h>

#include <string>

namespace weft::tools {

/// The command that uses the model, which was called `typed`.
Advice use_of(const OpenedModel& opened, const std::string& typed);

}  // namespace weft::tools
