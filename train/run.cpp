#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/lib/files/checkpoint.h>
#include <weft/lib/profile/profile.h>
#include <weft/train/files/opened_model.h>
#include <weft/train/run.h>
#include <weft/train/show/loss_plot.h>

#include <limits>

namespace weft {

Run::Run(RunClaim claim, RunParts parts, RunAbout about)
    : claim_(std::move(claim)), parts_(parts), about_(std::move(about)) {
  held().make_folder(folder().checkpoints());
  log_.emplace(held(), folder().metrics(), 0, History(), about_.bytes_per_target);
  if (!replaces()) claim_.keep();
}

Run::Run(RunClaim claim, RunParts parts, RunAbout about, const RunCheckpoint& from, bool any_numerics)
    : claim_(std::move(claim)), parts_(parts), about_(std::move(about)) {
  if (!from.training) fail<ValueError>(folder().path, ": a model alone has no training to go on with");
  const TrainingState& t = *from.training;
  if (t.numerics != numerics_version && !any_numerics)
    fail<FileError>(
        folder().path, ": was made by a weft of numerics ", t.numerics, "; this one has ", numerics_version,
        " and would compute other bits. --any-numerics goes on all the same; a new run can begin from it: "
        "--init-from");
  if (t.content_hash != about_.content_hash)
    fail<ValueError>(folder().path, ": was trained on other data (digest ", t.content_hash, ", not ",
                     about_.content_hash, "); a run goes on with the same data only");
  check_finite(from.trained_weights(), folder().path + ": ");
  parts_.model.load_state_dict(from.trained_weights());
  parts_.optimizer.load_state_dict(t.optimizer);
  if (parts_.ema) parts_.ema->load_state_dict(from.ema_state(parts_.optimizer.parameters()));
  parts_.loader.load_state_dict(t.loader);
  about_.parent = t.parent;
  step_ = saved_step_ = t.step;
  saved_evaluations_ = t.history.evaluations.size();
  held().make_folder(folder().checkpoints());
  log_.emplace(held(), folder().metrics(), step_, t.history, about_.bytes_per_target);
  claim_.keep();
}

Run Run::create_or_resume(const std::string& path, RunParts parts, RunAbout about, const Say& say) {
  if (!RunFolder{path}.holds_run()) return Run(RunClaim::create(path, false), parts, std::move(about));
  RunClaim claim = RunClaim::open(path);
  const RunFolder folder = claim.folder();
  SavedState saved = read_saved(folder, about.checkpoint_interval, say);
  // The loop is the same as before, so that every evaluation comes again.
  const EvaluationPlan plan{.eval_interval = 1, .max_iters = std::numeric_limits<int64_t>::max()};
  const ResumePoint point = choose_resume_point(saved.found, plan, plan);
  if (point == ResumePoint::refused)
    fail<FileError>(
        path,
        ": nothing that was saved can be read, so that nothing is begun anew over it; move the folder "
        "aside to begin again",
        saved.reasons);
  if (point == ResumePoint::beginning) return Run(std::move(claim), parts, std::move(about));
  const OpenedModel start = point == ResumePoint::best ? whole_best(folder) : std::move(*saved.newest);
  const TrainingState& t = *start.checkpoint.training;
  if (!identical(t.config, about.config))
    fail<ValueError>(path, ": was made with another configuration; give the run a folder of its own");
  set_aside_after(claim.held(), folder, t.step, say);
  const int64_t interval = about.checkpoint_interval;
  Run run(std::move(claim), parts, std::move(about), start.checkpoint);
  if (point == ResumePoint::best)
    write_checkpoint_image(run.held(), folder.checkpoint(t.step), read_file(folder.best()));
  if (t.step % interval != 0) run.mark_stopped();
  restore_best(run.held(), folder, run.history(), saved.found.best, say);
  for (const std::string& note : run.log().notes()) say(note);
  return run;
}

RunCheckpoint Run::checkpoint() const {
  RunCheckpoint made{.model = {.kind = parts_.model.kind(),
                               .settings = parts_.model.config_state(),
                               .weights = parts_.model.shared_state_dict(),
                               .tokenizer = about_.tokenizer,
                               .end_ids = about_.end_ids,
                               .class_names = about_.class_names,
                               .trained_on = about_.trained_on}};
  TrainingState t{.step = step_,
                  .config = about_.config,
                  .optimizer = parts_.optimizer.shared_state_dict(),
                  .loader = parts_.loader.state_dict(),
                  .content_hash = about_.content_hash,
                  .history = history(),
                  .parent = about_.parent};
  if (parts_.ema) {
    t.ema_updates = parts_.ema->updates();
    if (t.ema_updates > 0) {
      t.weights = made.model.weights;
      const StateDict averaged = parts_.ema->shared_state_dict();
      for (const auto& [name, average] : averaged.dict("average").entries())
        made.model.weights.set(name, std::get<Array>(average));
    }
  }
  made.training = std::move(t);
  return made;
}

void Run::check_weights() const {
  for (const NamedTensor& p : parts_.model.parameters())
    if (!p.tensor.value().all_finite())
      fail<NumericError>("update ", step_ - 1, " made '", p.name, "' not finite");
}

void Run::take_place() {
  if (!replaces()) return;
  claim_.change_over();
  log_->call(folder().metrics());
}

bool Run::record(const Evaluation& evaluation) {
  if (evaluation.step != step_)
    fail<ValueError>("run: an evaluation of step ", evaluation.step, " at step ", step_);
  check_weights();
  log_->add(evaluation);
  const bool best = history().since_best() == 0;
  if (best) {
    write_checkpoint(held(), folder().best(), checkpoint().state());
    take_place();
  }
  write_file(held(), folder().plot(), loss_plot(folder().path, log_->updates(), history().evaluations));
  return best;
}

void Run::record(const Update& update, bool logged) {
  if (update.step != step_) fail<ValueError>("run: an update of step ", update.step, " at step ", step_);
  if (parts_.ema) parts_.ema->update();
  if (logged) log_->add(update);
  ++step_;
}

void Run::save() {
  if (saved_step_ != step_ || saved_evaluations_ != history().evaluations.size()) {
    const PhaseScope phase("checkpoint");
    check_weights();
    log_->sync(held());
    write_checkpoint(held(), folder().checkpoint(step_), checkpoint().state());
    saved_step_ = step_;
    saved_evaluations_ = history().evaluations.size();
    take_place();
  }
  // Also of a checkpoint that was there already: the run that wrote it may have been killed before this.
  prune_checkpoints(held(), folder(), step_, about_.keep_checkpoints, stopped_at_);
}

}  // namespace weft
