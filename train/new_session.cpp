#include <weft/data/text/data_files.h>
#include <weft/data/text/text.h>
#include <weft/data/text/tokenizer_registry.h>
#include <weft/lib/base/advice.h>
#include <weft/lib/base/file.h>
#include <weft/train/files/near_paths.h>
#include <weft/train/files/run_paths.h>
#include <weft/train/first_session.h>
#include <weft/train/source.h>
#include <weft/train/time_budget.h>
#include <weft/train/transfer.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "session_internal.h"

namespace weft {

using namespace session;

namespace {

namespace fs = std::filesystem;

/// Several texts are several words.
void check_no_commas(const std::vector<std::string>& data) {
  for (const std::string& path : data)
    if (const std::vector<std::string> parts = parallel_files(path);
        parts.size() > 1 && std::ranges::all_of(parts, names_data))
      fail_with<FileError>({.typed = {path}, .meant = parts}, path,
                           ": are files side by side, as pairs are; texts are named one behind the other");
}

/// What --minutes chooses, and the keys that were given, which it leaves as they are.
struct Budget {
  TimeBudget time;
  std::set<std::string> given = {};
};

/// Defaults, then what the budget says, the source, --config, options and --set.
std::optional<Source> configure(Session& s, const NewRunOptions& options, Budget* budget = nullptr) {
  ConfigFile file;
  if (!options.config.empty()) {
    check_files_there("--config", {options.config});
    file = read_config(options.config);
  }
  const std::string from = !options.continued.empty()   ? options.continued
                           : !options.init_from.empty() ? options.init_from
                                                        : file.init_from;
  std::vector<Assignment> all;
  std::optional<Source> source;
  RunConfig before;
  if (!from.empty()) {
    const Say say = [&](std::string_view line) { s.notes.emplace_back(line); };
    const bool whole = !options.continued.empty() || (options.init_from.empty() && file.carries == "all");
    source.emplace(open_source(from,
                               whole                                                ? "all"
                               : options.with_optimizer                             ? "optimizer"
                               : options.init_from.empty() && !file.carries.empty() ? file.carries
                                                                                    : "weights",
                               say));
    if (!options.continued.empty()) {
      if (!source->opened.checkpoint.training)
        fail<ValueError>(
            "--continue: ", source->opened.path,
            " holds a model alone, without a training to go on with; --init-from takes its weights");
      before = config_from_state(source->opened.checkpoint.training->config, say);
      if (source->opened.run && is_there(source->opened.run->config())) {
        const ConfigFile theirs = read_config(source->opened.run->config());
        const std::vector<Assignment> known = known_assignments(theirs.assignments, say);
        before.data = theirs.data;
        before.val_data = theirs.val_data;
        before.test_data = theirs.test_data;
        // A file of another run that lies here is not of this configuration.
        if (first_difference(make_config(known), before).empty()) all = known;
      }
      if (all.empty()) all = assignments_of(before);
    } else {
      all = shape_of(source->opened);
    }
  }
  all.insert(all.end(), file.assignments.begin(), file.assignments.end());
  if (!options.model.empty()) all.push_back(setting_typed("model=" + options.model));
  if (!options.task.empty()) all.push_back(setting_typed("task=" + options.task));
  bool schedule_set = false, length_set = false;
  for (const std::string& typed : options.set) {
    all.push_back(setting_typed(typed));
    schedule_set = schedule_set || all.back().key == "lr_decay_iters";
    length_set = length_set || all.back().key == "max_iters";
  }
  // A schedule as long as the new run, unless it was told.
  if (!options.continued.empty() && length_set && !schedule_set)
    std::erase_if(all, [](const Assignment& a) { return a.key == "lr_decay_iters"; });
  const bool on_files = !options.data.empty() || !file.data.empty() || !before.data.empty();
  if (budget) {
    for (const Assignment& a : file.assignments) budget->given.insert(a.key);
    for (const std::string& typed : options.set) budget->given.insert(setting_typed(typed).key);
    if (budget->given.contains("max_iters"))
      fail<ValueError>("--minutes: says how long the run is, and so does max_iters; give one of them");
    // Of what begins from another run's weights the size is there, and the length alone is chosen.
    if (!source) {
      const std::vector<Assignment> chosen =
          budget->time.settings(all, !options.data.empty() ? options.data : file.data);
      all.insert(all.begin(), chosen.begin(), chosen.end());
    }
  }
  s.config = make_config(
      all, [&](std::string_view line) { s.notes.emplace_back(line); }, on_files);
  RunConfig& config = s.config;
  if (source) {
    config.init_from = absolute_path(source->opened.path);
    config.carries = source->carries;
  }
  if (options.init_from.empty() && options.continued.empty()) config.lora_base = file.lora_base;
  check_adapters(config, source, [&](std::string_view line) { s.notes.emplace_back(line); });
  warn_of_rate(config, s.notes);

  config.data = !options.data.empty() ? options.data : !file.data.empty() ? file.data : before.data;
  if (options.data.empty() && file.data.empty() && !before.data.empty())
    config.data = data_found(*source->opened.run, before.data, "--data", false, [](std::string_view) {});
  config.val_data = !options.val_data.empty() ? options.val_data : file.val_data;
  if (config.val_data.empty() && !before.val_data.empty() && options.data.empty() && file.data.empty())
    config.val_data =
        data_found(*source->opened.run, before.val_data, "--val-data", false, [](std::string_view) {});
  config.test_data = !options.test_data.empty() ? options.test_data
                     : !file.test_data.empty()  ? file.test_data
                                                : before.test_data;
  if (config.data.empty() && tasks().at(config.task).reads_files({})) fail_without_data();
  check_files_there("--data", config.data);
  check_files_there("--val-data", config.val_data);
  if (config.task == "text") check_no_commas(config.data);
  for (std::vector<std::string>* const paths : {&config.data, &config.val_data, &config.test_data})
    for (std::string& path : *paths) path = absolute_path(path);
  check_test_data(config);
  return source;
}

/// Before a folder is made: texts that are no text are told of.
void check_readable(const RunConfig& config) {
  if (config.task == "text")
    const TextReader readable(without_weights(config.data), {.utf8 = tokenizers().at(config.tokenizer).utf8});
}

}  // namespace

std::shared_ptr<Session> trial_session(const NewRunOptions& options) {
  auto s = std::make_shared<Session>();
  if (s->processes.size() > 1)
    fail<StateError>("a trial is of one process, without mpirun; what it finds holds for any number of them");
  std::optional<Source> source = configure(*s, options);
  check_readable(s->config);
  const std::optional<OpenedModel> base =
      take_base(s->config, source, [&](std::string_view line) { s->notes.emplace_back(line); });
  open_data(*s, [&](const ReadProgress& progress) {
    TaskRequest request =
        task_request(s->config, source ? tokenizer_for(source->opened, s->config) : nullptr);
    request.progress = progress;
    return open_task(request);
  });
  open_parts(*s, 0, base ? &*base : nullptr);
  if (source) take_over(*s, *source);
  return s;
}

std::shared_ptr<Session> new_session(const NewRunOptions& options) {
  if (options.overwrite && options.out.empty())
    fail<ValueError>("--overwrite: needs --out RUN, the run to replace");
  auto s = std::make_shared<Session>();
  std::optional<Budget> budget;
  if (options.minutes > 0) budget.emplace(TimeBudget(options.minutes));
  if (budget && s->processes.size() > 1)
    fail<ValueError>(
        "--minutes: is measured by one process; write a configuration with it (RUN/config.toml), and give "
        "all "
        "processes that: --config");
  std::optional<Source> source = configure(*s, options, budget ? &*budget : nullptr);
  const RunConfig& config = s->config;
  s->processes.shards(config.reduction_shards);  // refuses what does not fit
  check_readable(config);

  const auto begin = [&](RunClaim claim) {
    RunAbout tells = about(*s);
    if (source && source->carries == "all") tells.parent = parent_of(*source);
    s->run.emplace(std::move(claim), s->parts(), std::move(tells));
    return s;
  };
  const std::optional<OpenedModel> base =
      take_base(s->config, source, [&](std::string_view line) { s->notes.emplace_back(line); });
  const OpenedModel* const below = base ? &*base : nullptr;
  const std::shared_ptr<const Tokenizer> known = source ? tokenizer_for(source->opened, config) : nullptr;
  if (!s->processes.is_first()) {
    const FirstSession first(s->processes);
    RunClaim claim = RunClaim::watch(first.folder);
    const bool reads_files = tasks().at(config.task).reads_files(config.data);
    open(*s, claim.folder(), known ? known : first.tokenizer, reads_files ? first.content_hash : "",
         options.profiled, below);
    if (source) take_over(*s, *source);
    check_alike(*s, 0);
    return begin(std::move(claim));
  }

  const std::string name = config.data.empty() ? config.model + "-" + config.task
                                               : fs::path(weighted_path(config.data[0]).path).stem().string();
  RunClaim claim = [&] {
    try {
      return options.out.empty() ? RunClaim::create_free(name)
                                 : RunClaim::create(options.out, options.overwrite);
    } catch (const FileError& error) {
      fail_elsewhere(options.out.empty() ? "runs/" + name : options.out, error);
    }
  }();
  const auto write_config = [&] {
    write_file(claim.held(), claim.folder().config(), to_toml(config, claim.called()));
  };
  try {
    // As soon as it is there, a run that is killed while it is made can be resumed.
    if (!budget) write_config();
    open_data(*s, [&](const ReadProgress& progress) {
      return open_task(config, known, claim.folder(), "", progress);
    });
    if (budget) {
      budget->time.settle(s->config, s->task, budget->given,
                          below ? own_parts(s->config, s->task, *below) : OwnParts());
      s->notes.insert(s->notes.end(), budget->time.reasons().begin(), budget->time.reasons().end());
      write_config();
    }
    open_parts(*s, options.profiled, below);
    if (source) take_over(*s, *source);
    FirstSession::tell(s->processes, claim.folder(), claim.held(), s->task.tokenizer, s->task.content_hash);
    check_alike(*s, 0);
  } catch (const Stopped&) {
    if (!claim.overwrites() && is_there(claim.folder().config())) claim.keep();
    throw;
  } catch (...) {
    // A folder that was there is left as it was, so that the corrected command finds it free.
    claim.held().remove(claim.folder().config());
    throw;
  }
  return begin(std::move(claim));
}

}  // namespace weft
