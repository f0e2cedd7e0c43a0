#include "training_state.h"

#include <weft/data/text/word_tokenizer.h>
#include <weft/lib/base/error.h>
#include <weft/lib/files/checkpoint.h>

#include <algorithm>
#include <span>

namespace weft {
namespace {

constexpr const char* kind = "weft training";

StateDict state_of(const History& history) {
  std::vector<int64_t> steps;
  std::vector<double> train, val;
  for (const Evaluation& e : history.evaluations) {
    steps.push_back(e.step);
    train.push_back(e.train_loss);
    val.push_back(e.val_loss);
  }
  const auto n = static_cast<int64_t>(steps.size());
  StateDict state;
  state.set("step", Array::from(steps, {n}));
  state.set("train_loss", Array::from(train, {n}));
  state.set("val_loss", Array::from(val, {n}));
  return state;
}

History history_of(const StateDict& state) {
  const auto steps = state.array("step").values<int64_t>();
  const auto train = state.array("train_loss").values<double>();
  const auto val = state.array("val_loss").values<double>();
  if (train.size() != steps.size() || val.size() != steps.size())
    fail<StateError>("history: ", steps.size(), " steps, ", train.size(), " train_loss, ", val.size(),
                     " val_loss");
  History history;
  for (size_t i = 0; i < steps.size(); ++i) history.evaluations.push_back({steps[i], train[i], val[i]});
  return history;
}

}  // namespace

const Evaluation* History::best() const {
  const auto found = std::ranges::min_element(evaluations, {}, &Evaluation::val_loss);
  return found == evaluations.end() ? nullptr : &*found;
}

int64_t History::since_best() const { return evaluations.empty() ? 0 : &evaluations.back() - best(); }

std::vector<int64_t> Checkpoint::end_ids() const {
  if (config.end_id != Config::unset) return {config.end_id};
  if (dynamic_cast<const WordTokenizer*>(tokenizer.get())) return {WordTokenizer::end};
  return {};
}

StateDict Checkpoint::state() const {
  StateDict state;
  state.set("kind", kind);
  state.set("numerics", numerics);
  state.set("step", step);
  state.set("config", fixed_state(config));
  state.set("model_kind", model_kind);
  state.set("model_config", model_config);
  state.set("model", model);
  state.set("optimizer", optimizer);
  if (ema.size() > 0) state.set("ema", ema);
  state.set("loader", loader);
  if (tokenizer) state.set("tokenizer", tokenizer->state_dict());
  state.set("content_hash", content_hash);
  state.set("history", state_of(history));
  return state;
}

Checkpoint Checkpoint::read(const std::string& path) {
  const StateDict state = read_checkpoint(path);
  if (!state.contains("kind") || state.text("kind") != kind)
    fail<FileError>(path, ": is a checkpoint, but not of a training run of weft");
  try {
    Checkpoint checkpoint;
    checkpoint.step = state.integer("step");
    checkpoint.numerics = state.integer("numerics");
    apply_state(checkpoint.config, state.dict("config"));
    checkpoint.model_kind = state.text("model_kind");
    checkpoint.model_config = state.dict("model_config");
    if (state.contains("tokenizer")) checkpoint.tokenizer = Tokenizer::from_state(state.dict("tokenizer"));
    checkpoint.content_hash = state.text("content_hash");
    checkpoint.history = history_of(state.dict("history"));
    checkpoint.model = state.dict("model");
    checkpoint.optimizer = state.dict("optimizer");
    if (state.contains("ema")) checkpoint.ema = state.dict("ema");
    checkpoint.loader = state.dict("loader");
    if (checkpoint.tokenizer)
      if (const int64_t wanted = checkpoint.model_config.integer("vocab_size");
          checkpoint.tokenizer->vocab_size() != wanted)
        fail<StateError>("a vocabulary of ", checkpoint.tokenizer->vocab_size(), " for a model of ", wanted);
    return checkpoint;
  } catch (const Error& error) {
    fail<FileError>(path, ": is a checkpoint, but of another version of weft: ", error.what());
  }
}

StateDict Checkpoint::weights() const {
  StateDict used = model;
  if (ema.size() > 0 && ema.integer("updates") > 0)
    for (const auto& [name, average] : ema.dict("average").entries())
      used.set(name, std::get<Array>(average));
  return used;
}

std::unique_ptr<Model> Checkpoint::build_model() const {
  const NoInit no_init;
  std::unique_ptr<Model> built = make_model(model_kind, model_config);
  built->load_state_dict(weights());
  built->eval();
  return built;
}

}  // namespace weft
