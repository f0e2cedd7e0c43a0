#include "init_from.h"

#include <weft/data/text/token_cache.h>
#include <weft/lib/base/error.h>

#include <algorithm>

namespace weft {
namespace {

/// Whether every character of the text has an id in that vocabulary, so that the text can be read with it.
bool covers(const Tokenizer& tokenizer, const Config& config) {
  if (config.task != text_task_name) return tokenizer.kind() == std::string_view("word");
  if (tokenizer.kind() != config.tokenizer) return false;
  const auto* chars = dynamic_cast<const CharTokenizer*>(&tokenizer);
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

void take_shape(Config& config, const Config& source) {
  config.model = source.model;
  config.n_layer = source.n_layer;
  config.n_head = source.n_head;
  config.n_kv_head = source.n_kv_head;
  config.n_embd = source.n_embd;
  config.n_inner = source.n_inner;
  config.block_size = source.block_size;
  config.bias = source.bias;
  config.norm = source.norm;
  config.patch_size = source.patch_size;
  config.window = source.window;
  config.tokenizer = source.tokenizer;
  config.unknown_token = source.unknown_token;
}

std::shared_ptr<const Tokenizer> tokenizer_of(const std::optional<ModelFile>& source, const Config& config) {
  if (!source || !source->checkpoint.tokenizer) return nullptr;
  return covers(*source->checkpoint.tokenizer, config) ? source->checkpoint.tokenizer : nullptr;
}

void take_weights(Session& session, const ModelFile& source) {
  const bool same_vocabulary = session.task.tokenizer == source.checkpoint.tokenizer;
  const std::string embedding = "token_embedding.weight";
  StateDict weights;
  const StateDict used = source.checkpoint.weights();
  for (const auto& [name, value] : used.entries())
    if (same_vocabulary || name != embedding) weights.set(name, std::get<Array>(value));
  const LoadReport report = session.model->load_matching(weights);
  const size_t fresh = report.missing.size() + report.mismatched.size();
  const size_t all = session.model->shared_state_dict().size();
  if (fresh == all)
    fail<ValueError>("--init-from: nothing in ", source.path, " fits this model by name and shape");

  session.notes.push_back(str("weights from ", source.path, " (step ", source.checkpoint.step,
                              "): ", all - fresh, " of ", all, " tensors taken"));
  if (!same_vocabulary && session.task.tokenizer)
    session.notes.push_back(
        "  the text has characters that its vocabulary lacks: a new vocabulary and embedding");
  if (!report.missing.empty()) session.notes.push_back("  new:" + listed(report.missing));
  if (!report.mismatched.empty())
    session.notes.push_back("  new, as the shapes differ:" + listed(report.mismatched));
  if (!report.unexpected.empty()) session.notes.push_back("  left:" + listed(report.unexpected));
}

}  // namespace weft
