#include <weft/autograd/ops.h>
#include <weft/data/tasks/text_task.h>
#include <weft/data/text/bpe_tokenizer.h>
#include <weft/data/text/data_files.h>
#include <weft/data/text/tokenize.h>
#include <weft/layers/lora.h>
#include <weft/layers/models/registry.h>
#include <weft/layers/models/vocabulary_axes.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>
#include <weft/train/transfer.h>

#include <algorithm>

namespace weft {
namespace {

bool is_of(const Tokenizer& tokenizer, std::string_view kind) { return tokenizer.kind() == kind; }

/// Whether the tokenizer has an id for all that the run reads.
bool covers(const Tokenizer& given, const RunConfig& config) {
  const Tokenizer& tokenizer = unwrapped(given);
  if (!tasks().at(config.task).reads_files(config.data)) {
    const auto* const words = dynamic_cast<const WordTokenizer*>(&tokenizer);
    const TaskPointer task = make_task(config.task, task_options(config.parts));
    const auto* const wanted = dynamic_cast<const WordTokenizer*>(task->tokenizer().get());
    return words && wanted && !words->first_unknown(*wanted);
  }
  const auto* const chars = dynamic_cast<const CharTokenizer*>(&tokenizer);
  const bool other_unknown = chars && config.parts.contains("unknown_token") &&
                             chars->has_unknown() != config.parts.boolean("unknown_token");
  if (config.task == "text" && reads_ids(config.parts)) return true;
  // Records say what cannot be read of them; so they are read, unless the run names another tokenizer.
  if (config.task != "text") {
    const std::vector<std::string> learnable = learnable_tokenizers();
    const bool named = config.carries != "all" && std::ranges::count(learnable, tokenizer.kind()) > 0;
    return !named || (tokenizer.kind() == config.tokenizer && !other_unknown);
  }
  if (tokenizer.kind() != config.tokenizer || other_unknown) return false;
  if (const auto* const pairs = dynamic_cast<const BpeTokenizer*>(&tokenizer))
    return config.parts.integer("vocab_size") == pairs->vocab_size() &&
           config.parts.text("word_pattern") == name_of(pairs->parts().pattern);
  if (is_of(tokenizer, "byte") || (chars && chars->has_unknown())) return true;
  const Newlines newlines = newlines_from(config.newlines);
  return reads_text(tokenizer, text_files(without_weights(config.data), newlines, config.parts));
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += "\n    " + name;
  return text;
}

/// "1 character", "52 characters".
std::string counted(int64_t count, const Tokenizer& tokenizer) {
  const char* const one = is_of(tokenizer, "char")   ? "character"
                          : is_of(tokenizer, "byte") ? "byte"
                          : is_of(tokenizer, "word") ? "word"
                                                     : "token";
  return str(grouped(count), " ", one, count == 1 ? "" : "s");
}

}  // namespace

std::vector<Assignment> shape_of(const OpenedModel& source) {
  const ModelFile& file = source.checkpoint.model;
  std::vector<Assignment> all{{"", "model", file.kind}};
  const std::vector<std::string> learning = {"dropout", "drop_path"};  // ways of training, and no shape
  try {
    for (const Setting& s : models().at(file.kind).settings)
      if (!s.from_data && std::ranges::count(learning, s.name) == 0)
        all.push_back({"", s.name, taken(file.settings, s)});
  } catch (const Error& error) {
    fail<FileError>(source.path, ": ", error.what());
  }
  // A model without a longest context reads windows as long as those that it was trained on.
  if (!file.settings.contains("block_size") && !file.trained_on.task.empty())
    all.push_back({"", "block_size", file.trained_on.block_size, true, true});
  if (file.tokenizer) {
    const Tokenizer& tokenizer = unwrapped(*file.tokenizer);
    const std::vector<std::string> learnable = learnable_tokenizers();
    if (std::ranges::count(learnable, tokenizer.kind()) > 0)
      all.push_back({"", "tokenizer", std::string(tokenizer.kind())});
    if (const auto* const chars = dynamic_cast<const CharTokenizer*>(&tokenizer))
      all.push_back({"", "unknown_token", chars->has_unknown(), true, true});
    if (const auto* const pairs = dynamic_cast<const BpeTokenizer*>(&tokenizer)) {
      all.push_back({"", "vocab_size", pairs->vocab_size(), true, true});
      all.push_back({"", "word_pattern", std::string(name_of(pairs->parts().pattern)), true, true});
    }
  }
  return all;
}

std::shared_ptr<const Tokenizer> tokenizer_for(const OpenedModel& source, const RunConfig& config) {
  const auto& tokenizer = source.checkpoint.model.tokenizer;
  return tokenizer && covers(*tokenizer, config) ? tokenizer : nullptr;
}

Transfer::Transfer(const OpenedModel& source, const Model& model, const TaskData& task)
    : source_(source), now_(task.tokenizer) {
  const ModelFile& file = source.checkpoint.model;
  if (file.tokenizer && now_)
    change_.emplace(*file.tokenizer, *now_);
  else if (!file.tokenizer && now_)
    ids_ = Ids::unknown;
  else if (file.tokenizer)
    ids_ = Ids::none;
  if (change_ && !change_->none()) ids_ = change_->kept() > 0 ? Ids::move : Ids::none;
  find_places(model);
  if (ids_ == Ids::same) return;

  const std::map<std::string, int> theirs = vocabulary_axes(file.kind, file.settings),
                                   ours = vocabulary_axes(model.kind(), model.config_state());
  const StateDict wanted = model.shared_state_dict();
  const auto other_width = [&](const std::string& name, int axis) {
    const Shape &before = file.weights.array(name).shape(), &now = wanted.array(name).shape();
    return axis >= 0 && (now.rank() != before.rank() || now.with(axis, before[axis]) != before);
  };
  for (const auto& [name, axis] : theirs) {
    // What the model lacks is told as left, what is of another width by its shapes.
    if (!wanted.contains(name) || !file.weights.contains(name) || other_width(name, axis)) continue;
    const auto found = ours.find(name);
    axes_.emplace(name, found != ours.end() && found->second == axis ? axis : -1);
  }
  for (const auto& [name, axis] : ours)
    if (!theirs.contains(name)) axes_.emplace(name, -1);
}

void Transfer::find_places(const Model& model) {
  const ModelFile& file = source_.checkpoint.model;
  const StateDict settings = model.config_state();
  if (!file.settings.contains("block_size") || !settings.contains("block_size") ||
      file.settings.integer("block_size") == settings.integer("block_size"))
    return;
  const std::map<std::string, int> theirs = context_axes(file.kind, file.settings);
  for (const auto& [name, axis] : context_axes(model.kind(), settings))
    if (const auto found = theirs.find(name); axis >= 0 && found != theirs.end() && found->second == axis)
      places_.emplace(name, axis);
}

/// An array of so many entries along the axis of the vocabulary, or one that all ids share, as the ids are now; none
/// where it does not fit.
std::optional<Array> Transfer::moved(const std::string& name, const Array& array, int rank,
                                     VocabularyChange::Fresh fresh) const {
  const int axis = axes_.at(name);
  if (ids_ != Ids::move || axis < 0 || array.rank() != rank || !is_floating(array.dtype())) return {};
  if (array.dim(axis) == change_->before()) return change_->applied(array, axis, fresh);
  return array.dim(axis) == 1 ? std::optional(array) : std::nullopt;
}

StateDict Transfer::fitting(const StateDict& weights) const {
  check_finite(weights, source_.path + ": ");
  StateDict all;
  for (const std::string& name : weights.keys()) {
    const Array& array = weights.array(name);
    if (ids_ == Ids::unknown || !axes_.contains(name))
      all.set(name, array);
    else if (const auto now = moved(name, array, array.rank(), VocabularyChange::Fresh::mean))
      all.set(name, *now);
  }
  return all;
}

StateDict Transfer::lengthened(StateDict weights, const Model& model) const {
  const StateDict own = model.shared_state_dict();
  for (const auto& [name, axis] : places_) {
    if (!weights.contains(name)) continue;
    const Array &theirs = weights.array(name), &ours = own.array(name);
    const int64_t before = theirs.dim(axis), now = ours.dim(axis), kept = std::min(before, now);
    if (before == now || theirs.dtype() != ours.dtype() || ours.shape().with(axis, before) != theirs.shape())
      continue;
    const Tensor taken = slice(Tensor(theirs), axis, 0, kept);
    weights.set(name,
                (kept == now ? taken : cat({taken, slice(Tensor(ours), axis, kept, now)}, axis)).value());
  }
  return weights;
}

Transfer::Differences Transfer::differences(const Model& model) const {
  const StateDict &theirs = source_.checkpoint.model.weights, ours = model.shared_state_dict();
  Differences all;
  for (const std::string& name : ours.keys()) {
    if (!theirs.contains(name)) {
      all.fresh.push_back(name);
      continue;
    }
    const Array &before = theirs.array(name), &now = ours.array(name);
    Shape taken = before.shape();
    bool selected = false, grown = false;
    if (ids_ != Ids::unknown && axes_.contains(name)) {
      const int axis = axes_.at(name);
      const bool follows = ids_ == Ids::move && axis >= 0 && is_floating(before.dtype());
      const bool shared = follows && before.dim(axis) == 1;
      if (!follows || (!shared && before.dim(axis) != change_->before())) {
        all.fresh.push_back(name);
        continue;
      }
      if (!shared) taken = taken.with(axis, change_->now());
      selected = !shared;
      grown = !shared && change_->now() > change_->kept();
    }
    if (const auto place = places_.find(name); place != places_.end()) {
      const int64_t had = taken[place->second], has = now.dim(place->second);
      taken = taken.with(place->second, has);
      selected = selected || had != has;
      grown = grown || had < has;
    }
    if (taken != now.shape() || before.dtype() != now.dtype() || grown)
      all.fresh.push_back(name);
    else if (selected)
      all.changed.push_back(name);
  }
  return all;
}

void Transfer::say_vocabulary(const StateDict& taken, const Say& say) const {
  const ModelFile& file = source_.checkpoint.model;
  const int64_t before = file.settings.contains("vocab_size") ? file.settings.integer("vocab_size") : 0;
  if (ids_ == Ids::unknown && !axes_.empty()) {
    const bool by_number = before == now_->vocab_size();
    say(str(
        by_number ? "  warning: " : "  ", source_.path, " comes without a tokenizer: which of its ",
        grouped(before), " ids are the ", counted(now_->vocab_size(), *now_), " of this run is not known; ",
        by_number ? "what belongs to them is taken by number"
                  : "what belongs to them begins anew (a file that a run of weft wrote has its tokenizer)"));
  }
  if (!change_ || change_->none()) return;
  say(str("  another vocabulary: ", counted(change_->now(), *now_), ", of which ", grouped(change_->kept()),
          " are among the ", grouped(change_->before()), " of ", source_.path));
  const int64_t fresh = change_->now() - change_->kept();
  for (const auto& [name, axis] : axes_) {
    if (axis < 0 || !taken.contains(name)) continue;
    say(str("  ", fresh == 0 ? std::string("all") : str(grouped(change_->kept()), " of"), " ",
            grouped(change_->now()), axis == 0 && taken.array(name).rank() > 1 ? " rows" : " entries", " of ",
            name, " follow their ", counted(2, *now_).substr(2),
            fresh == 0   ? ""
            : fresh == 1 ? "; 1 new begins as their mean"
                         : str("; ", grouped(fresh), " new begin as their mean")));
  }
}

void Transfer::take_weights(Model& model, const Say& say) const {
  const NoGrad no_grad;
  const StateDict weights = lengthened(fitting(source_.checkpoint.model.weights), model);
  LoadReport report = model.load_matching(weights);
  size_t all = model.shared_state_dict().size();
  // Adapters that nobody has trained yet are told by their number elsewhere.
  const LoraAlphas adapters = lora_alphas(model);
  all -= std::erase_if(report.missing,
                       [&](const std::string& name) { return adapters.contains(adapted_layer(name)); });
  const size_t fresh = report.missing.size() + report.mismatched.size();
  if (fresh == all)
    fail<ValueError>("--init-from: nothing in ", source_.path, " fits this model by name and shape");

  const std::string step =
      source_.checkpoint.training ? str(" (step ", source_.checkpoint.training->step, ")") : "";
  say(str("weights from ", source_.path, step, ": ", all - fresh, " of ", all, " tensors taken"));
  say_vocabulary(weights, say);
  for (const auto& [name, axis] : places_) {
    if (!weights.contains(name)) continue;
    const int64_t before = source_.checkpoint.model.weights.array(name).dim(axis),
                  now = weights.array(name).dim(axis);
    if (before == now) continue;
    say(str("  another context: of ", name, " the first ", grouped(std::min(before, now)),
            now > before ? str(" places are taken; ", grouped(now - before), " more begin anew")
                         : str(" of ", grouped(before), " places are taken")));
  }
  if (!report.missing.empty()) say("  new:" + listed(report.missing));
  if (!report.mismatched.empty()) say("  new, as the shapes differ:" + listed(report.mismatched));
  if (!report.unexpected.empty()) say("  left:" + listed(report.unexpected));
}

void Transfer::take_last_weights(Model& model) const {
  const auto& training = source_.checkpoint.training;
  if (training && !training->weights.empty()) {
    const NoGrad no_grad;
    model.load_matching(lengthened(fitting(training->weights), model));
  }
}

void Transfer::take_optimizer(Optimizer& optimizer, const Say& say) const {
  if (!source_.checkpoint.training)
    fail<ValueError>(source_.path,
                     ": holds a model alone, without the state of an optimizer; --init-from without "
                     "--with-optimizer takes its weights");
  const StateDict& weights = source_.checkpoint.model.weights;
  StateDict state = source_.checkpoint.training->optimizer;
  for (const auto& [slot, value] : source_.checkpoint.training->optimizer.entries()) {
    const auto* const arrays = std::get_if<std::shared_ptr<StateDict>>(&value);
    if (!arrays) continue;
    StateDict now;
    for (const std::string& name : (*arrays)->keys()) {
      const Array& array = (*arrays)->array(name);
      if (!axes_.contains(name) || !weights.contains(name) || ids_ == Ids::unknown)
        now.set(name, array);
      else if (const auto fits =
                   moved(name, array, weights.array(name).rank(), VocabularyChange::Fresh::zero))
        now.set(name, *fits);
    }
    state.set(slot, std::move(now));
  }
  LoadReport report;
  try {
    report = optimizer.load_matching(state);
  } catch (const StateError& error) {
    fail<ValueError>("the optimizer's state of ", source_.path, ": ", error.what(), "; --init-from ",
                     source_.path, " without --with-optimizer takes the weights alone");
  }
  const size_t all = optimizer.parameters().size(), fresh = report.missing.size() + report.mismatched.size();
  say(str("optimizer from ", source_.path, " (", optimizer.steps(), " steps): the state of ", all - fresh,
          " of ", all, " parameters goes on"));
  if (!report.missing.empty()) say("  new:" + listed(report.missing));
  if (!report.mismatched.empty()) say("  begun anew, as the shapes differ:" + listed(report.mismatched));
  if (!report.unexpected.empty()) say("  dropped:" + listed(report.unexpected));
}

bool Transfer::take_averages(EMA& averages, const std::vector<NamedTensor>& parameters) const {
  StateDict state = source_.checkpoint.ema_state(parameters);
  state.set("average", fitting(state.dict("average")));
  try {
    averages.load_state_dict(state);
    return true;
  } catch (const StateError&) {
    return false;
  }
}

}  // namespace weft
