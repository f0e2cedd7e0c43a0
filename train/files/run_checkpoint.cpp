#include <weft/lib/base/error.h>
#include <weft/lib/files/checkpoint.h>
#include <weft/train/files/run_checkpoint.h>

namespace weft {
namespace {

StateDict state_of(const TrainingState& t) {
  StateDict state;
  state.set("numerics", t.numerics);
  state.set("step", t.step);
  if (t.tokens.value_or(0) > 0) state.set("tokens", *t.tokens);
  state.set("config", t.config);
  if (!t.weights.empty()) state.set("weights", t.weights);
  if (t.ema_updates >= 0) state.set("ema", t.ema_updates);
  state.set("optimizer", t.optimizer);
  state.set("loader", t.loader);
  state.set("content_hash", t.content_hash);
  state.set("history", t.history.state_dict());
  if (!t.parent.empty()) state.set("parent", t.parent);
  return state;
}

TrainingState training_of(const StateDict& state, const Say& say) {
  for (const std::string& name : unknown_names(state, {},
                                               {"numerics", "step", "tokens", "config", "weights", "ema",
                                                "optimizer", "loader", "content_hash", "history", "parent"}))
    say(str("warning: 'training/", name, "' was written by a newer weft and is passed over"));
  TrainingState t{
      .numerics = state.integer("numerics"), .step = state.integer("step"), .config = state.dict("config")};
  if (state.contains("tokens"))
    t.tokens = state.integer("tokens");
  else if (t.step == 0)
    t.tokens = 0;
  if (state.contains("weights")) t.weights = state.dict("weights");
  if (state.contains("ema")) t.ema_updates = state.integer("ema");
  t.optimizer = state.dict("optimizer");
  t.loader = state.dict("loader");
  t.content_hash = state.text("content_hash");
  t.history = History::from_state(state.dict("history"));
  if (state.contains("parent")) t.parent = state.text("parent");
  return t;
}

/// The first format: weights of the last update as "model", averages beside them as "ema".
TrainingState from_first_format(const StateDict& state) {
  TrainingState t{
      .numerics = state.integer("numerics"), .step = state.integer("step"), .config = state.dict("config")};
  if (state.contains("ema")) {
    t.weights = state.dict("model");
    t.ema_updates = state.dict("ema").integer("updates");
  }
  t.optimizer = state.dict("optimizer");
  t.loader = state.dict("loader");
  t.content_hash = state.text("content_hash");
  t.history = History::from_state(state.dict("history"));
  return t;
}

void check(const TrainingState& t) {
  const std::vector<Evaluation>& made = t.history.evaluations;
  if (t.step < 0) fail<StateError>("step: ", t.step, " is below 0");
  constexpr int64_t most_tokens = int64_t{1} << 62;
  if (t.tokens && (*t.tokens < 0 || *t.tokens > most_tokens))
    fail<StateError>("tokens: ", *t.tokens, " is not in [0, ", most_tokens, "]");
  if (!made.empty() && made.back().step > t.step)
    fail<StateError>("history: an evaluation of step ", made.back().step, ", though only ", t.step,
                     " updates were made");
}

}  // namespace

StateDict RunCheckpoint::state() const {
  StateDict all = model.state();
  if (training) all.set("training", state_of(*training));
  return all;
}

RunCheckpoint RunCheckpoint::from_state(const StateDict& state, const Say& say) {
  RunCheckpoint read{.model = ModelFile::from_state(state, say)};
  if (is_first_format(state)) {
    if (!read.model.trained_on.task.empty()) read.training = from_first_format(state);
  } else if (state.contains("training")) {
    read.training = training_of(state.dict("training"), say);
  }
  if (read.training) check(*read.training);
  return read;
}

RunCheckpoint RunCheckpoint::read(const std::string& path, const Say& say) {
  const StateDict state = read_checkpoint(path);
  try {
    return from_state(state, say);
  } catch (const FileError&) {
    throw;
  } catch (const Error& error) {
    fail<FileError>(path, ": is a checkpoint, but not one that this weft can use: ", error.what());
  }
}

const StateDict& RunCheckpoint::trained_weights() const {
  return training && !training->weights.empty() ? training->weights : model.weights;
}

StateDict RunCheckpoint::ema_state(const std::vector<NamedTensor>& parameters) const {
  StateDict state, average;
  if (training && training->ema_updates > 0)
    for (const NamedTensor& p : parameters)
      if (model.weights.contains(p.name)) average.set(p.name, model.weights.array(p.name));
  state.set("updates", training ? training->ema_updates : 0);
  state.set("average", average);
  return state;
}

}  // namespace weft
