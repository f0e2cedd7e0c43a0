// What is there instead of a file or a run that is not: what a user mistyped, or forgot.
#pragma once

#include <weft/lib/base/error.h>

#include <string>
#include <vector>

namespace weft {

/// Runs in a folder, and files of models, by path; the newest first. Empty where there is no such folder.
std::vector<std::string> models_in(const std::string& folder);

/// FileError, with advice, about a path at which no model is: it names those that lie near, and how one is made.
[[noreturn]] void fail_without_model(const std::string& path);
/// ValueError, with advice, about a run that was given no text.
[[noreturn]] void fail_without_data();
/// FileError, with advice, unless there is something at each of the paths that `option` ("--data") names. Of folders and
/// patterns their reader says what they lack.
void check_files_there(const std::string& option, const std::vector<std::string>& paths);
/// The same error with advice where a run may lie that cannot lie at `path`: beside it, in runs/, or where files are
/// temporary. One that has advice stays as it is.
[[noreturn]] void fail_elsewhere(const std::string& path, const FileError& error);

}  // namespace weft
