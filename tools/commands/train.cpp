#include <weft/autograd/autocast.h>
#include <weft/lib/base/advice.h>
#include <weft/lib/base/values.h>
#include <weft/lib/machine/available_memory.h>
#include <weft/lib/machine/memory.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/profile/profile.h>
#include <weft/optim/train_step.h>
#include <weft/tools/commands/commands.h>
#include <weft/train/anomaly.h>
#include <weft/train/build.h>
#include <weft/train/evaluate.h>
#include <weft/train/session.h>
#include <weft/train/show/console.h>
#include <weft/train/show/progress.h>
#include <weft/train/show/sample.h>
#include <weft/train/show/step_profile.h>
#include <weft/train/watch/update_watch.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace weft::tools {
namespace {

/// Tokens, or pictures, of a batch.
int64_t read_of(const Batch& batch) {
  return batch.inputs.dtype() == int64 ? batch.inputs.size() : batch.inputs.dim(0);
}

void throw_if_stopped() {
  if (const int signal = StopSignals::received()) throw Stopped{signal};
}

/// Forward and backward of one update, piece by piece; gives what was read.
int64_t backward(Session& s, TrainStep& step, UpdateWatch* watch = nullptr) {
  int64_t read = 0;
  for (const UpdatePiece& piece : s.loader->update()) {
    const Batch batch = [&] {
      const PhaseScope phase("data");
      return s.loader->next();
    }();
    const auto loss = [&] { return loss_of(s.config, *s.model, batch); };
    step.backward(piece, [&] { return watch != nullptr ? watch->loss(loss) : loss(); });
    read += read_of(batch);
  }
  return read;
}

/// What processes tell each other with each update.
struct Told {
  int64_t read = 0;
  int signal = 0;  ///< that asks for a stop

