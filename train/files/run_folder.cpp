#include <weft/lib/base/error.h>
#include <weft/lib/files/checkpoint.h>
#include <weft/train/files/run_folder.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>
#include <utility>

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view step_prefix = "step-", step_suffix = ".h5";
constexpr size_t step_digits = 8;
/// TensorBoard knows them by the beginning, and reads them in the order of their names.
constexpr std::string_view event_prefix = "events.out.tfevents.", event_suffix = ".weft";
constexpr size_t event_digits = 10;

std::string padded(int64_t number, size_t width) {
  std::string text = std::to_string(number);
  return std::string(width - std::min(width, text.size()), '0') + text;
}

/// The number of so many digits between the two.
std::optional<int64_t> number_in(std::string_view name, std::string_view prefix, std::string_view suffix,
                                 size_t digits) {
  if (!name.starts_with(prefix) || !name.ends_with(suffix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  name.remove_suffix(suffix.size());
  int64_t step = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), step);
  if (name.size() != digits || name[0] == '-' || error != std::errc() || end != name.data() + name.size())
    return std::nullopt;
  return step;
}

}  // namespace

std::string RunFolder::checkpoint(int64_t step) const {
  return str(checkpoints(), "/", step_prefix, padded(step, step_digits), step_suffix);
}

std::vector<int64_t> RunFolder::steps() const {
  std::vector<int64_t> found;
  if (!is_there(checkpoints())) return found;
  for (const std::string& name : names_in(checkpoints()))
    if (const auto step = number_in(name, step_prefix, step_suffix, step_digits)) found.push_back(*step);
  std::ranges::sort(found);
  return found;
}

std::vector<std::string> RunFolder::caches_beside() const {
  std::vector<std::string> found;
  std::error_code error;
  const fs::path own = fs::weakly_canonical(path, error);
  for (fs::directory_iterator entry(own.parent_path(), error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    std::error_code unreadable;
    const RunFolder other{entry->path().string()};
    if (entry->path() != own && fs::is_directory(other.cache(), unreadable)) found.push_back(other.cache());
  }
  std::ranges::sort(found);
  return found;
}

std::string without_slashes(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

std::vector<std::string> RunFolder::events() const {
  std::vector<std::string> found;
  std::error_code error;
  if (!fs::is_directory(path, error)) return found;
  for (const std::string& name : names_in(path))
    if (number_in(name, event_prefix, event_suffix, event_digits)) found.push_back(str(path, "/", name));
  return found;
}

std::string RunFolder::next_events(int64_t second) const {
  for (const std::string& file : events())
    second = std::max(
        second, *number_in(fs::path(file).filename().string(), event_prefix, event_suffix, event_digits) + 1);
  return str(path, "/", event_prefix, padded(second, event_digits), event_suffix);
}

std::vector<std::string> RunFolder::records() const {
  std::vector<std::string> all = events();
  all.insert(all.begin(), {metrics(), digest(), table(), samples(), statistics(), plot()});
  return all;
}

std::vector<std::string> RunFolder::files() const {
  std::vector<std::string> all = records();
  all.insert(all.end(), {config(), best(), mistakes(), trace()});
  return all;
}

bool RunFolder::holds_run() const { return is_there(config()) || is_there(best()) || !steps().empty(); }

std::optional<RunFolder> run_of(const std::string& file) {
  const fs::path folder = fs::path(file).parent_path();
  for (const fs::path& candidate : {folder, folder / ".."}) {
    const RunFolder run{candidate.empty() ? "." : candidate.lexically_normal().string()};
    std::error_code error;
    if (fs::exists(run.config(), error)) return run;
  }
  return std::nullopt;
}

void check_output(const std::string& path) {
  std::error_code error;
  if (is_there(path) && fs::is_regular_file(path, error)) {
    if (is_checkpoint(path))
      fail<FileError>(path, ": is a checkpoint, which is not written over; choose another file");
    if (const auto run = run_of(path))
      for (const std::string& own : run->files())
        if (is_there(own) && fs::equivalent(own, path, error))
          fail<FileError>(path, ": is a file of the run ", run->path,
                          ", which is not written over; choose another file");
  }
  const AtomicFile writable(path);
}

void prune_checkpoints(const HeldFolder& held, const RunFolder& folder, int64_t newest, int64_t keep,
                       int64_t stopped_at) {
  std::vector<int64_t> regular;
  for (const int64_t step : folder.steps()) {
    if (step > newest || (step == stopped_at && step != newest))
      held.remove(folder.checkpoint(step));
    else
      regular.push_back(step);
  }
  if (keep == 0) return;
  const size_t excess = regular.size() - std::min(regular.size(), static_cast<size_t>(keep));
  for (size_t i = 0; i < excess; ++i) held.remove(folder.checkpoint(regular[i]));
}

}  // namespace weft
