#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>
#include <weft/lib/files/checkpoint.h>
#include <weft/lib/machine/memory.h>
#include <weft/lib/profile/profile.h>
#include <weft/optim/schedule.h>
#include <weft/optim/train_step.h>
#include <weft/train/evaluate.h>
#include <weft/train/loss_plot.h>
#include <weft/train/model_file.h>
#include <weft/train/sample.h>
#include <weft/train/session.h>
#include <weft/train/step_profile.h>

#include <chrono>
#include <cmath>

namespace weft::tools {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void throw_if_stopped() {
  if (const int signal = StopSignals::received()) throw Stopped{signal};
}

std::string step_text(const Session& s, int64_t step) {
  const std::string number = std::to_string(step), of = std::to_string(s.config.max_iters);
  return str("step ", std::string(of.size() - std::min(of.size(), number.size()), ' '), number, "/", of);
}

/// Nothing that cannot be trained on is ever saved.
void check_weights(const Session& s) {
  for (const NamedTensor& p : s.model->parameters())
    if (!p.tensor.value().all_finite())
      fail<NumericError>("update ", s.step - 1, " made '", p.name, "' not finite");
}

void save(Session& s) {
  if (s.saved_step != s.step || s.saved_evaluations != s.history.evaluations.size()) {
    const PhaseScope phase("checkpoint");
    check_weights(s);
    s.metrics->sync();
    write_checkpoint(s.folder().checkpoint(s.step), s.checkpoint().state());
    s.saved_step = s.step;
    s.saved_evaluations = s.history.evaluations.size();
  }
  // Also of a checkpoint that was there already: the run that wrote it may have been killed before this.
  prune_checkpoints(s.folder(), s.step, s.config.keep_checkpoints, s.stopped_at);
}

Batch next_batch(Session& s) {
  const PhaseScope phase("data");
  return s.loader->next();
}

struct Pass {
  LossMeter loss;
  int64_t read = 0;  ///< tokens, or pictures
};

/// Forward and backward of one update, micro-batch by micro-batch: the gradients of the summed loss.
Pass backward(Session& s) {
  Pass pass;
  for (int64_t micro = 0; micro < s.config.gradient_accumulation_steps; ++micro) {
    const Batch batch = next_batch(s);
    const RandomScope random({.seed = static_cast<uint64_t>(s.config.seed),
                              .step = static_cast<uint64_t>(s.step),
                              .first_sample = static_cast<uint64_t>(micro * s.config.batch_size)});
    const Loss part = [&] {
      const PhaseScope phase("forward");
      return s.model->loss(batch);
    }();
    pass.loss.add(part);
    pass.read += batch.inputs.dtype() == int64 ? batch.inputs.size() : batch.inputs.dim(0);
    if (const double sum = pass.loss.sum(); !std::isfinite(sum))
      fail<NumericError>("the loss is ", std::isnan(sum) ? "NaN" : "infinite");
    part.sum.backward();
  }
  return pass;
}

/// Computes the update once more, watching every operation, to say where a NaN or infinity came from.
std::string origin_of(Session& s, const std::string& found) {
  try {
    check_weights(s);
    const DetectAnomaly watching;
    s.optimizer->zero_grad();
    s.loader->seek(s.step * s.samples_per_update());
    backward(s);
  } catch (const NumericError& error) {
    return error.what();
  }
  return found;
}

Update update(Session& s) {
  const PhaseScope phase("step");
  const double lr = schedule::by_name(s.config.schedule)(s.step, {.lr = s.config.learning_rate,
                                                                  .warmup = s.config.warmup_iters,
                                                                  .steps = s.config.lr_decay_iters,
                                                                  .min_lr = s.config.min_lr,
                                                                  .decay = s.config.decay_iters});
  try {
    const auto [loss, read] = backward(s);
    const double norm =
        train_step(*s.optimizer, {.lr = lr, .count = loss.count(), .max_norm = s.config.grad_clip});
    if (s.ema) s.ema->update();
    s.read += read;
    return {.step = s.step++, .loss = loss.mean(), .lr = lr, .grad_norm = norm};
  } catch (const NumericError& error) {
    const std::string origin = origin_of(s, error.what());
    fail<NumericError>(
        "step ", s.step, ": ", error.what(), ". First: ", origin, ". The run stops before this update; ",
        s.saved_step >= 0 ? str("the last good checkpoint is ", s.folder().checkpoint(s.saved_step))
                          : "no checkpoint was written yet",
        "; a smaller learning_rate or grad_clip may help");
  }
}

/// Both losses at this step, into the history, the log, the picture, and best.h5 when it is the best.
void evaluate_both(Session& s) {
  const PhaseScope phase("evaluation");
  const auto show = [&](int64_t done, int64_t before) {
    throw_if_stopped();
    const int64_t all = s.task.seen.size() + s.task.unseen.size();
    s.console.renew(str(step_text(s, s.step), "  evaluating: ", 100 * (before + done) / all, " %"));
  };
  double train_loss = 0, val_loss = 0;
  {
    const Averaged averaged(s);
    train_loss =
        evaluate(*s.model, s.task.seen, s.config.batch_size, [&](int64_t done) { show(done, 0); }).mean();
    val_loss = evaluate(*s.model, s.task.unseen, s.config.batch_size, [&](int64_t done) {
                 show(done, s.task.seen.size());
               }).mean();
  }
  if (!std::isfinite(train_loss) || !std::isfinite(val_loss)) {
    check_weights(s);
    fail<NumericError>("step ", s.step, ": the training loss is ", train_loss, " and the validation loss ",
                       val_loss);
  }
  s.history.evaluations.push_back({s.step, train_loss, val_loss});
  s.metrics->add(s.history.evaluations.back());
  const bool best = s.history.since_best() == 0;
  if (best) write_checkpoint(s.folder().best(), s.checkpoint().state());
  write_file(s.folder().plot(), loss_plot(s.folder().path, s.metrics->updates(), s.metrics->evaluations()));
  s.console.print(str(step_text(s, s.step), "  train loss ", fixed(train_loss, 4), "  validation loss ",
                      fixed(val_loss, 4), best ? "  (best)" : ""));
  print_sample(s);
}

bool out_of_patience(const Session& s) {
  return s.config.patience > 0 && s.history.since_best() >= s.config.patience;
}

void announce(Session& s) {
  const Config& c = s.config;
  Console& console = s.console;
  console.print(str(s.folder().path, ": ", c.model, ", ", c.n_layer, " layers, ", c.n_head, " heads, ",
                    c.n_embd, " wide, ", grouped(s.model->parameter_count()), " parameters"));
  console.print(s.task.summary);
  console.print(describe(s.memory));
  for (const std::string& note : s.notes) console.print(note);
  if (s.saved_step >= 0)
    console.print(str("going on after ", s.step, " updates, from ", s.folder().checkpoint(s.step)));
}

/// A line that shows what a finished run writes; none of a model that does not.
std::string writing(const Session& s, const std::string& run) {
  const auto* const writer = dynamic_cast<const GenerativeModel*>(s.model.get());
  if (writer == nullptr) return "";
  return str("\n  weft generate ", run, writer->has_encoder() ? " --interactive" : "");
}

int finish(Session& s, double seconds) {
  const std::string run = quoted(s.folder().path);
  const Evaluation* best = s.history.best();
  s.console.print(
      str(out_of_patience(s) && s.step < s.config.max_iters
              ? str("stopped early: ", s.config.patience, " evaluations without a better validation loss; ")
              : "",
          grouped(s.step), " updates done, ", duration(seconds), "; best validation loss ",
          fixed(best->val_loss, 4), " at step ", best->step, "\n", "the run is in ", s.folder().path,
          "; now try", writing(s, run), "\n  weft eval ", run, "\n  weft train --resume ", run,
          " --set max_iters=", std::max<int64_t>(2 * s.config.max_iters, 1)));
  return 0;
}

int stop(Session& s, int signal) {
  if (s.step > 0) save(s);
  s.console.print(str("stopped by ", signal_name(signal), " after ", s.step,
                      s.step > 0 ? " updates, saved" : " updates", "; weft train --resume ",
                      quoted(s.folder().path), " goes on"));
  return exit_code_of(signal);
}

/// How fast the updates are, evaluations and checkpoints not counted.
class Pace {
 public:
  void add(double seconds) {
    since_log_ += seconds;
    // Follows a machine that grows slower or faster, over some fifty updates.
    mean_ = mean_ == 0 ? seconds : 0.98 * mean_ + 0.02 * seconds;
  }
  double seconds_per_update() const { return mean_; }
  /// Of the updates since the last reset.
  double per_second(int64_t read) const { return static_cast<double>(read) / since_log_; }
  void reset() { since_log_ = 0; }