  std::string text() const { return str(read, " ", signal); }
  /// All that was read, and the first signal of any.
  static Told of_all(const std::vector<std::string>& texts) {
    Told all;
    for (const std::string& text : texts) {
      const size_t space = text.find(' ');
      all.read += parse_integer("read", text.substr(0, space), 0, std::numeric_limits<int64_t>::max());
      all.signal =
          std::max(all.signal, static_cast<int>(parse_integer("signal", text.substr(space + 1), 0, 128)));
    }
    return all;
  }
};

/// The run once more, when what stood in its way is gone.
Advice resuming(const Run& run) {
  return {.lines = {str(program_name(), " train --resume ", quoted(run.called()))}};
}

/// The run again, in a folder of its own, at a rate that is likelier to be good.
Advice with_smaller_rate(const Session& s) {
  const double usual = RunConfig().learning_rate, rate = s.config.learning_rate;
  return {.lines = {str(program_name(), " train --config ", quoted(s.run->folder().config()),
                        " --set learning_rate=", rate > usual ? usual : rate / 10)}};
}

/// Whether the update that is next is one whose statistics are kept.
bool is_watched(const Session& s) {
  const int64_t interval = s.config.stats_interval;
  return interval > 0 && s.run->step() % interval == 0 && s.processes.is_first();
}

struct Made {
  Update update;
  Told told;  ///< by all processes
  std::optional<UpdateStatistics> statistics = {};
};

/// One update.
Made update(Session& s) {
  const PhaseScope phase("step");
  const int64_t at = s.run->step(), consumed = s.loader->consumed();
  const TrainStep::Options options{.seed = static_cast<uint64_t>(s.config.seed), .step = at};
  Update done{.step = at, .lr = learning_rate_at(s.config, at)};
  try {
    TrainStep::Options sharded = options;
    if (s.shards) sharded.shards = &*s.shards;
    TrainStep step(*s.optimizer, sharded);
    std::optional<UpdateWatch> watch;
    if (is_watched(s)) watch.emplace(*s.model, at);
    const Told told{.read = backward(s, step, watch ? &*watch : nullptr), .signal = StopSignals::received()};
    TrainStep::FinishOptions finish{.lr = done.lr, .max_norm = s.config.grad_clip, .note = told.text()};
    if (watch) finish.on_gradients = [&](double scale) { watch->gradients(scale); };
    done.grad_norm = step.finish(finish);
    done.loss = step.loss();
    if (const auto before = s.run->tokens()) done.tokens = *before + step.rows();
    Made made{done, Told::of_all(step.notes())};
    if (watch) made.statistics = watch->finish();
    return made;
  } catch (const NumericError& error) {
    const std::string origin = origin_of_anomaly(*s.model, error.what(), [&] {
      s.optimizer->zero_grad();
      s.loader->seek(consumed);
      TrainStep again(*s.optimizer, options);
      backward(s, again);
    });
    fail_with<NumericError>(with_smaller_rate(s), "step ", at, ": ", error.what(), ". First: ", origin,
                            ". The run stops before this update; ",
                            s.run->saved_step() >= 0 ? str("the last good checkpoint is ",
                                                           s.run->folder().checkpoint(s.run->saved_step()))
                                                     : "no checkpoint was written yet",
                            "; a smaller learning_rate or grad_clip may help");
  }
}

/// Both losses at this step, by the weights that are used: of averages, where they are kept.
Evaluation evaluate_both(Session& s) {
  const PhaseScope phase("evaluation");
  std::optional<EMA::Exchange> averaged;
  if (s.ema) averaged.emplace(*s.ema);
  const int64_t all = s.task.seen.size() + s.task.unseen.size();
  const auto found_on = [&](const Samples& samples, int64_t before) {
    const auto each = [&](int64_t done) {
      // Of several processes none stops by itself.
      if (s.processes.size() == 1) throw_if_stopped();
      s.processes.check();
      s.console.renew(str(step_text(s.run->step(), s.config.max_iters),
                          "  evaluating: ", 100 * (before + done) / all, " %"));
    };
    const Autocast computing(s.config.computing_type());
    return evaluate(*s.model, samples, s.config.batch_size, each, &s.processes);
  };
  const LossMeter seen = found_on(s.task.seen, 0), unseen = found_on(s.task.unseen, s.task.seen.size());
  const Evaluation found{s.run->step(), seen.mean(), unseen.mean(), unseen.accuracy()};
  if (const int signal =
          Told::of_all(s.processes.gather(Told{.signal = StopSignals::received()}.text())).signal)
    throw Stopped{signal};
  if (!std::isfinite(found.train_loss) || !std::isfinite(found.val_loss))
    fail_with<NumericError>(with_smaller_rate(s), "step ", found.step, ": the training loss is ",
                            found.train_loss, " and the validation loss ", found.val_loss);
  return found;
}

/// The validation loss of a text, comparable between tokenizers; nothing of what is no text.
std::string in_bytes(const Samples& unseen, double loss) {
  return unseen.bytes_per_target > 0
             ? str("  bits per byte ", fixed(bits_per_byte(loss, unseen.bytes_per_target), 4))
             : "";
}

/// Also of an evaluation that was made before the run was stopped, which kept it from being shown.
void show_sample(Session& s) {
  if (!s.processes.is_first() || s.run->has_sample()) return;
  std::optional<EMA::Exchange> averaged;
  if (s.ema) averaged.emplace(*s.ema);
  const std::string text = sample_text(*s.model, s.task,
                                       {.tokens = s.config.sample_tokens,
                                        .seed = static_cast<uint64_t>(s.config.seed),
                                        .number = s.run->step()});
  if (text.empty()) return;
  s.console.print(str("---\n", text, "\n---"));
  if (StopSignals::received() == 0) s.run->record_sample(text);  // else it may be a part
}

void announce(Session& s) {
  const RunConfig& c = s.config;
  std::string sizes;
  for (const char* key : {"n_layer", "n_head", "n_embd"})
    if (c.parts.contains(key))
      sizes += str(", ", text_of(c.parts.at(key)), " ",
                   std::string_view(key) == "n_layer"  ? "layers"
                   : std::string_view(key) == "n_head" ? "heads"
                                                       : "wide");
  s.console.print(
      str(s.run->called(), ": ", c.model, sizes, ", ", grouped(s.model->parameter_count()), " parameters"));
  if (c.lora_rank > 0) s.console.print(describe_adapters(*s.model, c));
  s.console.print(s.task.summary);
  s.console.print(describe(s.memory));
  if (s.processes.size() > 1)
    s.console.print(str(s.processes.size(), " processes compute ", s.config.reduction_shards,
                        " shards of each update, with ", num_threads(), " threads each"));
  for (const std::string& note : s.notes) s.console.print(note);
  if (s.run->step() > 0)
    s.console.print(
        str("going on after ", s.run->step(), " updates, from ", s.run->folder().checkpoint(s.run->step())));
}

/// A line that shows what a finished run does with a user's text; none of a model that reads none.
std::string writing(const Session& s, const std::string& run) {
  const std::string& task = s.config.task;
  const bool texts = s.task.tokenizer && tasks().at(task).reads_files(s.config.data);
  if (texts && s.task.shape.kind == TaskKind::classification)
    return str("\n  ", program_name(), " classify ", run, " TEXT");
  if (texts && s.task.shape.kind == TaskKind::pairs)
    return str("\n  ", program_name(), " translate ", run, " < FILE");
  if (s.task.shape.kind == TaskKind::pictures && tasks().at(task).reads_files(s.config.data))
    return str("\n  ", program_name(), " classify ", run, " PICTURE");
  if (s.task.shape.kind == TaskKind::sounds) return str("\n  ", program_name(), " classify ", run, " SOUND");
  if (s.task.shape.kind == TaskKind::transcripts)
    return str("\n  ", program_name(), " transcribe ", run, " SOUND");
  if (task == "chat") return str("\n  ", program_name(), " chat ", run);
  const GenerativeModel* const writer = as_writer(*s.model);
  if (writer == nullptr) return "";
  return str("\n  ", program_name(), " generate ", run, writer->has_encoder() ? " --interactive" : "");
}

void say_finished(Session& s, bool early, double seconds) {
  const std::string run = quoted(s.run->called());
  const Evaluation* const best = s.run->history().best();
  s.console.print(str(early ? str("stopped early: ", s.config.patience,
                                  " evaluations without a better validation "
                                  "loss; ")
                            : "",
                      grouped(s.run->step()), " updates done, ", duration(seconds), "; best validation loss ",
                      fixed(best->val_loss, 4), " at step ", best->step, "\n", "the run is in ",
                      s.run->called(), "; now try", writing(s, run), "\n  ", program_name(), " eval ", run,
                      "\n  ", program_name(), " train --continue ", run,
                      " --set max_iters=", std::max<int64_t>(s.config.max_iters, 1)));
}

/// What an update's targets are counted in.
const char* unit_of(TaskKind kind) {
  if (kind == TaskKind::pictures || kind == TaskKind::patches) return "pictures";
  return kind == TaskKind::sounds ? "sounds" : "tokens";
}

/// The loop: evaluate, save, update, until the run is done or stopped.
int train(Session& s, int64_t profile_steps) {
  announce(s);
  Run& run = *s.run;
  const RunConfig& c = s.config;
  Progress progress(run.log().seconds());
  int signal = 0;  // what all processes know of
  StepProfile profile(s.processes.is_first() ? profile_steps : 0, s.console, run);
  try {
    if (run.step() == 0 && !c.init_from.empty()) run.save();
    for (;;) {
      const bool last = run.step() >= c.max_iters;
      if ((last || run.step() % c.eval_interval == 0) && !run.evaluated()) {
        const Evaluation found = evaluate_both(s);
        const bool best = run.record(found);
        s.console.print(str(step_text(found.step, c.max_iters), "  train loss ", fixed(found.train_loss, 4),
                            "  validation loss ", fixed(found.val_loss, 4),
                            in_bytes(s.task.unseen, found.val_loss),
                            found.val_accuracy ? str("  accuracy ", fixed(*found.val_accuracy, 3)) : "",
                            best ? "  (best)" : ""));
      }
      if (run.evaluated()) show_sample(s);
      const bool early =
          !last && c.patience > 0 && run.evaluated() && run.history().since_best() >= c.patience;
      if (last || early || (run.step() > 0 && run.step() % c.checkpoint_interval == 0)) run.save();
      if (last || early) {
        profile.finish();
        say_finished(s, early, progress.seconds());
        return 0;
      }

      if (s.processes.size() == 1) signal = StopSignals::received();
      if (signal != 0) throw Stopped{signal};
      progress.begin_update();
      profile.before_update();
      auto [done, told, statistics] = update(s);
      signal = told.signal;
      profile.after_update();
      progress.end_update(done, told.read);
      const bool logged = done.step % c.log_interval == 0;
      if (logged) done.memory_bytes = resident_set();
      if (statistics) run.record(*statistics);
      run.record(done, logged);
      const std::string line = progress.line(done, c.max_iters, unit_of(s.task.shape.kind));
      if (s.console.is_terminal())
        s.console.renew(line);
      else if (logged)
        s.console.print(line);
      if (logged) progress.reset();
    }
  } catch (const Stopped& stopped) {
    profile.finish();
    if (run.step() > 0) run.save();
    if (run.replaces()) {
      s.console.print(str("stopped by ", signal_name(stopped.signal), " before the new run was made; ",
                          run.called(), " is as it was"));
      return exit_code_of(stopped.signal);
    }
    s.console.print(str("stopped by ", signal_name(stopped.signal), " after ", run.step(),
                        run.step() > 0 ? " updates, saved" : " updates", "; ", program_name(),
                        " train --resume ", quoted(run.called()), " goes on"));
    return exit_code_of(stopped.signal);
  } catch (const FileError& error) {
    if (run.replaces()) throw;
    fail_with<FileError>(resuming(run), error.what());
  } catch (const MemoryError& error) {
    if (run.replaces()) throw;
    fail_with<MemoryError>(resuming(run), error.what());
  }
}

/// --set val_data=FILE is --val-data FILE.
void take_files(NewRunOptions& options, std::string_view key, std::vector<std::string>& to) {
  for (const std::string& typed : options.set)
    if (typed.starts_with(key) && typed.size() > key.size()) to.push_back(typed.substr(key.size()));
  std::erase_if(options.set, [&](const std::string& typed) {
    return typed.starts_with(key) && typed.size() > key.size();
  });
}

}  // namespace

