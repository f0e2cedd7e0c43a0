#include <weft/lib/base/advice.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/values.h>
#include <weft/lib/files/checkpoint.h>
#include <weft/train/files/adapters.h>
#include <weft/train/files/foreign_model.h>
#include <weft/train/files/near_paths.h>
#include <weft/train/files/opened_model.h>
#include <weft/train/files/run_log.h>
#include <weft/train/show/console.h>

#include <filesystem>

namespace weft {

namespace fs = std::filesystem;

namespace {

/// What `work` gives; its errors name the file.
template <class Work>
auto about_file(const std::string& path, Work&& work) {
  try {
    return work();
  } catch (const Error& error) {
    fail<FileError>(path, ": ", error.what());
  }
}

}  // namespace

void OpenedModel::check() const {
  about_file(path, [&] { checkpoint.model.check(); });
}

std::unique_ptr<Model> OpenedModel::build() const {
  return about_file(path, [&] { return checkpoint.model.build(); });
}

namespace {

/// RUN/before-1, or the next that is free.
std::string place_aside(const HeldFolder& held, const RunFolder& run) {
  for (int64_t n = 1;; ++n)
    if (const std::string place = str(run.path, "/before-", n); !is_there(place)) {
      held.make_folder(place);
      return place;
    }
}

OpenedModel whole_best(const RunFolder& run, const Say& say) {
  OpenedModel best{run.best(), RunCheckpoint::read(run.best(), say), run};
  if (!best.checkpoint.training)
    fail<FileError>(run.best(), ": holds a model alone, and nothing to go on with");
  return best;
}

/// Why a file is not what this run wrote as its best; empty when it may be.
std::string not_best(const OpenedModel& best, const std::optional<OpenedModel>& newest) {
  const TrainingState& t = *best.checkpoint.training;
  const Evaluation* const own = t.history.best();
  if (!own || own->step != t.step)
    return str("holds step ", t.step,
               own ? str(", but the best until then was step ", own->step) : ", which was not evaluated");
  if (!newest) return "";
  for (const Evaluation& theirs : newest->checkpoint.training->history.evaluations)
    for (const Evaluation& ours : t.history.evaluations)
      if (theirs.step == ours.step && theirs != ours)
        return str("is of another run: its validation loss at step ", ours.step, " is ", ours.val_loss,
                   ", not ", theirs.val_loss);
  return "";
}

}  // namespace

OpenedModel whole_best(const RunFolder& run) {
  return whole_best(run, [](std::string_view) {});
}

SavedState read_saved(const RunFolder& run, int64_t checkpoint_interval, const Say& say) {
  for (const std::string& place : {run.path, run.checkpoints(), run.cache()})
    if (is_there(place)) remove_partial_files(place);
  SavedState saved;
  const Say skip = [&](std::string_view line) {
    if (line.starts_with("skipped: ")) {
      saved.found.unreadable = true;
      saved.reasons += str("\n  ", line);
    }
    say(line);
  };
  std::vector<std::string> of_best;  // to be said behind what is said of the newest
  if (is_there(run.best())) {
    try {
      saved.best = whole_best(run, [&](std::string_view line) { of_best.emplace_back(line); });
      TrainingState& training = *saved.best->checkpoint.training;
      saved.best->checkpoint.model.weights = training.optimizer = training.weights = {};
    } catch (const FileError& error) {
      saved.best.reset();
      of_best.push_back(str("skipped: ", error.what()));
    }
  }
  saved.newest = newest_checkpoint(run, skip);
  if (saved.best)
    if (const std::string why = not_best(*saved.best, saved.newest); !why.empty()) {
      of_best.push_back(str("skipped: ", run.best(), ": ", why));
      saved.best.reset();
    }
  for (const std::string& line : of_best) skip(line);
  if (saved.newest) saved.found.newest = saved.newest->checkpoint.training->step;
  if (saved.best) saved.found.best = saved.best->checkpoint.training->step;
  const LoggedProgress logged = logged_progress(run.metrics(), checkpoint_interval);
  saved.found.was_saved = logged.checkpoint;
  saved.found.had_best = logged.best;
  return saved;
}

void restore_best(const HeldFolder& held, const RunFolder& run, const History& history,
                  std::optional<int64_t> best_step, const Say& say) {
  if (!best_step && is_there(run.best())) {
    const std::string place = str(place_aside(held, run), "/best.h5");
    held.rename(run.best(), place);
    say(str("what was ", run.best(), " is ", place));
  }
  const Evaluation* const wanted = history.best();
  if (!wanted || (best_step && *best_step >= wanted->step)) return;
  const std::string copy = run.checkpoint(wanted->step);
  if (is_there(copy)) {
    try {
      const auto found = RunCheckpoint::read(copy, [](std::string_view) {});
      if (found.training && found.training->history.evaluated(wanted->step)) {
        write_checkpoint_image(held, run.best(), read_file(copy));
        say(str(run.best(), ": restored from ", copy));
        return;
      }
    } catch (const FileError&) {
      // Said already, when the newest checkpoint was looked for.
    }
  }
  say(str("warning: ", run.best(), " of step ", wanted->step,
          " is lost; it comes back with the next better validation loss"));
}

void set_aside_after(const HeldFolder& held, const RunFolder& run, int64_t step, const Say& say) {
  std::string place;
  for (const int64_t found : run.steps()) {
    if (found <= step) continue;
    if (place.empty()) place = place_aside(held, run);
    const std::string file = run.checkpoint(found);
    held.rename(file, str(place, "/", fs::path(file).filename().string()));
  }
  if (!place.empty()) say(str("checkpoints behind step ", step, " are in ", place));
}

void set_aside(const HeldFolder& held, const RunFolder& run, const Say& say) {
  const std::string place = place_aside(held, run);
  std::vector<std::string> paths = run.records();
  paths.insert(paths.begin(), {run.checkpoints(), run.best()});
  for (const std::string& path : paths)
    if (is_there(path)) held.rename(path, str(place, "/", fs::path(path).filename().string()));
  say(str("what was there is in ", place, "; the run begins again"));
}

std::optional<OpenedModel> newest_checkpoint(const RunFolder& run, const Say& say) {
  const std::vector<int64_t> steps = run.steps();
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    const std::string path = run.checkpoint(*step);
    try {
      OpenedModel opened{path, RunCheckpoint::read(path, say), run};
      if (!opened.checkpoint.training)
        fail<FileError>(path, ": holds a model alone, and nothing to go on with");
      if (const int64_t found = opened.checkpoint.training->step; found != *step)
        fail<FileError>(path, ": holds step ", found, ", not the step that its name says");
      return opened;
    } catch (const FileError& error) {
      say(str("skipped: ", error.what()));
    }
  }
  return std::nullopt;
}

