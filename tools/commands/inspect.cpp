#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>
#include <weft/train/files/opened_model.h>
#include <weft/train/show/console.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "commands.h"

namespace weft::tools {
namespace {

using nlohmann::ordered_json;

struct Spread {
  double mean = 0, deviation = 0, largest = 0;
};

Spread spread_of(const Array& array) {
  const Array wide = array.to(float64);
  const auto values = wide.values<double>();
  const auto n = static_cast<double>(values.size());
  Spread spread;
  if (values.empty()) return spread;
  for (const double v : values) {
    spread.mean += v / n;
    spread.largest = std::max(spread.largest, std::abs(v));
  }
  double squares = 0;
  for (const double v : values) squares += (v - spread.mean) * (v - spread.mean);
  spread.deviation = std::sqrt(squares / n);
  return spread;
}

std::vector<int64_t> extents(const Shape& shape) { return {shape.begin(), shape.end()}; }

/// The numbers and texts of a dict.
ordered_json json_of(const StateDict& state) {
  ordered_json all = ordered_json::object();
  for (const auto& entry : state.entries())
    std::visit(
        [&]<class T>(const T& v) {
          if constexpr (!std::is_same_v<T, Array> && !std::is_same_v<T, std::shared_ptr<StateDict>>)
            all[entry.first] = v;
        },
        entry.second);
  return all;
}

ordered_json json_of(const OpenedModel& opened) {
  const ModelFile& model = opened.checkpoint.model;
  const auto& training = opened.checkpoint.training;
  ordered_json tensors = ordered_json::array(), history = ordered_json::array();
  int64_t parameters = 0;
  for (const auto& [name, value] : model.weights.entries()) {
    const Array& array = std::get<Array>(value);
    const Spread s = spread_of(array);
    parameters += array.size();
    tensors.push_back({{"name", name},
                       {"shape", extents(array.shape())},
                       {"mean", s.mean},
                       {"deviation", s.deviation},
                       {"largest", s.largest}});
    if (!array.all_finite()) tensors.back()["finite"] = false;
  }
  ordered_json all{{"file", opened.path}};
  if (training) all["step"] = training->step;
  all.update(ordered_json{{"parameters", parameters},
                          {"model", model.kind},
                          {"model_config", json_of(model.settings)},
                          {"end_ids", model.end_ids}});
  if (model.lora) all["lora"] = {{"base", model.lora->base}, {"alpha", model.lora->alphas}};
  if (model.tokenizer)
    all["tokenizer"] = {{"kind", model.tokenizer->kind()}, {"vocab_size", model.tokenizer->vocab_size()}};
  if (training) {
    for (const Evaluation& e : training->history.evaluations)
      history.push_back({{"step", e.step}, {"train_loss", e.train_loss}, {"val_loss", e.val_loss}});
    all["config"] = json_of(training->config);
    all["numerics"] = training->numerics;
    if (!training->parent.empty()) all["parent"] = training->parent;
    all["history"] = history;
  }
  all["tensors"] = tensors;
  return all;
}

/// As the file says, whatever else it holds.
std::optional<int64_t> max_iters_of(const ConfigFile& file) {
  for (const Assignment& given : file.assignments)
    if (const auto* const whole = std::get_if<int64_t>(&given.value); whole && given.key == "max_iters")
      return *whole;
  return {};
}

/// The checkpoints of a run and how far it is.
ordered_json json_of_run(const RunFolder& run) {
  ordered_json checkpoints = run.steps();
  ordered_json all{{"run", run.path}, {"checkpoints", checkpoints}};
  if (is_there(run.config())) {
    const ConfigFile file = read_config(run.config());
    if (const auto most = max_iters_of(file)) all["max_iters"] = *most;
    all["data"] = file.data;
  }
  return all;
}

std::string scalar_text(const StateDict::Value& value) {
  if (const auto* number = std::get_if<int64_t>(&value)) return str(*number);
  if (const auto* number = std::get_if<double>(&value)) return str(*number);
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return "...";
}

std::string padded(std::string text, size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

std::string scientific(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%11.3e", value);
  return text;
}

std::string text_of(const OpenedModel& opened) {
  const ModelFile& model = opened.checkpoint.model;
  const auto& training = opened.checkpoint.training;
  int64_t parameters = 0;
  size_t widest = 0;
  for (const auto& [name, value] : model.weights.entries()) {
    parameters += std::get<Array>(value).size();
    widest = std::max(widest, name.size());
  }
  std::string text =
      str(opened.path, "\n  ", training ? str("step ", training->step, ", ") : "a model alone, ",
          grouped(parameters), " parameters\n  ", model.kind, ":");
  const char* between = " ";
  for (const auto& [name, value] : model.settings.entries()) {
    if (name == "must_know") continue;
    text += str(between, name, " ", scalar_text(value));
    between = ", ";
  }
  text += "\n";
  if (model.lora)
    text += str("  adapters of ", grouped(std::ssize(model.lora->alphas)),
                " layers, of a model with the digest ", model.lora->base, "\n");
  if (model.tokenizer)
    text += str("  tokenizer ", model.tokenizer->kind(), ", ", model.tokenizer->vocab_size(), " tokens\n");
  if (training && !training->parent.empty()) text += str("  goes on from ", training->parent, "\n");
  if (const Evaluation* const best = training ? training->history.best() : nullptr) {
    const Evaluation& last = training->history.evaluations.back();
    text += str("  last evaluation, step ", last.step, ": train ", fixed(last.train_loss, 4), ", validation ",
                fixed(last.val_loss, 4), "; best validation ", fixed(best->val_loss, 4), " at step ",
                best->step, "\n");
  }
  text += str("\n  ", padded("tensor", widest), "  ", padded("shape", 16),
              "       mean      spread     largest\n");
  for (const auto& [name, value] : model.weights.entries()) {
    const Array& array = std::get<Array>(value);
    const Spread s = spread_of(array);
    text += str("  ", padded(name, widest), "  ", padded(to_string(array.shape()), 16), scientific(s.mean),
                " ", scientific(s.deviation), " ", scientific(s.largest),
                array.all_finite() ? "\n" : "  not finite: no other command takes this file\n");
  }
  return text;
}

std::string text_of_run(const RunFolder& run) {
  std::string text = str(run.path, ": checkpoints at");
  for (const int64_t step : run.steps()) text += str(" ", step);
  if (is_there(run.config())) {
    const ConfigFile file = read_config(run.config());
    if (const auto most = max_iters_of(file)) text += str(" of ", *most, " updates");
    text += "; text";
    for (const std::string& path : file.data) text += " " + path;
  }
  return text + "\n";
}

}  // namespace

Work prepare_inspect(const InspectArguments& arguments) {
  Console console;
  const Say say = [&](std::string_view line) { console.print(line); };
  std::error_code error;
  const bool is_run =
      std::filesystem::is_directory(arguments.model, error) && RunFolder{arguments.model}.holds_run();
  std::optional<OpenedModel> file;
  if (is_run) file = newest_checkpoint({arguments.model}, say);
  if (!file) file = open_file(arguments.model, false, say);
  std::string told;
  if (arguments.json) {
    ordered_json all = is_run ? json_of_run({arguments.model}) : ordered_json::object();
    all.update(json_of(*file));
    told = all.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";  // a path may be any bytes
  } else {
    told = (is_run ? text_of_run({arguments.model}) : "") + text_of(*file);
  }
  return [told = std::move(told)] {
    write_out(told);
    return 0;
  };
}

}  // namespace weft::tools
