#include <weft/lib/base/error.h>
#include <weft/train/files/run_folder.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>
#include <utility>

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "step-", suffix = ".h5";
constexpr size_t digits = 8;

std::optional<int64_t> step_of(std::string_view name) {
  if (!name.starts_with(prefix) || !name.ends_with(suffix)) return std::nullopt;
  name.remove_prefix(prefix.size());
  name.remove_suffix(suffix.size());
  int64_t step = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), step);
  if (name.size() != digits || name[0] == '-' || error != std::errc() || end != name.data() + name.size())
    return std::nullopt;
  return step;
}

void remove(const std::string& path) {
  std::error_code error;
  fs::remove(path, error);
  if (error) fail<FileError>(path, ": cannot be removed: ", error.message());
}

/// False when it is there already.
bool make_folder(const std::string& path) {
  std::error_code error;
  const bool made = fs::create_directory(path, error);
  if (error) fail<FileError>(path, ": the folder cannot be made: ", error.message());
  return made;
}

/// Whether nobody would miss the folder: empty, or only what an interrupted start left in it.
bool is_free(const std::string& path) {
  std::error_code error;
  fs::directory_iterator entries(path, error);
  if (error) fail<FileError>(path, ": cannot be used as the folder of a run: ", error.message());
  return std::all_of(fs::begin(entries), fs::end(entries), [](const fs::directory_entry& entry) {
    const std::string name = entry.path().filename().string();
    std::error_code ignored;
    const bool no_checkpoints = name == "checkpoints" && fs::is_empty(entry.path(), ignored);
    return name == ".lock" || name == "cache" || name == "metrics.jsonl" || no_checkpoints ||
           name.ends_with(AtomicFile::partial);
  });
}

}  // namespace

std::string RunFolder::checkpoint(int64_t step) const {
  std::string number = std::to_string(step);
  if (number.size() < digits) number.insert(0, digits - number.size(), '0');
  return str(checkpoints(), "/", prefix, number, suffix);
}

std::vector<int64_t> RunFolder::steps() const {
  std::vector<int64_t> found;
  std::error_code error;
  for (fs::directory_iterator entry(checkpoints(), error); !error && entry != fs::directory_iterator();
       entry.increment(error))
    if (const auto step = step_of(entry->path().filename().string())) found.push_back(*step);
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

bool RunFolder::holds_run() const {
  std::error_code error;
  return fs::exists(config(), error) || fs::exists(best(), error) || !steps().empty();
}

std::optional<RunFolder> run_of(const std::string& file) {
  const fs::path folder = fs::path(file).parent_path();
  for (const fs::path& candidate : {folder, folder / ".."}) {
    const RunFolder run{candidate.empty() ? "." : candidate.lexically_normal().string()};
    std::error_code error;
    if (fs::exists(run.config(), error)) return run;
  }
  return std::nullopt;
}

RunClaim::RunClaim(RunClaim&& other) noexcept
    : folder_(std::move(other.folder_)),
      made_(std::exchange(other.made_, {})),
      lock_(std::move(other.lock_)),
      overwrites_(other.overwrites_) {}

RunClaim::~RunClaim() {
  if (made_.empty()) return;
  std::error_code ignored;
  fs::remove_all(made_.back(), ignored);
  made_.pop_back();
  for (; !made_.empty(); made_.pop_back()) fs::remove(made_.back(), ignored);  // only if still empty
}

void RunClaim::lock() { lock_.emplace(folder_.path + "/.lock"); }

RunClaim RunClaim::create(const std::string& path, bool overwrite) {
  RunClaim claim(path);
  std::error_code error;
  std::vector<std::string> missing;
  for (fs::path folder = path; !folder.empty() && !fs::exists(folder, error) && folder != folder.root_path();
       folder = folder.parent_path())
    if (folder.has_filename()) missing.push_back(folder.string());
  std::ranges::reverse(missing);
  for (const std::string& folder : missing)
    if (make_folder(folder)) claim.made_.push_back(folder);
  if (!claim.made_.empty() && claim.made_.back() != missing.back()) claim.made_.clear();

  claim.overwrites_ = claim.folder_.holds_run();
  if (claim.overwrites_ && !overwrite)
    fail<FileError>(path, ": holds a run already; --resume ", path,
                    " goes on with it, --overwrite replaces it");
  if (!claim.overwrites_ && claim.made_.empty() && !is_free(path))
    fail<FileError>(path, ": is not empty and holds no run; choose another folder");
  claim.lock();
  return claim;
}

RunClaim RunClaim::create_free(const std::string& name) {
  const bool made_parent = make_folder("runs");
  for (int64_t number = 1;; ++number) {
    RunClaim claim(number == 1 ? "runs/" + name : str("runs/", name, "-", number));
    std::error_code error;
    if (fs::exists(claim.folder_.path, error) || !make_folder(claim.folder_.path)) continue;
    if (made_parent) claim.made_.push_back("runs");
    claim.made_.push_back(claim.folder_.path);
    claim.lock();
    return claim;
  }
}

RunClaim RunClaim::open(const std::string& path) {
  RunClaim claim(path);
  std::error_code error;
  if (!fs::exists(path, error)) fail<FileError>(path, ": there is no such run");
  if (!fs::is_directory(path, error))
    fail<FileError>(path, ": is not a folder; --resume takes the folder of a run");
  if (!claim.folder_.holds_run()) fail<FileError>(path, ": holds no run: it has no config.toml");
  claim.lock();
  return claim;
}

void RunClaim::clear() const {
  for (const int64_t step : folder_.steps()) remove(folder_.checkpoint(step));
  for (const std::string& file : {folder_.best(), folder_.metrics(), folder_.plot(), folder_.trace()})
    remove(file);
}

void prune_checkpoints(const RunFolder& folder, int64_t newest, int64_t keep, int64_t stopped_at) {
  std::vector<int64_t> regular;
  for (const int64_t step : folder.steps()) {
    if (step > newest || (step == stopped_at && step != newest))
      remove(folder.checkpoint(step));
    else
      regular.push_back(step);
  }
  if (keep == 0) return;
  const size_t excess = regular.size() - std::min(regular.size(), static_cast<size_t>(keep));
  for (size_t i = 0; i < excess; ++i) remove(folder.checkpoint(regular[i]));
}

}  // namespace weft
