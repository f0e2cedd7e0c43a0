#include <weft/data/text/token_cache.h>
#include <weft/layers/models/registry.h>
#include <weft/lib/base/error.h>
#include <weft/train/transfer.h>

#include <algorithm>

namespace weft {
namespace {

/// Whether every character of the text has an id in that vocabulary, so that the text can be read with it.
bool covers(const Tokenizer& tokenizer, const RunConfig& config) {
  if (!tasks().at(config.task).reads_files()) return tokenizer.kind() == std::string_view("word");
  if (tokenizer.kind() != config.tokenizer) return false;
  const auto* const chars = dynamic_cast<const CharTokenizer*>(&tokenizer);
  if (chars && config.parts.contains("unknown_token") &&
      chars->has_unknown() != config.parts.boolean("unknown_token"))
    return false;
  if (!chars || chars->has_unknown()) return true;
  const TextScan scan = scan_text(config.data, {.newlines = newlines_from(config.newlines)});
  return std::ranges::includes(chars->characters(), scan.characters);
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += "\n    " + name;
  return text;
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
    const std::vector<std::string> learnable = learnable_tokenizers();
    if (std::ranges::count(learnable, file.tokenizer->kind()) > 0)
      all.push_back({"", "tokenizer", std::string(file.tokenizer->kind())});
    if (const auto* const chars = dynamic_cast<const CharTokenizer*>(file.tokenizer.get()))
      all.push_back({"", "unknown_token", chars->has_unknown(), true, true});
  }
  return all;
}

std::shared_ptr<const Tokenizer> tokenizer_for(const OpenedModel& source, const RunConfig& config) {
  const auto& tokenizer = source.checkpoint.model.tokenizer;
  return tokenizer && covers(*tokenizer, config) ? tokenizer : nullptr;
}

StateDict fitting_weights(const StateDict& weights, const TaskData& task, const OpenedModel& source) {
  check_finite(weights, source.path + ": ");
  const auto& tokenizer = source.checkpoint.model.tokenizer;
  const bool same_vocabulary = !tokenizer || task.tokenizer == tokenizer;
  StateDict fitting;
  for (const std::string& name : weights.keys())
    if (same_vocabulary || name != "token_embedding.weight") fitting.set(name, weights.array(name));
  return fitting;
}

void take_weights(Model& model, const TaskData& task, const OpenedModel& source, const Say& say) {
  const ModelFile& file = source.checkpoint.model;
  const bool same_vocabulary = !file.tokenizer || task.tokenizer == file.tokenizer;
  const StateDict weights = fitting_weights(file.weights, task, source);
  const LoadReport report = model.load_matching(weights);
  const size_t fresh = report.missing.size() + report.mismatched.size();
  const size_t all = model.shared_state_dict().size();
  if (fresh == all)
    fail<ValueError>("--init-from: nothing in ", source.path, " fits this model by name and shape");

  const std::string step =
      source.checkpoint.training ? str(" (step ", source.checkpoint.training->step, ")") : "";
  say(str("weights from ", source.path, step, ": ", all - fresh, " of ", all, " tensors taken"));
  if (!same_vocabulary && task.tokenizer)
    say("  the text has characters that its vocabulary lacks: a new vocabulary and embedding");
  if (!report.missing.empty()) say("  new:" + listed(report.missing));
  if (!report.mismatched.empty()) say("  new, as the shapes differ:" + listed(report.mismatched));
  if (!report.unexpected.empty()) say("  left:" + listed(report.unexpected));
}

void take_optimizer(Optimizer& optimizer, const OpenedModel& source, const Say& say) {
  if (!source.checkpoint.training)
    fail<ValueError>(source.path,
                     ": holds a model alone, without the state of an optimizer; --init-from without "
                     "--with-optimizer takes its weights");
  const StateDict& state = source.checkpoint.training->optimizer;
  LoadReport report;
  try {
    report = optimizer.load_matching(state);
  } catch (const StateError& error) {
    fail<ValueError>("the optimizer's state of ", source.path, ": ", error.what(), "; --init-from ",
                     source.path, " without --with-optimizer takes the weights alone");
  }
  const size_t all = optimizer.parameters().size(), fresh = report.missing.size() + report.mismatched.size();
  say(str("optimizer from ", source.path, " (", optimizer.steps(), " steps): the state of ", all - fresh,
          " of ", all, " parameters goes on"));
  if (!report.missing.empty()) say("  new:" + listed(report.missing));
  if (!report.mismatched.empty()) say("  begun anew, as the shapes differ:" + listed(report.mismatched));
  if (!report.unexpected.empty()) say("  dropped:" + listed(report.unexpected));
}

}  // namespace weft
