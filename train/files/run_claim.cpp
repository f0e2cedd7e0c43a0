#include <weft/lib/base/advice.h>
#include <weft/lib/base/values.h>
#include <weft/train/files/near_paths.h>
#include <weft/train/files/run_claim.h>
#include <weft/train/show/console.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

namespace weft {
namespace {

namespace fs = std::filesystem;

/// Behind the name of a folder in which a run is made that will replace another one, and the name of a file in it that
/// says so; after the change the folder of that name holds what was replaced.
constexpr std::string_view beside = ".weft-new";
/// Behind the name of a folder that is being replaced where two folders cannot change places.
constexpr std::string_view behind = ".weft-old";
/// A file in a run that is being replaced. A folder of those names without its mark is not ours.
constexpr std::string_view replaced_mark = ".weft-replaced";

/// Where a link leads; else the path itself.
std::string place_of(const std::string& path) {
  std::error_code error;
  return fs::is_symlink(path, error) ? fs::canonical(path, error).string() : path;
}

std::string folder_above(const std::string& path) {
  const std::string above = fs::path(path).parent_path().string();
  return above.empty() ? "." : above;
}

/// False when it is there already.
bool make_folder(const std::string& path) {
  std::error_code error;
  const bool made = fs::create_directory(path, error);
  if (error == std::errc::file_exists || (!error && !fs::is_directory(path, error)))
    fail<FileError>(path, ": is not a folder, and one of this name is needed; choose another name");
  if (error) fail<FileError>(path, ": the folder cannot be made: ", error.message());
  return made;
}

/// Makes a folder and those above it; those that were missing, outermost first.
std::vector<std::string> make_folders(const std::string& path) {
  std::vector<std::string> missing, made;
  for (fs::path folder = path; !folder.empty() && !is_there(folder.string()) && folder != folder.root_path();
       folder = folder.parent_path())
    if (folder.has_filename()) missing.push_back(folder.string());
  std::ranges::reverse(missing);
  for (const std::string& folder : missing)
    if (make_folder(folder)) made.push_back(folder);
  if (!made.empty() && made.back() != missing.back()) made.clear();
  return made;
}

constexpr int most_attempts = 100;

/// Locks a folder. One that is removed or replaced meanwhile is given up for the one that its name means now.
LockedFolder locked(const std::string& path) {
  for (int attempt = 0;; ++attempt) {
    HeldFolder folder(path);
    try {
      FileLock lock(folder, path + "/.lock");
      if (folder.is_named()) return {std::move(folder), std::move(lock)};
    } catch (const FileError&) {
      if (folder.is_named()) throw;
    }
    if (attempt == most_attempts)
      fail<FileError>(path, ": is removed by another process each time it is made");
  }
}

void move_folder(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) fail<FileError>(from, ": cannot be renamed to ", to, ": ", error.message());
}

/// Whether nobody would miss the folder: empty, or only what an interrupted start left in it.
bool is_free(const std::string& path) {
  const RunFolder run{path};
  const std::vector<std::string> records = run.records();
  return std::ranges::all_of(names_in(path), [&](const std::string& name) {
    // What tells of a run is ours with the log's digest, or as long as nothing is in it.
    const std::string place = str(path, "/", name);
    std::error_code error;
    const bool record = std::ranges::find(records, place) != records.end() &&
                        (is_there(run.digest()) || fs::is_empty(place, error));
    return name == ".lock" || name == "cache" || record ||
           (name == "checkpoints" && names_in(run.checkpoints()).empty()) ||
           name.ends_with(AtomicFile::partial);
  });
}

/// FileError where something of another kind lies in the place of a file or folder that a run writes: it is refused
/// before there is work to lose.
void check_places(const RunFolder& run) {
  std::error_code error;
  const auto refuse = [](const std::string& path, const char* what) {
    fail<FileError>(path, ": is not a ", what, ", but a run writes its ", what, " there; move it away");
  };
  std::vector<std::string> files = run.files();
  files.push_back(run.path + "/.lock");
  for (const std::string& file : files)
    if (is_there(file) && !fs::is_regular_file(file, error)) refuse(file, "file");
  for (const std::string& folder : {run.checkpoints(), run.cache()})
    if (is_there(folder) && !fs::is_directory(folder, error)) refuse(folder, "folder");
}

/// Moves what does not belong to a run, where nothing of that name is there yet.
void move_others(const std::string& from, const std::string& to) {
  std::error_code error;
  for (const std::string& name : names_in(from))
    if (name.starts_with(".weft-"))
      continue;
    else if (const std::string place = str(to, "/", name); !is_there(place))
      fs::rename(str(from, "/", name), place, error);
}

/// Removes a run that has been replaced by the one in `to`, and leaves nothing else of its folder behind.
void remove_replaced(const std::string& place, const std::string& to) {
  const LockedFolder held = locked(place);
  const RunFolder old{place};
  for (const int64_t step : old.steps()) held.folder.remove(old.checkpoint(step));
  for (const std::string& file : old.files()) held.folder.remove(file);
  for (const std::string& folder : {old.path, old.checkpoints()})
    if (is_there(folder)) remove_partial_files(folder);
  std::error_code error;
  const RunFolder now{to};
  if (is_there(old.cache()))
    for (const std::string& name : names_in(old.cache()))
      if (name.ends_with(".ids")) held.folder.remove(str(old.cache(), "/", name));
  for (const auto& [from, into] :
       {std::pair{old.checkpoints(), now.checkpoints()}, {old.cache(), now.cache()}}) {
    if (!is_there(from) || fs::remove(from, error)) continue;
    make_folder(into);
    move_others(from, into);
    fs::remove(from, error);
  }
  move_others(place, to);
  fs::remove(place + "/.lock", error);
  held.folder.remove(str(place, "/", replaced_mark));
  fs::remove(place, error);
}

/// Ends what a process that was killed while it replaced this run had begun.
void tidy(const RunFolder& run, const HeldFolder& held) {
  held.remove(str(run.path, "/", beside));
  held.remove(str(run.path, "/", replaced_mark));
  const auto is_replaced = [](const std::string& folder) {
    return is_there(str(folder, "/", replaced_mark));
  };
  const std::string place = place_of(run.path);
  const std::string next = str(place, beside), previous = str(place, behind);
  if (is_there(str(next, "/", beside))) {
    const LockedFolder unfinished = locked(next);
    std::error_code error;
    fs::remove_all(next, error);
  } else if (is_replaced(next)) {
    remove_replaced(next, run.path);
  } else if (is_there(next) && is_free(next)) {  // killed before there was a mark in it
    std::error_code error;
    fs::remove_all(next, error);
  }
  if (is_replaced(previous)) remove_replaced(previous, run.path);
}

/// A run that was moved away to be replaced, by a process that was killed before it was, comes back.
void bring_back(const std::string& path) {
  const std::string previous = str(path, behind);
  if (is_there(path) || !is_there(str(previous, "/", replaced_mark))) return;
  const LockedFolder held = locked(previous);
  move_folder(previous, path);
}

}  // namespace

