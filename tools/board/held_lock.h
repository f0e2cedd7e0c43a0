// Whether somebody works in the folder of a run.
#pragma once

#include <optional>
#include <string>

namespace weft::tools {

/// Whether a process holds the lock of this file (flock), as the system lists it: nothing is taken, so that nobody is kept
/// out meanwhile. Nothing where that cannot be told: there is no such file, or no such list. Of a process of another
/// machine or container the list knows nothing.
std::optional<bool> is_lock_held(const std::string& path);

}  // namespace weft::tools
