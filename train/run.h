// Run: what makes training a run that nothing is lost of: a folder with a lock, a log, checkpoints, and best.h5. The
// loop stays yours:
//
//   Run run = Run::create_or_resume("runs/mine", {.model = model, .optimizer = optimizer, .loader = loader}, about);
//   while (run.step() < steps) {
//     if (run.step() % 250 == 0 && !run.evaluated()) run.record(Evaluation{run.step(), train_loss, val_loss});
//     if (run.step() % 250 == 0) run.save();
//     TrainStep step(optimizer, {.seed = seed, .step = run.step()});
//     step.backward(model, loader.next());
//     const double norm = step.finish({.lr = 1e-3});
//     run.record(Update{.step = run.step(), .loss = loss, .lr = 1e-3, .grad_norm = norm});
//   }
//   run.save();
//
// Stopped anywhere, kill -9 included, and opened again, it ends with the bytes of a run that never was.
#pragma once

#include <weft/data/loader.h>
#include <weft/lib/processes/processes.h>
#include <weft/optim/ema.h>
#include <weft/optim/optimizer.h>
#include <weft/train/files/run_checkpoint.h>
#include <weft/train/files/run_claim.h>
#include <weft/train/files/run_log.h>
#include <weft/train/files/step_lines.h>
#include <weft/train/watch/tensorboard_log.h>
#include <weft/train/watch/update_statistics.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace weft {

/// What is trained, and whose state a checkpoint holds.
struct RunParts {
  Model& model;
  Optimizer& optimizer;
  Loader& loader;
  EMA* ema = nullptr;  ///< null: no averages are kept
  /// Those that train together; the first of them writes, and all call record(Evaluation) and save() alike.
  Processes* processes = nullptr;
};

/// What a checkpoint tells beside.
struct RunAbout {
  std::shared_ptr<const Tokenizer> tokenizer = nullptr;
  std::vector<int64_t> end_ids = {};
  std::vector<std::string> class_names = {};
  TrainedOn trained_on = {};
  /// Of a run that trains adapters alone: the model that they are of, and which parameters checkpoints hold; that model's
  /// other ones are those of the run's model already. None: they hold all.
  std::optional<LoraPart> lora = {};
  std::vector<std::string> saved = {};
  StateDict config = {};          ///< what fixes what is computed; it must be the same on resume
  std::string content_hash = {};  ///< names the data; likewise
  std::string parent = {};
  double bytes_per_target = 0;   ///< of what is kept from training (Samples has it), for the log
  int64_t keep_checkpoints = 3;  ///< newest checkpoints to keep; 0 keeps all
  bool tensorboard = false;      ///< whether the run is told to TensorBoard too (watch/tensorboard_log.h)
  std::vector<std::pair<std::string, SettingValue>> settings = {};  ///< for its tab "HPARAMS"
  int64_t checkpoint_interval = 250;  ///< what is saved between two of these is there for a stop alone
};

class Run {
 public:
  /// A run that begins in this folder.
  Run(RunClaim claim, RunParts parts, RunAbout about);
  /// One that goes on from this checkpoint, whose state it loads. StateError when it does not fit the parts; ValueError
  /// when its configuration or data are others; FileError for one of other numerics, unless `any_numerics`.
  Run(RunClaim claim, RunParts parts, RunAbout about, const RunCheckpoint& from, bool any_numerics = false);
  /// For a program of its own: begins a run in a folder that is not there or empty, else goes on with the one that is,
  /// at its newest good checkpoint or, if that is all there is, at best.h5. FileError when there is something, but
  /// nothing that can be read. `say` is told what was skipped, restored or moved.
  static Run create_or_resume(
      const std::string& path, RunParts parts, RunAbout about, const Say& say = [](std::string_view) {});

  const RunFolder& folder() const { return claim_.folder(); }
  /// How the run is called; folder() is another one as long as it replaces() a run.
  const std::string& called() const { return claim_.called(); }
  /// Whether there is a run in its place still, which gives way once something of this one is saved.
  bool replaces() const { return claim_.overwrites(); }
  /// The folder itself, through which files are written into it.
  const HeldFolder& held() const { return claim_.held(); }
  /// Updates made.
  int64_t step() const { return step_; }
  const RunLog& log() const { return *log_; }
  const History& history() const { return log_->history(); }
  /// Whether there is an evaluation of this step.
  bool evaluated() const { return history().evaluated(step_); }
  /// Whether a sample of this step is kept. Not so of an evaluation that was stopped before it was shown.
  bool has_sample() const { return samples_ && samples_->last_step() == step_; }
  /// Targets that the updates have learned from; none of a run some of whose updates did not say (Update::tokens).
  std::optional<int64_t> tokens() const { return tokens_; }
  /// What was found wrong with the run's files when they were opened, a sentence each.
  std::vector<std::string> notes() const;
  /// The newest checkpoint's step; -1 before the first.
  int64_t saved_step() const { return saved_step_; }

  /// An evaluation at this step: into the log and the picture, and into best.h5 when it is the best so far, which it
  /// returns. ValueError for one of another step.
  bool record(const Evaluation& evaluation);
  /// An update was made: step() grows, averages follow; `logged` says whether it is a line of the log.
  void record(const Update& update, bool logged = true);
  /// What is shown at this step, into samples.jsonl: {"step":250,"text":".."}. ValueError where there is one.
  void record_sample(const std::string& text);
  /// The statistics of the update that record() is told next, into statistics.jsonl (watch/update_statistics.h).
  void record(const UpdateStatistics& statistics);
  /// Writes the checkpoint of this step, unless it is there, and removes those that are not to be kept. NumericError for
  /// weights that are not finite: nothing that cannot be trained on is ever saved. Of several processes, StateError that
  /// names one whose weights are not those of the others, and the first such tensor.
  void save();

  /// Marks the checkpoint a resume began from as left by a stop between two regular ones: it goes with the next save.
  void mark_stopped() { stopped_at_ = step_; }

 private:
  /// Makes the folder and the log of a run that stands here.
  void begin(const History& history);
  void check_weights() const;
  /// Of several processes, that all have the same bits.
  void compare_weights() const;
  void write(const std::string& path) const;
  /// To be called when something has been saved.
  void take_place();
  /// What checkpoints hold of the model: the arrays that are trained.
  std::map<std::string, Array> saved_weights() const;
  /// To be written on the spot.
  RunCheckpoint checkpoint() const;

  RunClaim claim_;
  RunParts parts_;
  RunAbout about_;
  std::optional<RunLog> log_;
  std::optional<StepLines> samples_, statistics_;  ///< where this process writes
  std::optional<TensorBoardLog> board_;            ///< likewise, where it is asked for
  int64_t step_ = 0;
  std::optional<int64_t> tokens_ = 0;
  int64_t saved_step_ = -1;
  size_t saved_evaluations_ = 0;  ///< what the newest checkpoint knows
  int64_t stopped_at_ = -1;
};

}  // namespace weft
