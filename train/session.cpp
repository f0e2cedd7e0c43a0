#include <weft/data/text/data_files.h>
#include <weft/data/text/text.h>
#include <weft/data/text/tokenizer_registry.h>
#include <weft/layers/lora.h>
#include <weft/lib/base/advice.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/values.h>
#include <weft/lib/files/checkpoint.h>
#include <weft/train/files/adapters.h>
#include <weft/train/files/near_paths.h>
#include <weft/train/files/resume_choice.h>
#include <weft/train/files/run_paths.h>
#include <weft/train/first_session.h>
#include <weft/train/session.h>
#include <weft/train/show/console.h>
#include <weft/train/source.h>
#include <weft/train/time_budget.h>
#include <weft/train/transfer.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

namespace weft {
namespace {

namespace fs = std::filesystem;

using ReadProgress = std::function<void(int64_t done, int64_t all)>;

/// What a run learns, opened while the console tells how far it is. Stopped when a signal comes meanwhile.
void open_data(Session& s, const std::function<TaskData(const ReadProgress&)>& opened) {
  Console& console = s.console;
  s.task = opened([&console](int64_t done, int64_t all) {
    if (const int signal = StopSignals::received()) throw Stopped{signal};
    console.renew(str("reading the text: ", all > 0 ? 100 * done / all : 100, " %"));
  });
  console.clear();
  s.notes.insert(s.notes.end(), s.task.notes.begin(), s.task.notes.end());
}

/// What learns it, of a configuration that is settled, if it fits into memory; `base`, if not null, is the model that adapters
/// are of.
void open_parts(Session& s, int64_t profiled, const OpenedModel* base) {
  if (base) s.own = own_parts(s.config, s.task, *base);
  try {
    s.memory = plan_memory(s.config, s.task, profiled, s.own);
  } catch (const MemoryError& error) {
    fail_with<MemoryError>({.settings = settings_with_room(s.config, s.task, profiled, s.own)}, error.what());
  }
  s.model = build_model(s.config, s.task, s.own);
  if (base) s.lora = {weights_digest(base->checkpoint.model.weights), lora_alphas(*s.model)};
  s.optimizer = build_optimizer(s.config, *s.model);
  if (s.config.shard_optimizer) s.optimizer->share_out(s.processes);
  UpdateShare share{.batches = s.config.gradient_accumulation_steps};
  if (s.config.reduction_shards > 1) {
    s.shards.emplace(s.optimizer->parameters(), s.config.reduction_shards, s.processes);
    share = s.shards->share(s.config.gradient_accumulation_steps);
  }
  s.loader = std::make_unique<Loader>(s.task.training, s.config.batch_size, std::move(share));
  if (s.config.ema_decay > 0) s.ema.emplace(s.optimizer->parameters(), s.config.ema_decay);
}

void open(Session& s, const RunFolder& folder, std::shared_ptr<const Tokenizer> tokenizer,
          const std::string& expected_hash, int64_t profiled, const OpenedModel* base) {
  open_data(s, [&](const ReadProgress& progress) {
    return open_task(s.config, std::move(tokenizer), folder, expected_hash, progress);
  });
  open_parts(s, profiled, base);
}

std::vector<std::pair<std::string, SettingValue>> settings_of(const RunConfig& config) {
  std::vector<std::pair<std::string, SettingValue>> all;
  for (const Setting& key : keys_of(config)) all.emplace_back(key.name, value_of(config, key));
  return all;
}

RunAbout about(const Session& s) {
  const RunConfig& c = s.config;
  TrainedOn on{.task = c.task, .seed = static_cast<uint64_t>(c.seed), .newlines = c.newlines};
  if (c.parts.contains("block_size")) on.block_size = c.parts.integer("block_size");
  for (const Setting& setting : tasks().at(c.task).settings)
    if (c.parts.contains(setting.name)) on.settings.set(setting.name, c.parts.at(setting.name));
  return {.tokenizer = s.task.tokenizer,
          .end_ids = end_ids_of(c, s.task),
          .class_names = s.task.held_out ? s.task.held_out->class_names() : std::vector<std::string>(),
          .trained_on = std::move(on),
          .lora = s.lora,
          .saved = s.lora ? saved_parameters(*s.model, s.own) : std::vector<std::string>(),
          .config = fixed_state(c),
          .content_hash = s.task.content_hash,
          .bytes_per_target = s.task.unseen.bytes_per_target,
          .keep_checkpoints = c.keep_checkpoints,
          .tensorboard = c.tensorboard,
          .settings = settings_of(c),
          .checkpoint_interval = c.checkpoint_interval};
}

/// They are read when they are scored: what is mistyped is said now.
void check_test_data(const RunConfig& config) {
  if (!config.test_data.empty() && !tasks().at(config.task).reads_files(config.data))
    fail<ValueError>("--test-data: is for tasks on files; ", config.task, " makes its own samples");
  for (const std::string& path : config.test_data)
    for (const std::string& part : parallel_files(path))
      if (!names_data(part))
        fail<FileError>(part, ": is not there; --test-data names the files that ", program_name(),
                        " eval RUN --test scores");
}

/// Several texts are several words.
void check_no_commas(const std::vector<std::string>& data) {
  for (const std::string& path : data)
    if (const std::vector<std::string> parts = parallel_files(path);
        parts.size() > 1 && std::ranges::all_of(parts, names_data))
      fail_with<FileError>({.typed = {path}, .meant = parts}, path,
                           ": are files side by side, as pairs are; texts are named one behind the other");
}

/// What is likely not meant by these settings of the learning rate.
void warn_of_rate(const RunConfig& c, std::vector<std::string>& notes) {
  if (c.max_iters > 0 && learning_rate_at(c, std::max(c.lr_decay_iters, c.max_iters)) > c.learning_rate)
    notes.push_back(str("warning: min_lr ", c.min_lr, " is above learning_rate ", c.learning_rate,
                        ": the rate will rise, not fall"));
  if (c.warmup_iters >= c.max_iters && c.max_iters > 0 && c.warmup_iters > 0)
    notes.push_back(str("warning: warmup_iters ", c.warmup_iters, " is not below max_iters ", c.max_iters,
                        ": the run ends before the rate has reached learning_rate"));
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
    // Of what begins from another run's weights the size is there, and the length alone is chosen.
    if (!source)
      for (const Assignment& a : all) budget->given.insert(a.key);
    for (const std::string& typed : options.set) budget->given.insert(setting_typed(typed).key);
    if (budget->given.contains("max_iters"))
      fail<ValueError>("--minutes: says how long the run is, and so does max_iters; give one of them");
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

ConfigFile stored_file(const RunFolder& folder) {
  if (!is_there(folder.config()))
    fail<FileError>(
        folder.config(),
        ": is missing, and with it where the text lies and how far to go; put it back, or begin a new run "
        "from these weights: --init-from ",
        folder.path);
  return read_config(folder.config());
}

/// What of a configuration is not as a checkpoint was made with; empty when all is.
std::string difference_of(const RunConfig& config, const OpenedModel& saved, const Say& say) {
  return first_difference(config, config_from_state(saved.checkpoint.training->config, say));
}

/// The configuration as the run stands: config.toml, which may have changed only where a resume may.
RunConfig stored_config(const RunFolder& folder, const ConfigFile& file,
                        const std::optional<OpenedModel>& known, const Say& say) {
  std::vector<Assignment> assignments = known_assignments(file.assignments, say);
  RunConfig config = make_config(assignments, say);
  // A key that it lacks is younger than the run, which was made as it was before there was such.
  const size_t stored = assignments.size();
  for (const Setting& key : keys_of(config))
    if (key.before && std::ranges::count(file.assignments, key.name, &Assignment::key) == 0)
      assignments.push_back({"", key.name, *key.before});
  if (assignments.size() > stored) config = make_config(assignments);
  config.data = file.data;
  config.val_data = file.val_data;
  config.test_data = file.test_data;
  config.init_from = file.init_from;
  config.lora_base = file.lora_base;
  config.carries = file.carries;
  if (!known) return config;
  if (const std::string difference = difference_of(config, *known, say); !difference.empty())
    fail<ValueError>(folder.config(), ": ", difference, "; only ", steering_keys(), " may change");
  return config;
}

/// The interval of config.toml, for what the log tells; the default where it cannot be read.
int64_t interval_of(const RunFolder& folder) {
  int64_t interval = RunConfig().checkpoint_interval;
  if (!is_there(folder.config())) return interval;
  for (const Assignment& given : read_config(folder.config()).assignments)
    if (const auto* const whole = std::get_if<int64_t>(&given.value);
        whole && given.key == "checkpoint_interval")
      interval = *whole;
  return interval;
}

EvaluationPlan plan_of(const RunConfig& c) {
  return {.eval_interval = c.eval_interval,
          .eval_iters = c.eval_iters,
          .patience = c.patience,
          .max_iters = c.max_iters};
}

/// What a resume should know that makes updates behind the end of its schedule; empty when there is nothing.
std::string behind_schedule(const RunConfig& c, const RunFolder& folder) {
  const int64_t last = c.max_iters - 1;
  const double rate = learning_rate_at(c, last);
  if (last < c.lr_decay_iters || rate == c.learning_rate || rate != learning_rate_at(c, c.lr_decay_iters))
    return "";
  return str("warning: the schedule ends at update ", c.lr_decay_iters,
             " (lr_decay_iters), behind which the rate is ", rate, "; ", program_name(), " train --continue ",
             quoted(folder.path), " --set max_iters=", c.max_iters - c.lr_decay_iters,
             " goes on from it with a schedule of its own");
}

/// A checkpoint between two regular ones, which a stop left.
bool is_irregular(const TrainingState& t, const RunConfig& config) {
  const bool ended =
      t.step == config.max_iters || (config.patience > 0 && t.history.since_best() >= config.patience);
  return t.step % config.checkpoint_interval != 0 && !ended;
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
        "--minutes: is measured by one process; write a configuration with it (RUN/config.toml), and give all "
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
      budget->time.settle(s->config, s->task, budget->given);
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

namespace {

std::shared_ptr<Session> resumed_here(std::shared_ptr<Session> s, RunClaim claim,
                                      const ResumeOptions& options) {
  const bool writes = claim.writes();
  const RunFolder& folder = claim.folder();
  const Say say = [&](std::string_view line) { s->notes.emplace_back(line); };
  const int64_t interval = interval_of(folder);
  SavedState saved = read_saved(folder, interval, say);
  std::optional<OpenedModel>& best = saved.best;
  std::optional<OpenedModel> start = std::move(saved.newest);
  const FoundCheckpoints& found = saved.found;

  const ConfigFile file = stored_file(folder);
  const RunConfig before = stored_config(folder, file, start ? start : best, say);
  if (start && best)
    if (const std::string difference = difference_of(before, *best, [](std::string_view) {});
        !difference.empty())
      fail<FileError>(best->path, ": is of another run: ", difference,
                      "; put this run's own back, or move it away");
  s->config = steered(before, options.set);
  RunConfig& config = s->config;
  s->processes.shards(config.reduction_shards);
  ResumePoint point = choose_resume_point(found, plan_of(before), plan_of(config));
  if (point == ResumePoint::refused) {
    if (!options.start_over)
      fail_with<FileError>(
          {.more = {"--start-over"}}, folder.path,
          ": nothing that was saved can be read, so that nothing is begun anew over it", saved.reasons,
          saved.reasons.empty() ? " (the checkpoints are gone; the log tells of updates)" : "",
          "\n  mend what stands in the way, or move all of it aside and begin again: --start-over");
  } else if (options.start_over && writes) {
    fail<ValueError>("--start-over: ", folder.path,
                     " can go on; leave the option out, or begin a new run with --out");
  }
  if (point == ResumePoint::best) {
    if (!start && found.unreadable) say(str("no step can be read; going on from ", best->path));
    if (!start && !found.unreadable) say(str("the checkpoints are gone; going on from ", best->path));
    start.reset();
    start = whole_best(folder);
  } else if (point != ResumePoint::newest) {
    start.reset();
  }

  warn_of_rate(config, s->notes);
  if (const std::string warning = behind_schedule(config, folder); !warning.empty()) say(warning);
  if (start && config.max_iters < start->checkpoint.training->step)
    fail_with<ValueError>({.typed = {str("max_iters=", config.max_iters)},
                           .meant = {str("max_iters=", 2 * start->checkpoint.training->step)}},
                          "max_iters = ", config.max_iters, ": the run has made ",
                          start->checkpoint.training->step, " updates already");
  const std::optional<OpenedModel>& known = start ? start : best;
  const std::vector<std::string> named = config.data;
  config.data =
      !options.data.empty() ? options.data : data_found(folder, named, "--data", known.has_value(), say);
  if (!options.val_data.empty() && config.val_data.empty())
    fail<ValueError>("--val-data: the run validates on a part of its own data, and goes on so");
  if (!options.val_data.empty())
    config.val_data = options.val_data;
  else if (!config.val_data.empty())
    config.val_data = data_found(folder, config.val_data, "--val-data", known.has_value(), say);
  if (!options.base.empty() && config.lora_rank == 0)
    fail<ValueError>("--base: the run trains all of its weights, and has no base");
  if (!options.test_data.empty()) config.test_data = options.test_data;
  check_files_there("--data", options.data);
  for (std::vector<std::string>* const paths : {&config.data, &config.val_data, &config.test_data})
    for (std::string& path : *paths) path = absolute_path(path);
  if (!options.test_data.empty()) check_test_data(config);
  if (config.data.empty() && tasks().at(config.task).reads_files({}))
    fail<ValueError>(folder.config(), ": names no data; give --data FILE");
  std::optional<Source> source;
  const bool whole = config.carries == "all";
  if (!start && !config.init_from.empty())
    source.emplace(open_source(whole || options.base.empty() ? config.init_from : options.base,
                               config.carries.empty() ? "weights" : config.carries, say));
  if (!options.base.empty() && whole) config.lora_base = options.base;
  std::optional<OpenedModel> base;
  if (config.lora_rank > 0)
    base = start ? open_base(*start, options.base, say) : take_base(config, source, say);
  if (!options.base.empty()) config.lora_base = absolute_path(base->path);
  // A file that named its paths from the root keeps them so.
  const std::string toml = to_toml(config, file.paths_from_here || config.data != named ? folder.path : "");
  const bool reads_files = tasks().at(config.task).reads_files(config.data);
  open(*s, folder,
       known    ? known->checkpoint.model.tokenizer
       : source ? tokenizer_for(source->opened, config)
                : nullptr,
       known && reads_files ? known->checkpoint.training->content_hash : "", options.profiled,
       base ? &*base : nullptr);
  if (known && s->task.content_hash != known->checkpoint.training->content_hash)
    fail<FileError>(known->path, ": was trained on other samples of the task ", config.task,
                    " than this weft makes; a new run can begin from it: --init-from");
  // Now that the run is known to begin.
  if (point == ResumePoint::refused) set_aside(claim.held(), folder, say);
  RunAbout tells = about(*s);
  if (start) {
    const bool from_best = point == ResumePoint::best;
    const int64_t step = start->checkpoint.training->step;
    const bool irregular = is_irregular(*start->checkpoint.training, before);
    const std::string best_image = from_best ? start->path : "";
    if (writes) set_aside_after(claim.held(), folder, step, say);
    if (base) s->model->load_matching(base->checkpoint.model.weights);
    s->run.emplace(std::move(claim), s->parts(), std::move(tells), start->checkpoint, options.any_numerics);
    start.reset();
    if (from_best && writes)
      write_checkpoint_image(s->run->held(), s->run->folder().checkpoint(step), read_file(best_image));
    if (irregular) s->run->mark_stopped();
  } else {
    if (source) take_over(*s, *source);
    if (source && source->carries == "all") tells.parent = parent_of(*source);
    s->run.emplace(std::move(claim), s->parts(), std::move(tells));
  }
  if (!writes) return s;
  restore_best(s->run->held(), s->run->folder(), s->run->history(), found.best, say);
  if (read_text(s->run->folder().config()) != toml)
    write_file(s->run->held(), s->run->folder().config(), toml);
  for (const std::string& note : s->run->notes()) say(note);
  return s;
}

}  // namespace

std::shared_ptr<Session> resumed_session(const ResumeOptions& options) {
  auto s = std::make_shared<Session>();
  if (s->processes.is_first()) {
    s = resumed_here(std::move(s), RunClaim::open(options.run), options);
    FirstSession::tell(s->processes, s->run->folder(), s->run->held(), nullptr, s->task.content_hash);
  } else {
    // What the first one moves, restores and writes is so by then.
    const FirstSession first(s->processes);
    s = resumed_here(std::move(s), RunClaim::watch(first.folder), options);
  }
  check_alike(*s, s->run->step());
  return s;
}

}  // namespace weft