Work prepare_train(const TrainArguments& given) {
  TrainArguments a = given;
  take_files(a.fresh, "val_data=", a.fresh.val_data);
  take_files(a.fresh, "test_data=", a.fresh.test_data);
  const bool resuming = !a.resume.empty();
  if (resuming && (!a.fresh.out.empty() || !a.fresh.model.empty() || !a.fresh.task.empty() ||
                   !a.fresh.config.empty() || !a.fresh.init_from.empty() || !a.fresh.continued.empty() ||
                   a.fresh.with_optimizer || a.fresh.overwrite || a.fresh.minutes > 0))
    fail<ValueError>(
        "--resume: goes on with a run as it is; --model, --task, --out, --config, --init-from, "
        "--with-optimizer, --minutes, "
        "--continue and --overwrite begin a new one");
  if (!resuming && (a.any_numerics || a.start_over))
    fail<ValueError>("--any-numerics and --start-over say how a run goes on; they need --resume RUN");
  if (!resuming && !a.base.empty())
    fail<ValueError>(
        "--base: says where the model that adapters are of lies now, with --resume RUN; a new run names "
        "it by --init-from");
  if (!a.fresh.init_from.empty() && !a.fresh.continued.empty())
    fail<ValueError>("--init-from takes weights, --continue the whole state of a run; give one of them");
  if (a.fresh.with_optimizer && a.fresh.init_from.empty())
    fail<ValueError>("--with-optimizer: needs --init-from RUN, whose optimizer's state it takes");
  const int64_t profiled = a.profile ? a.profile_steps : 0;
  NewRunOptions fresh = a.fresh;
  fresh.profiled = profiled;
  auto session = resuming ? resumed_session({.run = a.resume,
                                             .set = a.fresh.set,
                                             .data = a.fresh.data,
                                             .val_data = a.fresh.val_data,
                                             .test_data = a.fresh.test_data,
                                             .base = a.base,
                                             .any_numerics = a.any_numerics,
                                             .start_over = a.start_over,
                                             .profiled = profiled})
                          : new_session(fresh);
  release_cached();  // what checkpoints were read into
  bound_cached(static_cast<size_t>(session->memory.buffers()));
  return [session, profiled] {
    if (session->processes.is_first()) write_out(session->run->called() + "\n");
    return train(*session, profiled);
  };
}

}  // namespace weft::tools
