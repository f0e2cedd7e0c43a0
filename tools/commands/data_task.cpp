#include <weft/data/tasks/length_batches.h>
#include <weft/data/tasks/masking.h>
#include <weft/data/tasks/registry.h>
#include <weft/data/text/data_files.h>
#include <weft/layers/models/registry.h>
#include <weft/lib/base/error.h>
#include <weft/train/build.h>

#include <algorithm>

#include "data_inspect.h"
#include "tokenizer_input.h"

namespace weft::tools {
namespace {

bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::count(names, name) > 0;
}

/// The task that the columns are those of.
std::string task_of(const DataFiles& files) {
  if (files.plain) return "text";
  const RecordSettings& given = files.settings;
  const std::vector<std::string>& columns = files.present;
  const auto either = [&](const std::string& named, const char* usual) {
    return !named.empty() || has(columns, usual);
  };
  const bool both_sides = either(given.source, "source") && either(given.target, "target");
  if (parallel_files(files.paths[0]).size() > 1 || given.format == "pairs") return "pairs";
  if (either(given.text, "text") && either(given.label, "label")) return "classify";
  if (both_sides) return has(columns, "prefix") ? "text-to-text" : "pairs";
  const auto begins = [&](const char* name) {
    return std::ranges::any_of(columns, [&](const std::string& c) { return c.starts_with(str(name, ".")); });
  };
  for (const char* const turns : {"messages", "conversations", "conversation"})
    if (has(columns, turns) || begins(turns)) return "chat";
  for (const auto& [asked, answer] : {std::pair("question", "answer"),
                                      {"instruction", "output"},
                                      {"prompt", "response"},
                                      {"prompt", "completion"}})
    if (has(columns, asked) && has(columns, answer)) return "chat";
  return "text";
}

/// What a run is told: what the user said, but for columns that the task has none of.
std::vector<Assignment> told(const DataFiles& files, const DataArguments& arguments,
                             const std::string& task) {
  std::vector<Assignment> all;
  const auto add = [&](const std::string& key, const std::string& value) {
    all.push_back({str("--", key, ": "), key, value, true, false});
  };
  add("task", task);
  if (!arguments.model.empty()) add("model", models().at(arguments.model).name);
  if (!arguments.format.empty()) add("format", arguments.format);
  for (const std::string& typed : arguments.set) {
    Assignment given = setting_typed(typed);
    if (given.key == "task" || given.key == "model")
      fail<ValueError>(given.where, "is given by --", given.key);
    const bool of_records = RecordSettings::settings().find(given.key) != nullptr;
    const std::vector<Setting>& own = tasks().at(task).settings;
    if (of_records && std::ranges::count(own, given.key, &Setting::name) == 0) continue;
    all.push_back(std::move(given));
  }
  if (task == "text" && !files.plain) {
    // A table is none by itself to a language model: that reads files as they are.
    if (files.settings.text.empty() && files.present.size() > 1 && has(files.present, "text"))
      add("text", "text");
    if (files.settings.format.empty()) add("format", RecordReader(files.paths, files.options).format());
  }
  return all;
}

/// The samples as they are before they are put into batches, with masks or without; null of windows of a text.
std::shared_ptr<const IndexedTask> samples_of(std::shared_ptr<const Dataset> data) {
  if (const auto masked = std::dynamic_pointer_cast<const MaskedDataset>(data)) data = masked->texts();
  if (const auto batches = std::dynamic_pointer_cast<const LengthBatches>(data)) return batches->task();
  return std::dynamic_pointer_cast<const IndexedTask>(data);
}

double padding_in_order(const IndexedTask& task, int64_t batch_size) {
  constexpr int64_t most = 1 << 15;
  double all = 0, real = 0;
  const int64_t samples = std::min(most, task.samples_per_epoch());
  for (int64_t first = 0; first < samples; first += batch_size) {
    const int64_t end = std::min(samples, first + batch_size);
    int64_t input = 0, target = 0;
    for (int64_t n = first; n < end; ++n) {
      const IndexedTask::Lengths one = task.lengths(task.index_of(n));
      input = std::max(input, one.input);
      target = std::max(target, one.target);
      real += static_cast<double>(one.input + one.target);
    }
    all += static_cast<double>((end - first) * (input + target));
  }
  return all > 0 ? 1 - real / all : 0;
}

void measure(TaskReport& report, const TaskData& task, const RunConfig& config) {
  const auto samples = samples_of(task.training);
  const bool pictures = task.shape.kind == TaskKind::pictures || task.shape.kind == TaskKind::patches;
  if (!samples || pictures) return;  // all are of one size
  const int64_t tokens = config.parts.contains("batch_tokens") ? config.parts.integer("batch_tokens") : 0;
  for (int64_t n = 0; n < samples->samples_per_epoch(); ++n) {
    const IndexedTask::Lengths one = samples->lengths(samples->index_of(n));
    report.inputs.add(one.input, INT64_MAX);
    if (task.shape.kind == TaskKind::pairs) report.targets.add(one.target, INT64_MAX);
  }
  report.padding_by_length =
      LengthBatches(samples, config.batch_size, tokens, static_cast<uint64_t>(config.seed)).padding();
  report.padding_in_order = padding_in_order(*samples, config.batch_size);
}

/// Row `row` of ids without those behind `length`, of targets without those that are not asked for.
std::vector<int64_t> row_of(const Array& ids, int64_t row, int64_t length) {
  const int64_t width = ids.rank() > 1 ? ids.dim(1) : 1;
  const auto all =
      ids.values<int64_t>().subspan(static_cast<size_t>(row * width), static_cast<size_t>(width));
  std::vector<int64_t> kept;
  for (int64_t i = 0; i < std::min(length, width); ++i)
    if (all[static_cast<size_t>(i)] != Batch::ignored) kept.push_back(all[static_cast<size_t>(i)]);
  return kept;
}

ShownBatch shown(const TaskData& task, const Batch& batch, int64_t first, int64_t rows) {
  ShownBatch shown{.first = first, .rows = batch.inputs.dim(0), .width = batch.inputs.dim(1)};
  const bool pairs = task.shape.kind == TaskKind::pairs;
  shown.target_width = pairs ? batch.targets.dim(1) : 0;
  int64_t real = 0;
  for (int64_t row = 0; row < shown.rows; ++row) {
    const int64_t length = batch.lengths.empty() ? shown.width : batch.lengths[static_cast<size_t>(row)];
    ShownRow one{.ids = row_of(batch.inputs, row, length),
                 .target_ids = row_of(batch.targets, row, INT64_MAX)};
    real += length + (pairs ? std::ssize(one.target_ids) : 0);
    if (row >= rows) continue;
    if (task.tokenizer) one.text = task.tokenizer->decode(one.ids);
    const bool classes = task.shape.kind == TaskKind::classification;
    if (classes && !one.target_ids.empty())
      one.target = task.held_out->class_names().at(static_cast<size_t>(one.target_ids[0]));
    else if (task.tokenizer)
      one.target = task.tokenizer->decode(one.target_ids);
    shown.shown.push_back(std::move(one));
  }
  const int64_t tokens = shown.rows * (shown.width + shown.target_width);
  shown.padding = 1 - static_cast<double>(real) / static_cast<double>(tokens);
  return shown;
}

void show_batches(TaskReport& report, const TaskData& task, const RunConfig& config) {
  constexpr int64_t batches = 3, rows = 4;
  int64_t first = 0;
  for (int64_t i = 0; i < batches; ++i) {
    const int64_t count = task.training->next_batch(first, config.batch_size);
    report.batches.push_back(shown(task, task.training->batch(first, count), first, rows));
    first += count;
  }
}

void plan(TaskReport& report, const TaskData& task, const RunConfig& config) {
  try {
    report.memory = plan_memory(config, task);
  } catch (const Error& error) {
    report.memory_refused = error.what();
  }
}

TaskData opened(const RunConfig& config, const TaskReport& report, Console& console) {
  TaskRequest request = task_request(config, report.tokenizer);
  request.progress = [&console](int64_t done, int64_t all) {
    console.renew(str("as a run reads it: ", all > 0 ? 100 * done / all : 100, " %"));
  };
  return open_task(request);
}

}  // namespace

