#include "board_run.h"

#include <weft/data/labelled_files.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/lines.h>
#include <weft/train/files/run_folder.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "held_lock.h"

namespace weft::tools {
namespace {

using nlohmann::ordered_json;

/// Bytes of a line of samples or statistics.
constexpr size_t longest_shown = size_t{1} << 24;

/// Evaluations have no time of their own: that of the update before.
const std::vector<std::string> of_updates = {"loss", "lr", "grad_norm", "tokens_per_second", "memory_bytes"};
const std::vector<std::string> of_evaluations = {"train_loss", "val_loss", "val_accuracy",
                                                 "val_bits_per_byte"};

double number_in(const ordered_json& entry, const std::string& key) {
  const auto found = entry.find(key);
  if (found == entry.end()) return untold;
  return found->is_number() ? found->get<double>() : found->is_null() ? nonfinite : untold;
}

std::vector<double> numbers_in(const ordered_json& entry, const std::vector<std::string>& keys) {
  std::vector<double> values;
  for (const std::string& key : keys) values.push_back(number_in(entry, key));
  return values;
}

/// The step of a line; nothing where it has none.
std::optional<int64_t> logged_step(const ordered_json& entry) {
  if (!entry.is_object()) return std::nullopt;
  const auto step = entry.find("step");
  if (step == entry.end() || !step->is_number_integer() || *step < 0) return std::nullopt;
  return step->get<int64_t>();
}

/// Seconds since a file was last written; nothing where that cannot be told.
std::optional<double> seconds_since_written(const std::string& path) {
  std::error_code error;
  const auto written = std::filesystem::last_write_time(path, error);
  if (error) return std::nullopt;
  return std::chrono::duration<double>(std::filesystem::file_time_type::clock::now() - written).count();
}

}  // namespace

BoardRun::BoardRun(std::string path)
    : folder_(std::move(path)),
      metrics_{.tail = LineTail(RunFolder{folder_}.metrics(), LineReader::longest)},
      samples_file_{.tail = LineTail(RunFolder{folder_}.samples(), longest_shown)},
      statistics_file_{.tail = LineTail(RunFolder{folder_}.statistics(), longest_shown)},
      updates_(of_updates),
      evaluations_(of_evaluations) {}

// --- Reading ---------------------------------------------------------------------------------------------------------

bool BoardRun::read(uint64_t& left) {
  const bool was_there = there_;
  there_ = is_folder(folder_);
  if (!there_) {
    const State before = state_;
    state_ = State::gone;
    return was_there || before != state_;
  }
  bool changed = read_config() || !was_there;
  const size_t before = updates_.size() + evaluations_.size();
  const bool logged = read_lines(
      metrics_, left, [this](const LineTail::Line& line) { return take_metrics(line.text); },
      [this] {
        grown_unlocked_ = 0;
        updates_.clear();
        evaluations_.clear();
      });
  const bool grown = before > 0 && updates_.size() + evaluations_.size() > before;
  changed = logged || changed;
  changed = read_lines(
                samples_file_, left, [this](const LineTail::Line& line) { return take_sample(line); },
                [this] { samples_.clear(); }) ||
            changed;
  changed =
      read_lines(
          statistics_file_, left, [this](const LineTail::Line& line) { return statistics_.take(line.text); },
          [this] { statistics_.clear(); }) ||
      changed;
  const State state = state_now(grown);
  if (changed || state != state_)
    alerts_ = alerts_of(updates_, evaluations_,
                        state == State::training   ? Progressing::yes
                        : state == State::finished ? Progressing::finished
                                                   : Progressing::stopped);
  changed = changed || state != state_;
  state_ = state;
  return changed;
}

bool BoardRun::is_read() const {
  for (const Lines* lines : {&metrics_, &samples_file_, &statistics_file_})
    if (lines->tail.is_there() && lines->tail.error().empty() && !lines->tail.at_end()) return false;
  return true;
}

bool BoardRun::read_lines(Lines& lines, uint64_t& left,
                          const std::function<bool(const LineTail::Line&)>& take,
                          const std::function<void()>& clear) {
  const auto anew = [&] {
    ++generation_;
    lines.read = lines.bad = lines.first_bad = 0;
    clear();
  };
  const bool was_there = lines.tail.is_there();
  const std::string error = lines.tail.error();
  uint64_t begin = lines.tail.offset();
  const bool read = lines.tail.read(
      [&] {
        anew();
        begin = 0;
      },
      [&](const LineTail::Line& line) {
        ++lines.read;
        if (!line.too_long && take(line)) return;
        if (lines.bad++ == 0) lines.first_bad = lines.read;
      },
      left);
  left -= std::min(left, lines.tail.offset() - begin);
  if (!lines.tail.is_there() && was_there && lines.tail.error().empty()) {
    // Removed alone: the run stands before it.
    anew();
    lines.tail.forget();
  }
  return read || was_there != lines.tail.is_there() || error != lines.tail.error();
}

bool BoardRun::read_config() {
  const std::string path = RunFolder{folder_}.config();
  std::string error;
  std::optional<FileIdentity> identity;
  try {
    if (is_there(path)) identity = InputFile(path).identity();
    if (identity && identity == config_identity_ && config_error_.empty()) return false;
    config_ = identity ? ShownConfig(path) : ShownConfig();
  } catch (const Error& wrong) {
    error = wrong.what();
  }
  const bool changed = identity != config_identity_ || error != config_error_;
  config_identity_ = identity;
  config_error_ = error;
  return changed;
}

bool BoardRun::take_metrics(std::string_view line) {
  const ordered_json entry = ordered_json::parse(line, nullptr, false);
  const auto step = logged_step(entry);
  if (!step) return false;
  if (entry.contains("val_loss")) {
    if (!evaluations_.empty() && *step <= evaluations_.steps().back()) return false;
    // A line of the log may lie some updates behind.
    const bool first = updates_.empty();
    const double updates =
        first ? 0 : static_cast<double>(*step) / static_cast<double>(updates_.steps().back() + 1);
    evaluations_.add(*step, first ? 0 : updates_.tokens().back() * updates,
                     first ? 0 : updates_.seconds().back(), numbers_in(entry, of_evaluations));
    return true;
  }
  if (!entry.contains("loss") || (!updates_.empty() && *step <= updates_.steps().back())) return false;
  double tokens = number_in(entry, "tokens");
  if (const auto an_update = config_.tokens_per_update(); an_update && !std::isfinite(tokens))
    tokens = (static_cast<double>(*step) + 1) * static_cast<double>(*an_update);
  updates_.add(*step, tokens, number_in(entry, "seconds"), numbers_in(entry, of_updates));
  return true;
}

bool BoardRun::take_sample(const LineTail::Line& line) {
  const ordered_json entry = ordered_json::parse(line.text, nullptr, false);
  const auto step = logged_step(entry);
  if (!step || !entry.contains("text") || !entry["text"].is_string()) return false;
  if (!samples_.empty() && *step <= samples_.back().step) return false;
  samples_.push_back({*step, line.offset, line.text.size()});
  return true;
}

// --- Its state -------------------------------------------------------------------------------------------------------

bool BoardRun::is_over() const {
  const auto most = config_.integer("max_iters");
  if (!most || evaluations_.empty()) return false;
  if (evaluations_.steps().back() >= *most) return true;
  const auto patience = config_.integer("patience").value_or(0);
  const std::vector<float>& losses = evaluations_["val_loss"];
  return patience > 0 && losses.end() - 1 - std::ranges::min_element(losses) >= patience &&
         (updates_.empty() || updates_.steps().back() < evaluations_.steps().back());
}

BoardRun::State BoardRun::state_now(bool grown) {
  if (is_over()) return State::finished;
  const std::optional<bool> held = is_lock_held(folder_ + "/.lock");
  if (held == true) return updates_.empty() && evaluations_.empty() ? State::waiting : State::training;
  if (grown && held == false) ++grown_unlocked_;
  if (updates_.empty() && evaluations_.empty()) return State::waiting;
  // Of a process that the list of locks does not show: one of another machine.
  constexpr int not_by_chance = 3;
  if (held == false && grown_unlocked_ < not_by_chance) return State::stopped;
  const auto since = seconds_since_written(RunFolder{folder_}.metrics());
  const auto& seconds = updates_.seconds();
  const double between = seconds.size() < 2 ? 0 : seconds.back() - seconds[seconds.size() - 2];
  constexpr double least = 30;
  return since && *since < std::fmax(least, 5 * between) ? State::training : State::stopped;
}

}  // namespace weft::tools