RunClaim::RunClaim(RunClaim&& other) noexcept
    : folder_(std::move(other.folder_)),
      held_(std::move(other.held_)),
      replaced_(std::move(other.replaced_)),
      made_(std::exchange(other.made_, {})) {}

RunClaim::~RunClaim() {
  if (made_.empty()) return;
  std::error_code ignored;
  try {
    if (held().is_named()) fs::remove_all(made_.back(), ignored);
  } catch (const FileError&) {
    return;
  }
  made_.pop_back();
  for (; !made_.empty(); made_.pop_back()) fs::remove(made_.back(), ignored);  // only if still empty
}

RunClaim RunClaim::create(const std::string& typed, bool overwrite) {
  const std::string path = without_slashes(typed);
  bring_back(path);
  check_places({path});
  std::error_code error;
  if (is_there(path) && !fs::is_directory(path, error))
    fail<FileError>(path, ": is not a folder; choose another name");
  std::vector<std::string> made = make_folders(path);
  std::optional<LockedFolder> held;
  for (int attempt = 0; !held; ++attempt) {
    try {
      held = locked(path);
    } catch (const FileError&) {
      // Another process that gave up may have removed it.
      if (attempt == most_attempts || is_there(path)) throw;
      made = make_folders(path);
    }
  }
  RunClaim claim(path, std::move(*held));
  claim.made_ = std::move(made);
  tidy(claim.folder_, claim.held());
  const bool holds_run = claim.folder_.holds_run();
  if (holds_run && !overwrite) {
    claim.keep();
    fail_with<FileError>({.lines = {str(program_name(), " train --resume ", quoted(path))}}, path,
                         ": holds a run already; --overwrite replaces it, another --out leaves it, and it "
                         "goes on by:");
  }
  if (!holds_run && claim.made_.empty() && !is_free(path))
    fail<FileError>(path, ": is not empty and holds no run; choose another folder");
  if (!holds_run) return claim;

  const std::string place = place_of(path), next = str(place, beside);
  if (!make_folder(next)) fail<FileError>(next, ": is in the way; move it aside");
  RunClaim fresh(next, locked(next));
  fresh.made_ = {next};
  write_file(fresh.held(), str(next, "/", beside), std::string_view());
  fresh.replaced_.emplace(Replaced{path, place, std::move(claim.held_)});
  claim.keep();
  return fresh;
}

RunClaim RunClaim::create_free(const std::string& name) {
  const bool made_parent = make_folder("runs");
  for (int64_t number = 1;; ++number) {
    const std::string path = number == 1 ? "runs/" + name : str("runs/", name, "-", number);
    if (is_there(path) || is_there(str(path, behind)) || !make_folder(path)) continue;
    RunClaim claim(path, locked(path));
    if (made_parent) claim.made_.push_back("runs");
    claim.made_.push_back(path);
    return claim;
  }
}

RunClaim RunClaim::open(const std::string& typed) {
  const std::string path = without_slashes(typed);
  bring_back(path);
  if (!is_there(path)) fail_without_model(path);
  std::error_code error;
  if (!fs::is_directory(path, error))
    fail<FileError>(path, ": is not a folder; --resume takes the folder of a run");
  const RunFolder folder{path};
  const auto check = [&] {
    if (!folder.holds_run()) fail_without_model(path);
  };
  check();
  check_places(folder);
  RunClaim claim(path, locked(path));
  check();
  tidy(claim.folder_, claim.held());
  return claim;
}

RunClaim RunClaim::watch(const std::string& path) { return RunClaim(path, {HeldFolder(path), std::nullopt}); }

void RunClaim::change_over() {
  const std::string next = folder_.path, path = replaced_->path, place = replaced_->place;
  std::string previous = next;
  write_file(replaced_->held.folder, str(path, "/", replaced_mark), std::string_view());
  if (!exchange_folders(next, place)) {
    previous = str(place, behind);
    move_folder(place, previous);
    move_folder(next, place);
  }
  made_.clear();
  folder_.path = path;
  held_.folder.call(path);
  sync_folder(folder_above(place));
  held().remove(str(path, "/", beside));
  replaced_.reset();
  remove_replaced(previous, path);
}

}  // namespace weft
