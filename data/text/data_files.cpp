#include <glob.h>
#include <weft/data/text/data_files.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>

namespace weft {
namespace {

namespace fs = std::filesystem;

bool is_pattern(const std::string& path) { return path.find_first_of("*?[") != std::string::npos; }

std::vector<std::string> matching(const std::string& pattern) {
  glob_t found{};
  const int result = ::glob(pattern.c_str(), GLOB_NOSORT, nullptr, &found);
  std::vector<std::string> paths;
  if (result == 0) paths.assign(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  if (result != 0 && result != GLOB_NOMATCH) fail<FileError>(pattern, ": cannot be looked up");
  std::ranges::sort(paths);
  return paths;
}

void add_below(const std::string& folder, std::vector<std::string>& to) {
  for (const std::string& name : names_in(folder)) {
    if (name.starts_with('.')) continue;
    const std::string path = (fs::path(folder) / name).string();
    std::error_code error;
    if (fs::is_directory(path, error))
      add_below(path, to);
    else
      to.push_back(path);
  }
}

}  // namespace

std::vector<std::string> data_files(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code error;
    const size_t before = files.size();
    const bool folder = fs::is_directory(path, error), pattern = !fs::exists(path, error) && is_pattern(path);
    if (folder) {
      add_below(path, files);
      std::sort(files.begin() + static_cast<std::ptrdiff_t>(before), files.end());
    } else if (pattern) {
      for (const std::string& found : matching(path))
        if (!fs::is_directory(found, error)) files.push_back(found);
    } else {
      files.push_back(path);
    }
    if (files.size() == before)
      fail<FileError>(path, folder ? ": is a folder without a file" : ": matches no file");
  }
  return files;
}

bool names_data(const std::string& path) {
  std::error_code error;
  if (fs::exists(path, error) || (is_pattern(path) && !matching(path).empty())) return true;
  const WeightedPath weighted = weighted_path(path);
  return weighted.weight && names_data(weighted.path);
}

WeightedPath weighted_path(const std::string& typed) {
  std::error_code error;
  const size_t colon = typed.rfind(':');
  if (colon == std::string::npos || colon == 0 || fs::exists(typed, error)) return {typed};
  const std::string number = typed.substr(colon + 1);
  if (number.empty() || number.find_first_not_of("0123456789.") != std::string::npos ||
      std::count(number.begin(), number.end(), '.') > 1 || number == ".")
    return {typed};
  double weight = 0;
  std::from_chars(number.data(), number.data() + number.size(), weight);
  if (!(weight > 0) || weight > 1e9)
    fail<ValueError>(typed, ": the weight behind the colon must be above 0 and at most 1e9");
  return {typed.substr(0, colon), weight};
}

std::vector<std::string> without_weights(const std::vector<std::string>& typed) {
  std::vector<std::string> paths;
  for (const std::string& one : typed) paths.push_back(weighted_path(one).path);
  return paths;
}

std::vector<std::string> parallel_files(const std::string& path) {
  if (names_data(path)) return {path};
  std::vector<std::string> parts{{}};
  for (const char c : path)
    if (c == ',')
      parts.emplace_back();
    else
      parts.back() += c;
  return parts;
}

}  // namespace weft