OpenedModel open_model(const std::string& run_or_file, bool last, const Say& say, const std::string& base) {
  OpenedModel opened = open_file(run_or_file, last, say);
  if (!opened.checkpoint.model.lora && !base.empty())
    fail<ValueError>("--base: ", opened.path, " is a whole model; --base is for adapters");
  if (opened.checkpoint.model.lora) complete(opened, base, say);
  return opened;
}

std::string name_of_model(const std::string& run_or_file) {
  const fs::path path = fs::absolute(run_or_file).lexically_normal();
  const fs::path name = path.has_filename() ? path.filename() : path.parent_path().filename();
  return (fs::is_directory(path) ? name : name.stem()).string();
}

OpenedModel open_file(const std::string& run_or_file, bool last, const Say& say) {
  std::error_code error;
  if (!fs::exists(run_or_file, error) && !error) fail_without_model(run_or_file);
  if (!fs::is_directory(run_or_file, error)) {
    refuse_foreign_model(run_or_file);
    if (last) fail<ValueError>("--last: is for a run's folder; ", run_or_file, " is not one");
    return {run_or_file, RunCheckpoint::read(run_or_file, say), run_of(run_or_file)};
  }
  const RunFolder run{run_or_file};
  if (const std::string alone = run_or_file + "/model.h5"; !run.holds_run() && is_there(alone)) {
    if (last) fail<ValueError>("--last: is for a run's folder; ", run_or_file, " holds a model alone");
    return {alone, RunCheckpoint::read(alone, say)};
  }
  if (!run.holds_run()) {
    refuse_foreign_model(run_or_file);
    fail_without_model(run_or_file);
  }
  if (!last && is_there(run.best())) {
    try {
      return {run.best(), RunCheckpoint::read(run.best(), say), run};
    } catch (const FileError& damage) {
      fail<FileError>(damage.what(), "; --last takes the newest checkpoint instead");
    }
  }
  if (auto newest = newest_checkpoint(run, say)) {
    if (!last) say(str(run.best(), " is not there; ", newest->path, " is used"));
    return std::move(*newest);
  }
  fail_with<FileError>({.lines = {str(program_name(), " train --resume ", weft::quoted(run_or_file))}},
                       run_or_file, ": holds no checkpoint that can be used; the run goes on by:");
}

std::string default_prompt(const Tokenizer& tokenizer) {
  const auto reads = [&](const std::string& prompt) {
    std::vector<int64_t> ids;
    return tokenizer.append_ids(prompt, ids) == prompt.size() && !ids.empty();
  };
  for (const char* prompt : {"\n", " "})
    if (reads(prompt)) return prompt;
  for (int64_t id = 0; id < tokenizer.vocab_size(); ++id)
    if (std::string prompt = tokenizer.decode(id); reads(prompt)) return prompt;
  return tokenizer.decode(0);
}

}  // namespace weft
