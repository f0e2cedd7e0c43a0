#include "board.h"

#include <weft/data/labelled_files.h>
#include <weft/lib/base/error.h>
#include <weft/train/files/near_paths.h>
#include <weft/train/files/run_folder.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <random>

#include "../commands/json_line.h"

namespace weft::tools {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr uint64_t at_once = uint64_t{1} << 25;  ///< bytes, of all runs together
constexpr size_t buckets_of_file = 30'000, samples_of_file = 100, statistics_of_file = 400'000;

bool is_run(const std::string& path) {
  try {
    const RunFolder folder{path};
    return folder.holds_run() || is_there(folder.metrics());
  } catch (const FileError&) {
    return false;
  }
}

/// Runs in a folder of runs, without those that are being made or removed (RUN.weft-new).
std::vector<std::string> runs_in(const std::string& folder) {
  std::vector<std::string> found;
  try {
    for (const std::string& name : names_in(folder)) {
      const std::string path = folder + (folder.ends_with('/') ? "" : "/") + name;
      if (name.find(".weft-") == std::string::npos && is_folder(path) && is_run(path)) found.push_back(path);
    }
  } catch (const FileError&) {
    // It may come back.
  }
  return found;
}

std::string spliced(const std::string& head, const std::string& object) {
  return head + "," + object.substr(1);
}

}  // namespace

Board::Board(const std::vector<std::string>& folders) {
  for (const std::string& typed : folders) {
    if (!is_there(typed)) fail_without_model(typed);
    if (!is_folder(typed)) fail<FileError>(typed, ": is no folder; give runs, or a folder that holds runs");
    folders_.push_back({without_slashes(typed)});
  }
  board_ = std::to_string(std::random_device()());
  look_for_runs();
}

void Board::add(const std::string& path) {
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  const std::string place = error ? path : real.string();
  if (std::ranges::count(runs_, path, [](const Entry& entry) { return entry.run->name(); }) > 0 ||
      std::ranges::count(runs_, place, &Entry::place) > 0)
    return;
  runs_.push_back({std::make_unique<BoardRun>(path), ++version_, place});
}

void Board::look_for_runs() {
  for (Folder& folder : folders_) {
    const std::vector<std::string> runs =
        is_run(folder.path) ? std::vector{folder.path} : runs_in(folder.path);
    folder.had_runs = folder.had_runs || !runs.empty();
    for (const std::string& run : runs) add(run);
  }
}

void Board::read() {
  const std::lock_guard lock(mutex_);
  look_for_runs();
  uint64_t left = at_once;
  for (size_t i = 0; i < runs_.size(); ++i) {
    Entry& entry = runs_[(first_read_ + i) % runs_.size()];
    if (entry.run->read(left)) entry.version = ++version_;
  }
  ++first_read_;
}

void Board::read_all() {
  do read();
  while (std::ranges::any_of(runs_, [](const Entry& entry) { return !entry.run->is_read(); }));
}

size_t Board::size() const {
  const std::lock_guard lock(mutex_);
  return runs_.size();
}

std::vector<std::string> Board::empty_folders() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> empty;
  for (const Folder& folder : folders_)
    if (!folder.had_runs) empty.push_back(folder.path);
  return empty;
}

const BoardRun& Board::at(size_t run) const {
  if (run >= runs_.size()) fail<ValueError>("run ", run, ": there are ", runs_.size());
  return *runs_[run].run;
}

std::string Board::runs_since(uint64_t since) const {
  std::string runs;
  for (size_t id = 0; id < runs_.size(); ++id) {
    if (runs_[id].version <= since) continue;
    runs += (runs.empty() ? "" : ",") +
            spliced(str("{\"id\":", id, ",\"version\":", runs_[id].version), runs_[id].run->json());
  }
  return "[" + runs + "]";
}

std::string Board::runs_json(const std::string& board, uint64_t since) const {
  const ordered_json empty(empty_folders());
  const std::lock_guard lock(mutex_);
  return str("{\"board\":\"", board_, "\",\"version\":", version_, ",\"empty\":", json_line(empty),
             ",\"runs\":", runs_since(board == board_ ? since : 0), "}");
}

std::string Board::curve_json(size_t run, const Wanted& wanted) const {
  const std::lock_guard lock(mutex_);
  const BoardRun& asked = at(run);
  if (wanted.curve != "updates" && wanted.curve != "evaluations")
    fail<ValueError>("curve '", wanted.curve, "': there are updates and evaluations");
  const Series& series = wanted.curve == "updates" ? asked.updates() : asked.evaluations();
  Series::Cut cut = wanted.is_part ? series.between(wanted.axis, wanted.from, wanted.to, wanted.most)
                                   : series.whole(wanted.most);
  if (!wanted.is_part && wanted.generation == asked.generation() && wanted.level == cut.level)
    cut.first = std::min(wanted.known_until, cut.end);
  return spliced(str("{\"generation\":", asked.generation()), series.json(cut));
}

std::string Board::sample_json(size_t run, size_t number) const {
  const std::lock_guard lock(mutex_);
  return at(run).sample_json(number);
}

std::string Board::statistics_json(size_t run, const std::string& part, const std::string& measure) const {
  const std::lock_guard lock(mutex_);
  return at(run).statistics().json(part, measure);
}

std::string Board::whole_json() const {
  const ordered_json empty(empty_folders());
  const std::lock_guard lock(mutex_);
  const size_t buckets = std::clamp<size_t>(buckets_of_file / std::max<size_t>(1, runs_.size()), 200, 4000);
  std::string curves, samples, statistics;
  for (size_t id = 0; id < runs_.size(); ++id) {
    const BoardRun& run = *runs_[id].run;
    const std::string key = str(id == 0 ? "" : ",", "\"", id, "\":");
    curves += str(key, "{\"updates\":", run.updates().json(run.updates().whole(buckets)),
                  ",\"evaluations\":", run.evaluations().json(run.evaluations().whole(buckets)), "}");

    const size_t all = run.sample_steps().size(), some = std::min(all, samples_of_file);
    std::string texts;
    for (size_t i = 0; i < some; ++i)
      texts += (i > 0 ? "," : "") + run.sample_json(some < 2 ? 0 : i * (all - 1) / (some - 1));
    samples += str(key, "[", texts, "]");

    const size_t columns =
        std::clamp<size_t>(statistics_of_file / std::max<size_t>(1, run.statistics().rows()), 16, 256);
    std::string parts;
    for (const auto& part : ordered_json::parse(run.statistics().parts_json())) {
      const auto name = part[0].get<std::string>();
      std::string measures;
      for (const auto& measure : part[1])
        measures += str(measures.empty() ? "" : ",", measure.dump(), ":",
                        run.statistics().json(name, measure.get<std::string>(), columns));
      parts += str(parts.empty() ? "" : ",", part[0].dump(), ":{", measures, "}");
    }
    statistics += str(key, "{", parts, "}");
  }
  return str("{\"runs\":{\"board\":\"file\",\"version\":", version_, ",\"empty\":", json_line(empty),
             ",\"runs\":", runs_since(0), "},\"curves\":{", curves, "},\"samples\":{", samples,
             "},\"statistics\":{", statistics, "}}");
}

}  // namespace weft::tools
