#include <weft/layers/lora.h>
#include <weft/layers/models/registry.h>
#include <weft/lib/base/values.h>
#include <weft/lib/machine/dry_run.h>
#include <weft/optim/parameter_groups.h>
#include <weft/train/lora_run.h>
#include <weft/train/transfer.h>

#include <algorithm>

namespace weft {
namespace {

bool among(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::count(names, name) > 0;
}

std::unique_ptr<Model> imagined_model(const RunConfig& config, const TaskData& task) {
  const DryRun dry;
  const NoInit no_init;
  const ModelEntry& entry = models().at(config.model);
  return entry.make(entry.settings_for(config.parts, task.shape));
}

}  // namespace

OwnParts own_parts(const RunConfig& config, const TaskData& task, const OpenedModel& base) {
  const std::unique_ptr<Model> model = imagined_model(config, task);
  const Transfer::Differences differ = Transfer(base, *model, task).differences(*model);
  const std::vector<std::string> full = patterns_in(config.lora_full);
  check_patterns("lora_full", model->parameters(), full);
  OwnParts own{.trained = differ.fresh, .kept = differ.changed};
  for (const NamedTensor& p : model->parameters()) {
    if (!matches_any(full, p.name) || among(own.trained, p.name)) continue;
    own.trained.push_back(p.name);
    std::erase(own.kept, p.name);
  }
  // They may change, though nothing trains them.
  for (const NamedTensor& buffer : model->buffers())
    if (!among(own.trained, buffer.name) && !among(own.kept, buffer.name)) own.kept.push_back(buffer.name);
  return own;
}

void add_adapters(Model& model, const RunConfig& config, const OwnParts& own) {
  std::vector<std::pair<std::string, Linear*>> layers = linear_layers(model);
  std::erase_if(layers, [&](const auto& one) { return among(own.trained, one.first + ".weight"); });
  std::vector<std::string> names;
  for (const auto& [path, layer] : layers) names.push_back(path);
  const std::vector<std::string> patterns = patterns_in(config.lora_layers);
  if (patterns.empty())
    fail<ValueError>("lora_layers: names no layer; there are: ", names.empty() ? "none" : joined(names));
  check_patterns("lora_layers", "layer", names, patterns);
  model.freeze();
  for (NamedTensor p : model.parameters())
    if (among(own.trained, p.name)) p.tensor.set_requires_grad(true);
  for (const auto& [path, layer] : layers) {
    if (!matches_any(patterns, path)) continue;
    const Shape& shape = layer->weight.shape();
    if (const int64_t most = std::min(shape[0], shape[1]); config.lora_rank > most)
      fail<ValueError>("lora_rank = ", config.lora_rank, ": the layer '", path, "' ", shape,
                       " has a rank of ", most,
                       " at most; lower lora_rank, or leave the layer out of lora_layers");
    layer->add_lora({.rank = config.lora_rank, .alpha = config.lora_alpha, .dropout = config.lora_dropout});
  }
}

std::vector<std::string> saved_parameters(const Model& model, const OwnParts& own) {
  const LoraAlphas adapters = lora_alphas(model);
  std::vector<std::string> saved;
  const StateDict state = model.shared_state_dict();
  for (const std::string& name : state.keys())
    if (adapters.contains(adapted_layer(name)) || among(own.trained, name) || among(own.kept, name))
      saved.push_back(name);
  return saved;
}

std::string describe_adapters(const Model& model, const RunConfig& config) {
  const LoraAlphas adapters = lora_alphas(model);
  int64_t full = 0;
  for (const NamedTensor& p : model.parameters())
    full += p.tensor.requires_grad() && !adapters.contains(adapted_layer(p.name));
  return str(
      "adapters of rank ", config.lora_rank, " on ", grouped(std::ssize(adapters)), " layers",
      full > 0 ? str(" and ", grouped(full), full == 1 ? " parameter" : " parameters", " in full") : "", ", ",
      grouped(model.parameter_count(false)), " values, are trained, on ", config.base());
}

}  // namespace weft
