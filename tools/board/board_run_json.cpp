// What is told of a run.
#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>
#include <weft/train/files/run_folder.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "../commands/json_line.h"
#include "board_run.h"

namespace weft::tools {
namespace {

using nlohmann::ordered_json;

ordered_json finite_or_null(double value) {
  return std::isfinite(value) ? ordered_json(value) : ordered_json();
}

/// {"step": ..., and each of its values that is told}, of the last line.
ordered_json last_of(const Series& series) {
  ordered_json last;
  if (series.empty()) return last;
  last["step"] = series.steps().back();
  for (const std::string& name : series.names())
    if (const float value = series[name].back(); std::isfinite(value)) last[name] = value;
  return last;
}

}  // namespace

std::optional<double> BoardRun::seconds_an_update() const {
  constexpr size_t looked_at = 50;
  const std::vector<double>& seconds = updates_.seconds();
  const std::vector<int64_t>& steps = updates_.steps();
  if (steps.size() < 2) return std::nullopt;
  const size_t from = steps.size() - std::min(looked_at, steps.size());
  const double pace = (seconds.back() - seconds[from]) / static_cast<double>(steps.back() - steps[from]);
  return std::isfinite(pace) && pace >= 0 ? std::optional(pace) : std::nullopt;
}

std::string BoardRun::Lines::note(const char* name, bool whole) const {
  if (!tail.error().empty()) return tail.error();
  std::string text;
  if (bad > 0)
    text = str(name, ": ", grouped(bad), bad == 1 ? " line is" : " lines are", " passed over (",
               bad == 1 ? "" : "the first is ", "line ", grouped(first_bad),
               "): damaged, not UTF-8, too long, or not behind the one before");
  if (whole && tail.unfinished() > 0)
    text += str(text.empty() ? str(name, ": ") : "; ", "its last line is half written");
  return text;
}

std::vector<std::string> BoardRun::notes() const {
  std::vector<std::string> notes;
  const auto add = [&](const std::string& note) {
    if (!note.empty()) notes.push_back(note);
  };
  const bool whole = state_ != State::training;
  add(config_error_);
  add(metrics_.note("metrics.jsonl", whole));
  add(samples_file_.note("samples.jsonl", whole));
  add(statistics_file_.note("statistics.jsonl", whole));
  if (statistics_.left_out())
    add(str("statistics.jsonl: of a line the first ", grouped(StatisticsLog::most_rows),
            " numbers are shown"));
  return notes;
}

std::vector<int64_t> BoardRun::sample_steps() const {
  std::vector<int64_t> steps;
  for (const Sample& sample : samples_) steps.push_back(sample.step);
  return steps;
}

std::string BoardRun::sample_json(size_t number) const {
  if (number >= samples_.size())
    fail<ValueError>("sample ", number, ": there are ", samples_.size(), " of ", folder_);
  const Sample& sample = samples_[number];
  std::string line(sample.size, '\0');
  const InputFile file(RunFolder{folder_}.samples());
  file.read(sample.offset, {reinterpret_cast<uint8_t*>(line.data()), line.size()});
  const ordered_json entry = ordered_json::parse(line, nullptr, false);
  if (entry.value("step", int64_t{-1}) != sample.step)
    fail<FileError>(file.path(), ": is being written anew");
  return json_line({{"step", sample.step}, {"text", entry.value("text", "")}});
}

std::string BoardRun::json() const {
  ordered_json json{
      {"name", folder_}, {"generation", generation_}, {"state", name_of(state_)}, {"unit", config_.unit()}};
  const int64_t done = std::max(updates_.empty() ? 0 : updates_.steps().back() + 1,
                                evaluations_.empty() ? 0 : evaluations_.steps().back());
  json["step"] = done;
  const auto most = config_.integer("max_iters");
  json["of"] = most ? ordered_json(*most) : ordered_json();
  json["seconds"] = updates_.empty() ? ordered_json() : finite_or_null(updates_.seconds().back());
  json["tokens"] = updates_.empty() ? ordered_json() : finite_or_null(updates_.tokens().back());
  json["left"] = nullptr;
  if (const auto pace = seconds_an_update(); pace && most && state_ == State::training)
    json["left"] = *pace * static_cast<double>(std::max<int64_t>(0, *most - done));
  json["read"] = is_read();
  json["last"] = last_of(updates_);
  json["evaluated"] = last_of(evaluations_);
  json["best"] = nullptr;
  const std::vector<float>& losses = evaluations_["val_loss"];
  if (const auto best = std::ranges::min_element(losses); best != losses.end() && std::isfinite(*best))
    json["best"] = {{"step", evaluations_.steps()[static_cast<size_t>(best - losses.begin())]},
                    {"val_loss", *best}};
  json["updates"] = updates_.size();
  json["evaluations"] = evaluations_.size();
  json["samples"] = sample_steps();
  json["statistics"] = {{"lines", statistics_.lines()},
                        {"parts", ordered_json::parse(statistics_.parts_json())}};
  json["alerts"] = ordered_json::array();
  for (const Alert& alert : alerts_)
    json["alerts"].push_back(
        {{"kind", name_of(alert.kind)}, {"step", alert.step}, {"title", alert.title}, {"text", alert.text}});
  json["notes"] = notes();
  json["config"] = ordered_json::array();
  for (const ShownSetting& setting : config_.settings())
    json["config"].push_back({setting.key, setting.value, setting.mark});
  return json_line(json);
}

const char* name_of(BoardRun::State state) {
  switch (state) {
    case BoardRun::State::waiting:
      return "waiting";
    case BoardRun::State::training:
      return "training";
    case BoardRun::State::finished:
      return "finished";
    case BoardRun::State::stopped:
      return "stopped";
    case BoardRun::State::gone:
      return "gone";
  }
  return "";
}

}  // namespace weft::tools
