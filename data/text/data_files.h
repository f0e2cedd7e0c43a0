// The files that a user names: one by one, by a folder, or by a pattern.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace weft {

/// A file stands for itself; a folder for all files in it and below, but for those whose names begin with a dot; what is
/// neither, and holds *, ? or [, for the files it matches as a shell's pattern does. Each folder's and pattern's in the
/// order of their paths' bytes. FileError for a folder or pattern without a file, and for one that cannot be read; a path
/// that is nothing stays, for its reader to refuse.
std::vector<std::string> data_files(const std::vector<std::string>& paths);

/// Whether it names something that is there: a file, a folder, or a pattern that matches; with a weight or without.
bool names_data(const std::string& path);

/// A path, and how often what it names is to be read beside others: "a.txt:3".
struct WeightedPath {
  std::string path;
  std::optional<double> weight = {};
};
/// A number behind the last colon is a weight unless a file of that whole name is there. ValueError for one that is not
/// above 0.
WeightedPath weighted_path(const std::string& typed);
/// The paths alone.
std::vector<std::string> without_weights(const std::vector<std::string>& typed);

/// Files that are read side by side: "a.en,a.fr", which is no file itself, is two; anything else is one.
std::vector<std::string> parallel_files(const std::string& path);

}  // namespace weft
