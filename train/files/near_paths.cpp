#include <unistd.h>
#include <weft/data/text/data_files.h>
#include <weft/data/text/foreign_file.h>
#include <weft/lib/base/advice.h>
#include <weft/lib/base/join.h>
#include <weft/lib/base/values.h>
#include <weft/train/files/near_paths.h>
#include <weft/train/files/run_folder.h>
#include <weft/train/show/console.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr size_t most_named = 6;

bool is_pattern(const std::string& path) { return path.find_first_of("*?[") != std::string::npos; }

/// "runs/": the names in it as they are typed.
fs::path folder_of(const std::string& path) { return fs::path(path).parent_path(); }

/// Paths of what is in a folder, but for hidden names; none where it cannot be read.
std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> all;
  std::error_code error;
  for (fs::directory_iterator at(folder.empty() ? "." : folder, error);
       !error && at != fs::directory_iterator(); at.increment(error)) {
    const fs::path name = at->path().filename();
    if (!name.string().starts_with('.')) all.push_back(folder / name);
  }
  std::ranges::sort(all);
  return all;
}

bool is_model(const fs::path& path) {
  try {
    std::error_code error;
    return fs::is_directory(path, error) ? RunFolder{path.string()}.holds_run() : path.extension() == ".h5";
  } catch (const FileError&) {
    return false;
  }
}

std::string names_of(const std::vector<std::string>& paths) {
  const auto count = std::min(paths.size(), most_named);
  return str(joined(std::vector(paths.begin(), paths.begin() + static_cast<std::ptrdiff_t>(count))),
             paths.size() > count ? ", ..." : "");
}

/// The path in place of one that is not there, whose last name is nearest; empty where none is. What both end with, .txt
/// say, makes no name near.
std::string nearest_of(const std::string& typed, const std::vector<std::string>& there) {
  const fs::path path = typed;
  std::vector<std::string> names;
  for (const std::string& one : there)
    names.push_back(
        (fs::path(one).extension() == path.extension() ? fs::path(one).stem() : fs::path(one).filename())
            .string());
  std::string near = nearest(path.stem().string(), names.data(), names.data() + names.size());
  if (near.empty()) near = nearest(path.filename().string(), names.data(), names.data() + names.size());
  const auto found = near.empty() ? names.end() : std::ranges::find(names, near);
  return found == names.end() ? "" : there[static_cast<size_t>(found - names.begin())];
}

/// How a first model comes to be, where there is none.
std::vector<std::string> first_steps() {
  return {str(program_name(), " stories --bytes 1000000 --seed 1 --out stories.txt"),
          str(program_name(), " train --data stories.txt")};
}

}  // namespace

std::vector<std::string> models_in(const std::string& folder) {
  std::vector<std::pair<fs::file_time_type, std::string>> found;
  for (const fs::path& path : entries_of(folder)) {
    std::error_code error;
    if (is_model(path)) found.emplace_back(fs::last_write_time(path, error), path.string());
  }
  std::ranges::sort(found, std::greater<>());
  std::vector<std::string> paths;
  for (auto& [time, path] : found) paths.push_back(std::move(path));
  return paths;
}

void fail_without_model(const std::string& typed) {
  std::string path = typed;
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  std::error_code error;
  const bool is_folder = fs::is_directory(path, error);
  const std::string what = is_folder ? ": holds no run: it has no config.toml and no checkpoint"
                                     : ": there is no such run or file";
  // In the folder that was given instead of a run, beside what is not there, or where runs are by themselves.
  std::vector<std::string> there = models_in(is_folder ? path : folder_of(path).string());
  std::string meant = is_folder ? (there.empty() ? "" : there[0]) : nearest_of(path, there);
  if (meant.empty()) {
    const std::vector<std::string> runs = models_in("runs");
    if (!runs.empty()) there = runs;
    meant = nearest_of(path, runs);
    if (meant.empty() && !there.empty()) meant = there[0];
  }
  if (there.empty())
    fail_with<FileError>({.lines = first_steps()}, typed, what, "; ", program_name(), " train makes one");
  fail_with<FileError>({.typed = {typed}, .meant = {meant}}, typed, what, "; there ",
                       there.size() == 1 ? "is " : "are ", names_of(there));
}

