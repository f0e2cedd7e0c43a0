#include <weft/lib/base/advice.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/values.h>
#include <weft/lib/files/checkpoint.h>
#include <weft/train/files/adapters.h>
#include <weft/train/files/near_paths.h>
#include <weft/train/files/resume_choice.h>
#include <weft/train/files/run_paths.h>
#include <weft/train/first_session.h>
#include <weft/train/source.h>
#include <weft/train/transfer.h>

#include <algorithm>
#include <utility>

#include "session_internal.h"

namespace weft {

using namespace session;

namespace {

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
