#include <weft/data/text/data_files.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>
#include <weft/train/files/run_paths.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace weft {
namespace {

namespace fs = std::filesystem;

/// How many folders up is near.
constexpr int most_up = 2;
constexpr size_t most_named = 20;

/// Without links, as far as it is there.
fs::path real(const fs::path& path) {
  std::error_code error;
  const fs::path found = fs::weakly_canonical(path, error);
  return error ? fs::absolute(path).lexically_normal() : found;
}

/// Does it to each of files that are read side by side.
template <class Do>
std::string to_each(const std::string& path, Do one) {
  std::string all;
  bool first = true;
  for (const std::string& part : parallel_files(path)) {
    all += str(first ? "" : ",", part.empty() ? "" : one(part));  // for who reads it to refuse
    first = false;
  }
  return all;
}

bool are_there(const std::string& path) { return std::ranges::all_of(parallel_files(path), names_data); }

/// What lies at the end of `path` below a folder above the run: the longest end that is there, nearest first.
fs::path found_again(const fs::path& path, const fs::path& run) {
  for (fs::path above = run; above.has_relative_path(); above = above.parent_path()) {
    fs::path end;
    std::vector<fs::path> ends;
    for (fs::path rest = path; rest.has_relative_path(); rest = rest.parent_path()) {
      end = end.empty() ? rest.filename() : rest.filename() / end;
      ends.push_back(end);
    }
    const auto there = std::find_if(ends.rbegin(), ends.rend(),
                                    [&](const fs::path& one) { return names_data((above / one).string()); });
    if (there != ends.rend()) return above / *there;
  }
  return {};
}

}  // namespace

std::string absolute_path(const std::string& path) {
  return to_each(path, [](const std::string& one) {
    const fs::path whole = fs::absolute(one).lexically_normal();
    return (whole.has_filename() || !whole.has_relative_path() ? whole : whole.parent_path()).string();
  });
}

namespace {

std::string one_path_from(const std::string& folder, const std::string& path) {
  const fs::path whole = fs::absolute(path).lexically_normal();
  fs::path from = real(folder);
  // A link to the file itself lies where it lies.
  const fs::path near = (real(whole.parent_path()) / whole.filename()).lexically_relative(from);
  const auto up = std::count(near.begin(), near.end(), fs::path(".."));
  for (auto i = up; i > 0; --i) from = from.parent_path();
  return near.empty() || up > most_up || !from.has_relative_path() ? whole.string() : near.string();
}

std::string one_path_at(const std::string& folder, const std::string& path) {
  return fs::path(path).is_absolute() ? path : (real(folder) / path).lexically_normal().string();
}

}  // namespace

std::string path_from(const std::string& folder, const std::string& path) {
  return to_each(path, [&](const std::string& one) { return one_path_from(folder, one); });
}

std::string path_at(const std::string& folder, const std::string& path) {
  const std::string whole = one_path_at(folder, path);
  if (names_data(whole)) return whole;
  return to_each(path, [&](const std::string& one) { return one_path_at(folder, one); });
}

std::vector<std::string> data_found(const RunFolder& run, const std::vector<std::string>& data,
                                    const std::string& option, bool checked, const Say& say) {
  std::vector<std::string> found;
  std::string first, files;
  for (const std::string& path : data) {
    found.push_back(are_there(path) ? path : to_each(path, [&](const std::string& one) {
      return names_data(one) ? one : found_again(one, real(run.path)).string();
    }));
    if (!are_there(found.back())) found.back().clear();
    if (found.back() != path && first.empty()) first = path;
    if (found.size() <= most_named) files += " " + weft::quoted(found.back());
  }
  if (found.size() > most_named) files += str(" ... (", found.size(), " in all)");
  if (first.empty()) return data;
  const bool all = std::ranges::count(found, "") == 0;
  if (!all || !checked)
    fail<FileError>(first, ": is not there, where ", run.config(), " says that the text of the run lies; ",
                    all ? str("there is ", option, files) : str(option, " FILE tells where it lies now"));
  say(str(first, " is not there; read instead:", files));
  return found;
}

}  // namespace weft