namespace {

bool may_be_text(const std::string& path) {
  try {
    const std::string begin = beginning_of(path);
    return !begin.empty() && looks_like_text(begin) && !foreign_file(begin, path);
  } catch (const Error&) {
    return false;
  }
}

/// The largest here, likely to be meant to be trained on; empty where there is none.
std::string largest_text() {
  std::vector<std::pair<uintmax_t, std::string>> texts;
  std::error_code error;
  for (const fs::path& path : entries_of({}))
    if (path.extension() == ".txt" && fs::is_regular_file(path, error) && may_be_text(path.string()))
      texts.emplace_back(fs::file_size(path, error), path.string());
  return texts.empty() ? "" : std::ranges::max(texts).second;
}

}  // namespace

void fail_without_data() {
  const std::string text = largest_text();
  Advice advice{.lines = first_steps()};
  if (!text.empty()) advice = {.more = {"--data", text}};
  fail_with<ValueError>(
      std::move(advice),
      "no text to train on: give --data FILE, or a --config that names it, or a --task that "
      "makes its own samples",
      text.empty() ? "; here is a text to try:" : "");
}

namespace {

[[noreturn]] void fail_without_file(const std::string& option, const std::string& path) {
  std::vector<std::string> there;
  for (const fs::path& one : entries_of(folder_of(path))) there.push_back(one.string());
  const std::string near = nearest_of(path, there);
  Advice advice{.typed = {path}, .meant = {near}};
  const fs::path extension = fs::path(path).extension();
  const std::string text = extension.empty() || extension == ".txt" ? largest_text() : "";
  if (near.empty() && !text.empty()) advice.meant = {text};
  if (near.empty() && text.empty()) advice = option == "--data" ? Advice{.lines = first_steps()} : Advice();
  const std::string folder = fs::absolute(path).lexically_normal().parent_path().string();
  std::error_code error;
  const char* const what = is_pattern(path) ? ": matches no file" : ": there is no such file";
  fail_with<FileError>(std::move(advice), path, what,
                       fs::is_directory(folder, error) ? str(" in ", folder) : str(", nor a folder ", folder),
                       !near.empty() ? str("; did you mean ", near, "?")
                       : there.empty()
                           ? ""
                           : str("; there ", there.size() == 1 ? "is " : "are ", names_of(there)));
}

}  // namespace

void fail_elsewhere(const std::string& path, const FileError& error) {
  if (advice_of(error) != Advice()) throw;
  const std::string name = fs::path(path).filename().string();
  const fs::path temporary = fs::temp_directory_path() / "runs";
  for (const fs::path& place : {fs::path(path + "-2"), fs::path("runs") / name, temporary / name}) {
    std::error_code ignored;
    fs::path above = fs::absolute(place);
    while (above.has_relative_path() && !fs::exists(above, ignored)) above = above.parent_path();
    if (above != fs::absolute(place) && fs::is_directory(above, ignored) &&
        ::access(above.c_str(), W_OK) == 0)
      fail_with<FileError>({.more = {"--out", place.string()}}, error.what());
  }
  throw;
}

void check_files_there(const std::string& option, const std::vector<std::string>& paths) {
  for (const std::string& path : paths)
    for (const std::string& part : parallel_files(path)) {
      const std::string file = weighted_path(part).path;
      std::error_code error;
      if (!file.empty() && !names_data(file)) {
        const bool there = fs::exists(file, error);
        if (!there && !error)
          fail_without_file(option, file);  // else its reader says why it cannot be looked at
      } else if (fs::is_regular_file(file, error) && ::access(file.c_str(), R_OK) != 0 && errno == EACCES) {
        fail_with<FileError>({.lines = {str("sudo chmod a+r ", quoted(file))}}, file,
                             ": cannot be read: no permission");
      }
    }
}

}  // namespace weft
