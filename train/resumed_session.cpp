#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/values.h>
#include <weft/lib/files/checkpoint.h>

#include <filesystem>

#include "init_from.h"
#include "text_task.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

bool exists(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error);
}

void remove_leftovers(const RunFolder& folder) {
  for (const std::string& place : {folder.path, folder.checkpoints(), folder.cache()})
    if (exists(place)) remove_partial_files(place);
}

/// The configuration as the run stands: config.toml, which may have changed only where a resume may.
Config config_of(const RunFolder& folder, const std::optional<ModelFile>& start) {
  if (!exists(folder.config()))
    fail<FileError>(folder.config(),
                    ": is missing, and with it where the text lies and how far to go; put it back, or "
                    "begin a new run from these weights: --init-from ",
                    folder.path);
  Config config;
  apply_file(config, folder.config());
  check(config);
  resolve(config);
  if (!start) return config;
  const Config& made_with = start->checkpoint.config;
  if (const Key* key = first_difference(config, made_with))
    fail<ValueError>(folder.config(), ": ", key->name, " is ", value_text(config, *key),
                     ", but the run was made with ", value_text(made_with, *key), "; only ", steering_keys(),
                     " may change");
  return config;
}

/// Whether a run that goes back behind best.h5 comes to the same evaluation again.
bool comes_again(int64_t best_step, const Config& before, const Config& now) {
  return before.eval_interval == now.eval_interval && before.eval_iters == now.eval_iters &&
         before.patience == now.patience && best_step <= now.max_iters &&
         (best_step % now.eval_interval == 0 || best_step == now.max_iters);
}

/// best.h5 as far as it can be read.
std::optional<ModelFile> read_best(Session& session) {
  const std::string path = session.folder().best();
  if (!exists(path)) return std::nullopt;
  try {
    return ModelFile{path, Checkpoint::read(path), session.folder()};
  } catch (const FileError& error) {
    session.notes.push_back(str("skipped: ", error.what()));
    return std::nullopt;
  }
}

/// best.h5 is written before the checkpoint that knows of it, so it is missing or damaged only when something
/// else touched it.
void restore_best(Session& session, const std::optional<ModelFile>& best) {
  const Evaluation* wanted = session.history.best();
  if (!wanted || (best && best->checkpoint.step >= wanted->step)) return;
  const std::string copy = session.folder().checkpoint(wanted->step);
  if (exists(copy)) {
    try {
      if (Checkpoint::read(copy).history.evaluated(wanted->step)) {
        write_checkpoint_image(session.folder().best(), read_file(copy));
        session.notes.push_back(str(session.folder().best(), ": restored from ", copy));
        return;
      }
    } catch (const FileError&) {
      // Said already, when the newest checkpoint was looked for.
    }
  }
  session.notes.push_back(str("warning: ", session.folder().best(), " of step ", wanted->step,
                              " is lost; it comes back with the next better validation loss"));
}

/// Refuses a text that is not the one the run was made with.
void check_text(const Config& config, const std::string& wanted) {
  const std::string found = text_digest(config);
  if (found != wanted)
    fail<ValueError>(config.data[0], config.data.size() > 1 ? " and the files after it" : "",
                     ": is not the text that the run was made with (digest ", found, ", not ", wanted,
                     "); a run goes on with the same text only");
}

void load(Session& session, const Checkpoint& checkpoint) {
  session.model->load_state_dict(checkpoint.model);
  session.optimizer->load_state_dict(checkpoint.optimizer);
  if (session.ema) session.ema->load_state_dict(checkpoint.ema);
  session.loader->load_state_dict(checkpoint.loader);
  session.step = checkpoint.step;
  session.history = checkpoint.history;
}

/// A checkpoint between two regular ones, which a stop left.
bool is_irregular(const Checkpoint& checkpoint, const Config& config) {
  const bool ended = checkpoint.step == config.max_iters ||
                     (config.patience > 0 && checkpoint.history.since_best() >= config.patience);
  return checkpoint.step % config.checkpoint_interval != 0 && !ended;
}

}  // namespace

std::shared_ptr<Session> resumed_session(const TrainArguments& arguments) {
  auto session = std::make_shared<Session>();
  session->claim.emplace(RunClaim::open(arguments.resume));
  const RunFolder& folder = session->folder();
  const Say say = [&](std::string_view line) { session->notes.emplace_back(line); };
  remove_leftovers(folder);

  std::optional<ModelFile> start = newest_checkpoint(folder, say);
  std::optional<ModelFile> best = read_best(*session);
  const Config before = config_of(folder, start ? start : best);
  Config& config = session->config;
  config = before;
  for (const std::string& setting : arguments.set) apply_setting(config, setting, true);
  // What best.h5 was before is gone: if this one does not come again, it is where the run stands.
  const bool ahead = best && (!start || best->checkpoint.step > start->checkpoint.step);
  const bool lost = !start && !folder.steps().empty();
  const bool from_best = ahead && (lost || !comes_again(best->checkpoint.step, before, config));
  if (from_best) start = best;
  if (best) best->checkpoint.model = best->checkpoint.optimizer = {};  // makes room for those of the run
  if (lost)
    session->notes.push_back(best ? str("no step can be read; going on from ", best->path)
                                  : "no checkpoint can be read; the run begins again");

  if (start && start->checkpoint.numerics != numerics_version)
    fail<FileError>(start->path, ": was made by a weft of numerics ", start->checkpoint.numerics,
                    "; this one has ", numerics_version,
                    " and would compute other bits. A new run can begin from it: --init-from");
  if (start && config.max_iters < start->checkpoint.step)
    fail<ValueError>("max_iters = ", config.max_iters, ": the run has made ", start->checkpoint.step,
                     " updates already");
  if (!arguments.data.empty()) config.data = arguments.data;
  for (std::string& path : config.data) path = fs::absolute(path).lexically_normal().string();
  const bool reads_text = config.task == text_task_name;
  if (reads_text && config.data.empty())
    fail<ValueError>(folder.config(), ": names no data; give --data FILE");
  const std::string toml = to_toml(config);
  const std::optional<ModelFile>& known = start ? start : best;
  if (known && reads_text) check_text(config, known->checkpoint.content_hash);

  std::optional<ModelFile> source;
  if (!known && !config.init_from.empty()) source = open_model(config.init_from, false, say);
  prepare_task(*session, known ? known->checkpoint.tokenizer : tokenizer_of(source, config));
  if (known && session->task.content_hash != known->checkpoint.content_hash)
    fail<FileError>(known->path, ": was trained on other samples of the task ", config.task,
                    " than this weft makes; a new run can begin from it: --init-from");
  build_model(*session);
  if (start) {
    load(*session, start->checkpoint);
    if (is_irregular(start->checkpoint, before)) session->stopped_at = session->step;
    session->saved_step = session->step;
    session->saved_evaluations = session->history.evaluations.size();
  } else if (source) {
    take_weights(*session, *source);
  }

  fs::create_directory(folder.checkpoints());
  if (from_best) write_checkpoint_image(folder.checkpoint(session->step), read_file(best->path));
  restore_best(*session, best);
  if (read_text(folder.config()) != toml) write_file(folder.config(), toml);
  session->metrics.emplace(folder.metrics(), session->step, session->history);
  if (session->metrics->unreadable() > 0)
    session->notes.push_back(
        str(folder.metrics(), ": ", session->metrics->unreadable(), " unreadable lines removed"));
  return session;
}

}  // namespace weft
