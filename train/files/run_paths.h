// Where a run's text lies, told so that a project may be moved as a whole.
//
// config.toml names what lies near its run from there, ["../../text.txt"] with paths_from = "here", and all else from
// the root of the file system. Near is below the folder that holds the run, or the one above (runs/NAME and text.txt in
// one folder, say). Links are followed first, so that ".." means what it means to the system.
#pragma once

#include <weft/train/files/run_folder.h>
#include <weft/train/run_config.h>

#include <string>
#include <vector>

namespace weft {

/// From the root, without the slash behind a folder. Here and below, of files that are read side by side ("a.en,a.fr")
/// each.
std::string absolute_path(const std::string& path);
/// `path` as a file in `folder` names it: from there where it is near, else as an absolute path.
std::string path_from(const std::string& folder, const std::string& path);
/// What a file in `folder` means by such a path.
std::string path_at(const std::string& folder, const std::string& path);

/// The run's files, which its config.toml names: `data`, or, where some are gone, what lies by the run as those lay by
/// their project. That is taken, and `say` told, if `checked`, since the caller will compare the content; else, and where
/// there is nothing, FileError that names the first, and what to type: `option` ("--data") with the paths.
std::vector<std::string> data_found(const RunFolder& run, const std::vector<std::string>& data,
                                    const std::string& option, bool checked, const Say& say);

}  // namespace weft
