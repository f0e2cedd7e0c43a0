#include "eval_task.h"

#include <weft/data/pictures/picture_task.h>
#include <weft/data/records/record_options.h>
#include <weft/data/sounds/sound_task.h>
#include <weft/data/tasks/table_task.h>
#include <weft/data/text/tokenize.h>
#include <weft/data/text/word_tokenizer.h>
#include <weft/layers/models/registry.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>
#include <weft/train/evaluate.h>
#include <weft/train/files/run_paths.h>
#include <weft/train/scoring.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "built_model.h"
#include "json_line.h"
#include "mistakes_page.h"

namespace weft::tools {
namespace {

/// Tokens that are read while each is hidden alone: so many samples that it takes little time.
constexpr int64_t most_reread = 200'000;

struct TaskEval {
  Console console;
  std::shared_ptr<OpenedModel> opened;
  EvalArguments arguments;
  std::shared_ptr<const TaskDataset> task;
  std::optional<TaskData> plain;  ///< of a task that tells nothing but its loss
  std::shared_ptr<Model> model;
  int64_t samples = 0;
  int64_t hidden_samples = 0;            ///< those of which each token was hidden alone
  std::string about;                     ///< a line for people
  std::optional<MistakesPage> mistakes;  ///< of pictures and sounds

  const ModelFile& file() const { return opened->checkpoint.model; }
};

std::string lines_of(const TaskScores& found) {
  std::string lines;
  for (const Score& s : found.scores) {
    std::string line = s.name;
    line.resize(std::max<size_t>(line.size() + 2, 20), ' ');
    lines += str(line, fixed(s.value, 6), "\n");
  }
  return lines;
}

constexpr int64_t most_classes_shown = 12;

/// A row for each class, a column for each answer.
std::string table_of(const Confusion& confusion, const std::vector<std::string>& names) {
  const int64_t classes = confusion.classes();
  if (classes > most_classes_shown) return "";
  size_t width = 6;
  for (const std::string& name : names) width = std::max(width, std::min<size_t>(name.size(), 14));
  const auto cell = [&](std::string text) {
    if (text.size() > width) text.resize(width);
    return str(std::string(width - text.size() + 1, ' '), text);
  };
  std::string text = str("what it is, and below what the model says\n", cell(""));
  for (const std::string& name : names) text += cell(name);
  for (int64_t row = 0; row < classes; ++row) {
    text += str("\n", cell(names[static_cast<size_t>(row)]));
    for (int64_t column = 0; column < classes; ++column)
      text += cell(std::to_string(confusion.count(row, column)));
  }
  return text + "\n";
}

nlohmann::ordered_json json_of(const TaskEval& e, const TaskScores& found) {
  nlohmann::ordered_json all;
  for (const Score& s : found.scores) all[s.name] = s.value;
  all["tokens"] = found.tokens;
  all["samples"] = e.samples;
  if (e.hidden_samples > 0) all["pseudo_perplexity_samples"] = e.hidden_samples;
  if (!e.arguments.data.empty()) all["data"] = e.arguments.data;
  if (found.confusion && !e.task->class_names().empty()) {
    all["classes"] = e.task->class_names();
    auto& rows = all["confusion"] = nlohmann::ordered_json::array();
    for (int64_t row = 0; row < found.confusion->classes(); ++row) {
      nlohmann::ordered_json counts = nlohmann::ordered_json::array();
      for (int64_t column = 0; column < found.confusion->classes(); ++column)
        counts.push_back(found.confusion->count(row, column));
      rows.push_back(std::move(counts));
    }
  }
  return all;
}

/// Where a sample of a user's files comes from.
void add_place(nlohmann::ordered_json& json, const TaskDataset& task, int64_t sample) {
  const std::vector<std::vector<SamplePlace>> places = task.places(sample, 1);
  if (places.empty() || places[0].empty()) return;
  json["file"] = places[0][0].first.file;
  json["line"] = places[0][0].first.line;
}

ScoringOptions options_of(TaskEval& e) {
  ScoringOptions options{.beams = e.arguments.beams, .each = [&e](int64_t done) {
                           e.console.renew(str("evaluating: ", 100 * done / e.samples, " %"));
                         }};
  if (!e.arguments.per_line && !e.mistakes) return options;
  options.row = [&e](int64_t sample, const RowScore& row) {
    if (e.mistakes) e.mistakes->add(sample, row);
    if (!e.arguments.per_line) return;
    nlohmann::ordered_json line{{"sample", sample}};
    add_place(line, *e.task, sample);
    line["loss"] = row.tokens > 0 ? row.loss / static_cast<double>(row.tokens) : 0;
    line["tokens"] = row.tokens;
    line["target"] = row.target;
    line["answer"] = row.answer;
    line["right"] = row.answer == row.target;
    if (row.probability >= 0) line["probability"] = row.probability;
    write_out(json_line(line));
  };
  return options;
}

int work(TaskEval& e) {
  if (!e.task) {
    const LossMeter meter = evaluate(*e.model, e.plain->unseen, ScoringOptions().batch_size);
    const TaskScores found{.scores = {{"loss", meter.mean()}}, .confusion = {}, .tokens = meter.count()};
    write_out(e.arguments.json ? json_line(nlohmann::ordered_json{{"loss", meter.mean()}}) : lines_of(found));
    return 0;
  }
  TaskScores found = score(*e.model, *e.task, e.samples, options_of(e));
  if (e.task->kind() == TaskKind::masked && e.task->samples_per_epoch() == e.samples) {
    for (int64_t read = 0; e.hidden_samples < e.samples && read < most_reread;) {
      const int64_t tokens = e.task->batch(e.hidden_samples++, 1).inputs.size();
      read += tokens * tokens;
    }
    found.scores.push_back(
        {"pseudo_perplexity", pseudo_perplexity(*e.model, *e.task, e.hidden_samples, [&](int64_t done) {
           e.console.renew(str("hiding each token: ", 100 * done / e.hidden_samples, " %"));
         })});
  }
  e.console.clear();
  const std::string lines =
      str(e.about, e.about.empty() ? "" : "\n", lines_of(found),
          e.hidden_samples > 0 && e.hidden_samples < e.samples
              ? str("pseudo_perplexity is of the first ", grouped(e.hidden_samples), " samples\n")
              : "",
          found.confusion ? table_of(*found.confusion, e.task->class_names()) : "");
  if (e.arguments.per_line)
    e.console.print(lines.substr(0, lines.size() - 1));
  else
    write_out(e.arguments.json ? json_line(json_of(e, found)) : lines);
  if (e.mistakes) {  // when the scores are told, whatever becomes of the page
    const std::string path = e.opened->run->mistakes();
    write_file(path, e.mistakes->page());
    e.console.print(str(path, ": the ", e.mistakes->what(), " that are taken for something else, ",
                        grouped(e.mistakes->count())));
  }
  return 0;
}

/// A generated task by its scores over samples that no training sees.
void make_samples(TaskEval& e, const TaskEntry& entry) {
  const TrainedOn& trained = e.file().trained_on;
  check_kind(e.file(), entry);
  TaskOptions options = task_options(trained.settings);
  options.seed = trained.seed;
  options.split = Split::validation;
  options.samples = 0;
  if (e.arguments.length > 0) options.min_length = options.max_length = e.arguments.length;
  options.tokenizer = std::dynamic_pointer_cast<const WordTokenizer>(e.file().tokenizer);
  if (entry.open && e.file().tokenizer && !options.tokenizer)
    fail<ValueError>(e.opened->path, ": learned the task ", entry.name,
                     " from files, which are not known here; give --data FILE");
  e.task = make_task(entry.name, options);
  if (e.file().tokenizer && e.task->tokenizer() &&
      !identical(e.task->tokenizer()->state_dict(), e.file().tokenizer->state_dict()))
    fail<ValueError>("--task ", entry.name, ": is of words of its own, but ", e.opened->path,
                     " reads another vocabulary; give --data FILE");
  e.samples = e.arguments.samples > 0 ? e.arguments.samples : EvalArguments::usual_samples;
}

/// What its config.toml names; nothing of a model outside of a run.
ConfigFile config_of_run(const OpenedModel& opened) {
  return opened.run && is_there(opened.run->config()) ? read_config(opened.run->config()) : ConfigFile();
}

/// What the run keeps from training.
void open_held_out(TaskEval& e, const TaskEntry& entry) {
  if (entry.name != e.file().trained_on.task)
    fail<ValueError>("--task ", entry.name, ": the run learned ", e.file().trained_on.task,
                     "; give --data FILE to score it on another task");
  if (!e.arguments.set.empty())
    fail<ValueError>("--set: says how the files of --data are read; those of the run are read as they were");
  const TaskRequest request =
      held_out_request(*e.opened, entry, [&](std::string_view line) { e.console.print(line); });
  TaskData data = [&] {
    try {
      return open_task(request);
    } catch (const OtherText& error) {
      fail<FileError>(error.what(), "; --data FILE scores any");
    }
  }();
  e.task = data.held_out;
  if (!e.task) e.plain = std::move(data);
  const std::vector<std::string>& from = request.val_data.empty() ? request.data : request.val_data;
  e.about = str(request.val_data.empty() ? str("what ", e.opened->run->path, " keeps from training of ")
                                         : std::string("all of "),
                from[0], from.size() > 1 ? str(" and ", from.size() - 1, " more") : "");
}

}  // namespace

SettingValues settings_with(const TaskEntry& entry, const SettingValues& trained,
                            const std::vector<std::string>& set) {
  SettingValues all;
  for (const Setting& s : entry.settings)
    all.set(s.name, trained.contains(s.name) ? trained.at(s.name) : s.value);
  for (const std::string& typed : set) {
    const Assignment given = setting_typed(typed);
    const auto found = std::ranges::find(entry.settings, given.key, &Setting::name);
    const bool reads = RecordSettings::settings().find(given.key) || given.key == "prefix" ||
                       given.key == "file" || given.key == "labels" || given.key == "mask";
    if (found == entry.settings.end() || !reads)
      fail<ValueError>(given.where, "says nothing of how files of the task ", entry.name,
                       " are read; columns are set so: text=2, or format=csv");
    const auto value = parsed(*found, std::get<std::string>(given.value));
    if (!value) fail<ValueError>(given.where, "must be ", wanted(*found));
    all.set(given.key, *value);
  }
  return all;
}

void check_kind(const ModelFile& model, const TaskEntry& entry) {
  const TaskEntry* const own = tasks().find(model.trained_on.task);
  const std::vector<TaskKind>& learns = models().at(model.kind).learns;
  if (own && entry.kind != own->kind)
    fail<ValueError>("--task ", entry.name, ": is of the kind '", name_of(entry.kind),
                     "', but this model learned ", own->name, ", of the kind '", name_of(own->kind), "'");
  if (!own && std::ranges::count(learns, entry.kind) == 0)
    fail<ValueError>("--task ", entry.name, ": is of the kind '", name_of(entry.kind), "', which a ",
                     model.kind, " does not learn");
}

TaskRequest request_of(const ModelFile& model, const TaskEntry& entry, const std::vector<std::string>& set) {
  SettingValues settings = settings_with(entry, model.trained_on.settings, set);
  if (entry.kind == TaskKind::patches && model.settings.contains("patch_size"))
    settings.set("patch_size", model.settings.integer("patch_size"));
  return {.name = entry.name,
          .settings = std::move(settings),
          .seed = model.trained_on.seed,
          .class_names = model.class_names,
          .newlines = newlines_from(model.trained_on.newlines),
          .tokenizer = model.tokenizer};
}

TaskRequest held_out_request(const OpenedModel& opened, const TaskEntry& entry, const Say& say) {
  const ConfigFile config = config_of_run(opened);
  if (config.data.empty())
    fail<ValueError>(opened.path,
                     ": does not lie in a run's folder, so that its data are not known; give --data FILE");
  TaskRequest request = request_of(opened.checkpoint.model, entry, {});
  const bool checked = opened.checkpoint.training.has_value();
  if (checked) request.expected_hash = opened.checkpoint.training->content_hash;
  request.data = data_found(*opened.run, config.data, "--data", checked, say);
  if (!config.val_data.empty())
    request.val_data = data_found(*opened.run, config.val_data, "--data", checked, say);
  // A run without a cache gets none by being scored.
  if (is_there(opened.run->cache())) {
    request.cache_folder = opened.run->cache();
    request.other_caches = opened.run->caches_beside();
  }
  return request;
}

int64_t longest_read(const ModelFile& model) {
  return model.settings.contains("block_size") ? model.settings.integer("block_size") : 0;
}

Work prepare_task_eval(const std::shared_ptr<OpenedModel>& opened, const EvalArguments& arguments,
                       const TaskEntry& entry) {
  if (arguments.stride > 0)
    fail<ValueError>("--stride: is for models of text; this one learned the task ",
                     opened->checkpoint.model.trained_on.task);
  auto e = std::make_shared<TaskEval>();
  e->opened = opened;
  e->arguments = arguments;
  if (!arguments.data.empty()) {
    if (!entry.open)
      fail<ValueError>("--data: is for tasks on files; ", entry.name, " makes its own samples");
    check_kind(e->file(), entry);
    TaskRequest request = request_of(e->file(), entry, arguments.set);
    request.data = arguments.data;
    if (request.settings.contains("longest")) request.settings.set("longest", longest_read(e->file()));
    if (request.settings.contains("channels")) {
      request.settings.set("image_size", e->file().settings.integer("image_size"));
      request.settings.set("channels", e->file().settings.integer("n_channel"));
    }
    if (request.settings.contains("sample_rate"))
      for (const char* const key : {"sample_rate", "n_mels"})
        request.settings.set(key, e->file().settings.integer(key));
    if (entry.open_to_score)
      e->task = entry.open_to_score(request);
    else
      e->plain = open_task(request);
    e->about = str("all of ", arguments.data[0],
                   arguments.data.size() > 1 ? str(" and ", arguments.data.size() - 1, " more") : "");
  } else if (entry.generate && (!entry.open || config_of_run(*e->opened).data.empty())) {
    if (!arguments.set.empty())
      fail<ValueError>("--set: says how the files of --data are read, and none are given");
    make_samples(*e, entry);
  } else {
    open_held_out(*e, entry);
  }
  if (e->samples == 0 && e->task) {
    const int64_t all = e->task->samples_per_epoch();
    e->samples = arguments.samples > 0 ? std::min(arguments.samples, all) : all;
    e->about += str(": ", grouped(e->samples), " samples");
  }
  if (arguments.length > 0 && !entry.generate)
    fail<ValueError>("--length: is of tasks that make sequences; this model learned ", entry.name);
  if (arguments.beams > 0 && !(e->task && e->task->asks()))
    fail<ValueError>("--beams: is of answers that are written; the task ", entry.name, " has none");
  if (arguments.per_line && !e->task)
    fail<ValueError>("--per-line: the task ", entry.name, " tells nothing of single samples");
  if (const auto* const table = dynamic_cast<const TableTask*>(e->task.get())) {
    const TableTask::Origin& from = table->origin();
    if (from.table)
      for (const std::string& note : from.table->notes().lines()) e->console.print(note);
    if (from.cut > 0)
      e->console.print(str("warning: ", grouped(from.cut), " texts have more than ", longest_read(e->file()),
                           " tokens, the model's context, and are cut"));
  }
  if (const auto sounds = std::dynamic_pointer_cast<const SoundTask>(e->task)) {
    for (const std::string& note : sounds->parts().sounds->notes()) e->console.print(note);
    if (e->opened->run) e->mistakes.emplace(sounds);
  }
  if (const auto pictures = std::dynamic_pointer_cast<const PictureTask>(e->task)) {
    for (const std::string& note : pictures->notes()) e->console.print(note);
    if (e->opened->run && pictures->kind() == TaskKind::pictures) e->mistakes.emplace(pictures);
  }
  e->model = built_model(*e->opened, arguments.weights);
  return [e] { return work(*e); };
}

}  // namespace weft::tools
