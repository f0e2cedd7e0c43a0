#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/hash.h>
#include <weft/lib/files/checkpoint.h>
#include <weft/lib/profile/profile.h>
#include <weft/train/files/opened_model.h>
#include <weft/train/run.h>
#include <weft/train/show/loss_plot.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

namespace weft {

Run::Run(RunClaim claim, RunParts parts, RunAbout about)
    : claim_(std::move(claim)), parts_(parts), about_(std::move(about)) {
  begin({});
  if (!replaces()) claim_.keep();
}

void Run::begin(const History& history) {
  if (!claim_.writes()) {
    log_.emplace(history);
    return;
  }
  held().make_folder(folder().checkpoints());
  log_.emplace(held(), folder().metrics(), step_, history, about_.bytes_per_target);
  // A sample is shown once its evaluation is made, which the step of a checkpoint may have behind it or before it.
  samples_.emplace(held(), folder().samples(), evaluated() ? step_ + 1 : step_);
  statistics_.emplace(held(), folder().statistics(), step_);
  if (about_.tensorboard) board_.emplace(held(), folder(), *log_, about_.settings);
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
  if (from.model.lora.has_value() != about_.lora.has_value() ||
      (about_.lora && from.model.lora->base != about_.lora->base))
    fail<FileError>(folder().path, ": its adapters are of another model than the run's");
  check_finite(from.trained_weights(), folder().path + ": ");
  std::map<std::string, Array> weights = saved_weights();
  const LoadReport report = compare_arrays(weights, from.trained_weights());
  if (!report.ok()) fail<StateError>("load_state_dict: the state does not fit the model\n", report.message());
  for (auto& [name, array] : weights) array.copy_from(from.trained_weights().array(name));
  parts_.optimizer.load_state_dict(t.optimizer);
  if (parts_.ema) parts_.ema->load_state_dict(from.ema_state(parts_.optimizer.parameters()));
  parts_.loader.load_state_dict(t.loader);
  about_.parent = t.parent;
  step_ = saved_step_ = t.step;
  tokens_ = t.tokens;
  saved_evaluations_ = t.history.evaluations.size();
  begin(t.history);
  claim_.keep();
}

namespace {

Run begun_or_resumed(const std::string& path, RunParts parts, RunAbout about, const Say& say) {
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
  for (const std::string& note : run.notes()) say(note);
  return run;
}

}  // namespace

Run Run::create_or_resume(const std::string& path, RunParts parts, RunAbout about, const Say& say) {
  Processes* const all = parts.processes;
  if (all == nullptr || all->size() == 1) return begun_or_resumed(path, parts, std::move(about), say);
  if (all->is_first()) {
    Run run = begun_or_resumed(path, parts, std::move(about), say);
    all->from_first("");
    return run;
  }
  all->from_first("");  // by now the folder is as it will be
  RunClaim claim = RunClaim::watch(path);
  const SavedState saved = read_saved(claim.folder(), about.checkpoint_interval, [](std::string_view) {});
  if (!saved.newest) return Run(std::move(claim), parts, std::move(about));
  return Run(std::move(claim), parts, std::move(about), saved.newest->checkpoint);
}

std::map<std::string, Array> Run::saved_weights() const {
  std::map<std::string, Array> saved;
  const StateDict all = parts_.model.shared_state_dict();
  for (const std::string& name : about_.lora ? about_.saved : all.keys())
    saved.emplace(name, all.array(name));
  return saved;
}

RunCheckpoint Run::checkpoint() const {
  RunCheckpoint made{.model = {.kind = parts_.model.kind(),
                               .settings = parts_.model.config_state(),
                               .tokenizer = about_.tokenizer,
                               .end_ids = about_.end_ids,
                               .class_names = about_.class_names,
                               .trained_on = about_.trained_on,
                               .lora = about_.lora}};
  for (const auto& [name, array] : saved_weights()) made.model.weights.set(name, array);
  TrainingState t{.step = step_,
                  .tokens = tokens_,
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

void Run::compare_weights() const {
  if (parts_.processes == nullptr || parts_.processes->size() == 1) return;
  const std::vector<NamedTensor> parameters = parts_.model.parameters();
  std::string mine;
  for (const NamedTensor& p : parameters) {
    const Array& value = p.tensor.value();
    const Digest digest = digest_of({static_cast<const uint8_t*>(value.bytes()), value.nbytes()});
    mine.append(digest.begin(), digest.end());
  }
  const std::vector<std::string> all = parts_.processes->gather(mine);
  for (size_t i = 0; i < parameters.size(); ++i) {
    const auto part = [&](size_t r) {
      return std::string_view(all[r]).substr(i * sizeof(Digest), sizeof(Digest));
    };
    size_t agreed = 0;
    const auto sharing = [&](size_t r) {
      size_t count = 0;
      for (size_t other = 0; other < all.size(); ++other) count += part(other) == part(r);
      return count;
    };
    for (size_t r = 0; r < all.size(); ++r)
      if (sharing(r) > sharing(agreed)) agreed = r;
    for (size_t r = 0; r < all.size(); ++r)
      if (part(r) != part(agreed))
        fail<StateError>("step ", step_, ": ", parts_.processes->called(static_cast<int>(r)),
                         " has other bits of '", parameters[i].name, "' than ",
                         parts_.processes->called(static_cast<int>(agreed)),
                         2 * sharing(agreed) > all.size() ? " and most others" : "",
                         ": a memory or a processor is at fault. Nothing of this step was saved");
  }
}

void Run::write(const std::string& path) const {
  const RunCheckpoint made = checkpoint();
  if (claim_.writes()) write_checkpoint(held(), path, made.state());
}

void Run::take_place() {
  if (!claim_.writes() || !replaces()) return;
  claim_.change_over();
  log_->call(folder().metrics());
  samples_->call(folder().samples());
  statistics_->call(folder().statistics());
  if (board_) board_->call(folder());
}

std::vector<std::string> Run::notes() const {
  std::vector<std::string> notes = log_->notes();
  for (const auto* const lines : {&samples_, &statistics_})
    if (*lines && (*lines)->unreadable() > 0)
      notes.push_back(str((*lines)->path(), ": ", (*lines)->unreadable(), " unreadable lines removed"));
  return notes;
}

bool Run::record(const Evaluation& evaluation) {
  if (evaluation.step != step_)
    fail<ValueError>("run: an evaluation of step ", evaluation.step, " at step ", step_);
  check_weights();
  compare_weights();
  log_->add(evaluation);
  if (board_) board_->add(evaluation);
  const bool best = history().since_best() == 0;
  if (best) {
    write(folder().best());
    take_place();
  }
  if (claim_.writes())
    write_file(held(), folder().plot(), loss_plot(folder().path, log_->updates(), history().evaluations));
  return best;
}

void Run::record(const Update& update, bool logged) {
  if (update.step != step_) fail<ValueError>("run: an update of step ", update.step, " at step ", step_);
  if (parts_.ema) parts_.ema->update();
  if (logged) log_->add(update);
  if (logged && board_) board_->add(update);
  tokens_ = update.tokens;
  ++step_;
}

void Run::record_sample(const std::string& text) {
  if (!samples_) return;
  const nlohmann::ordered_json line{{"step", step_}, {"text", text}};
  samples_->add(held(), step_, line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace));
  if (board_) board_->add_sample(step_, text);
}

void Run::record(const UpdateStatistics& statistics) {
  if (!statistics_) return;
  if (statistics.step != step_)
    fail<ValueError>("run: statistics of step ", statistics.step, " at step ", step_);
  statistics_->add(held(), step_, statistics.line());
  if (board_) board_->add(statistics);
}

void Run::save() {
  if (saved_step_ != step_ || saved_evaluations_ != history().evaluations.size()) {
    const PhaseScope phase("checkpoint");
    check_weights();
    compare_weights();
    if (claim_.writes()) {
      log_->sync(held());
      samples_->sync();
      statistics_->sync();
      if (board_) board_->sync();
    }
    write(folder().checkpoint(step_));
    saved_step_ = step_;
    saved_evaluations_ = history().evaluations.size();
    take_place();
  }
  // Also of a checkpoint that was there already: the run that wrote it may have been killed before this.
  if (claim_.writes()) prune_checkpoints(held(), folder(), step_, about_.keep_checkpoints, stopped_at_);
}

}  // namespace weft