void measure_task(TaskReport& report, const TaskData& task, const RunConfig& config) {
  measure(report, task, config);
  plan(report, task, config);
}

std::optional<TaskReport> inspect_task(const DataFiles& files, const DataArguments& arguments,
                                       Console& console) {
  if (arguments.task == "none") {
    if (arguments.tokenizer.empty()) return {};
    return TaskReport{.task = "none", .tokenizer = open_tokenizer(arguments.tokenizer)};
  }
  TaskReport report{.task = arguments.task.empty() ? task_of(files) : arguments.task};
  if (!tasks().at(report.task).open)
    fail<ValueError>("--task ", report.task, ": makes its samples, and reads no files");
  RunConfig config = make_config(
      told(files, arguments, report.task), [&](std::string_view line) { report.notes.emplace_back(line); },
      true);
  config.data = arguments.files;
  config.val_data = arguments.val_data;
  report.model = config.model;
  report.batch_size = config.batch_size;
  if (!arguments.tokenizer.empty()) report.tokenizer = open_tokenizer(arguments.tokenizer);
  if (config.parts.contains("longest")) report.longest = config.parts.integer("longest");
  try {
    const TaskData task = opened(config, report, console);
    report.tokenizer = task.tokenizer;
    report.summary = task.summary;
    report.notes.insert(report.notes.end(), task.notes.begin(), task.notes.end());
    show_batches(report, task, config);
    measure_task(report, task, config);
  } catch (const Error& error) {
    if (!arguments.task.empty()) throw;
    report.refused = error.what();
  }
  console.clear();
  return report;
}

}  // namespace weft::tools