 private:
  double since_log_ = 0, mean_ = 0;
};

/// A line of the log at each log_interval, and a renewing one in a terminal.
void report(Session& s, Update done, Pace& pace) {
  done.tokens_per_second = pace.per_second(s.read);
  const std::string line =
      str(step_text(s, done.step), "  loss ", fixed(done.loss, 4), "  lr ", brief(done.lr), "  norm ",
          fixed(done.grad_norm, 2), "  ", grouped(std::llround(done.tokens_per_second)),
          s.task.tokenizer ? " tokens/s  " : " pictures/s  ",
          duration(pace.seconds_per_update() * static_cast<double>(s.config.max_iters - s.step)), " left");
  const bool logged = done.step % s.config.log_interval == 0;
  if (logged) {
    s.metrics->add(done);
    pace.reset();
    s.read = 0;
  }
  if (s.console.is_terminal())
    s.console.renew(line);
  else if (logged)
    s.console.print(line);
}

int train(Session& s, int64_t profile_steps) {
  announce(s);
  const Clock::time_point start = Clock::now();
  const double before = s.metrics->seconds();
  Pace pace;
  StepProfile profile(profile_steps, s.console, s.folder());
  try {
    if (s.step == 0 && !s.config.init_from.empty()) save(s);
    for (;;) {
      const bool last = s.step >= s.config.max_iters;
      if ((last || s.step % s.config.eval_interval == 0) && !s.history.evaluated(s.step)) evaluate_both(s);
      const bool finished = last || (s.history.evaluated(s.step) && out_of_patience(s));
      if (finished || (s.step > 0 && s.step % s.config.checkpoint_interval == 0)) save(s);
      if (finished) {
        profile.finish();
        return finish(s, before + seconds_since(start));
      }

      throw_if_stopped();
      const Clock::time_point begin = Clock::now();
      profile.before_update();
      Update done = update(s);
      pace.add(seconds_since(begin));
      profile.after_update();
      done.seconds = before + seconds_since(start);
      report(s, done, pace);
    }
  } catch (const Stopped& stopped) {
    profile.finish();
    return stop(s, stopped.signal);
  }
}

}  // namespace

Work prepare_train(const TrainArguments& arguments) {
  const bool resuming = !arguments.resume.empty();
  if (resuming && (!arguments.out.empty() || !arguments.model.empty() || !arguments.task.empty() ||
                   !arguments.config.empty() || !arguments.init_from.empty() || arguments.overwrite))
    fail<ValueError>(
        "--resume: goes on with a run as it is; --model, --task, --out, --config, --init-from and "
        "--overwrite begin a new "
        "one");
  auto session = resuming ? resumed_session(arguments) : new_session(arguments);
  release_cached();  // what checkpoints were read into
  return [session, steps = arguments.profile ? arguments.profile_steps : 0] {
    write_out(session->folder().path + "\n");
    return train(*session, steps);
  };
}

}  // namespace weft::tools
