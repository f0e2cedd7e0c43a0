// Files and folders that are given for a model of ours and are none: texts, pictures, models of other programs.
#pragma once

#include <string>

namespace weft {

/// FileError, with advice how a model, or a use, is made of it, for what is known to be something else.
void refuse_foreign_model(const std::string& path);

}  // namespace weft
