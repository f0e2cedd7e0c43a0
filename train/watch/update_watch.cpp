#include <weft/layers/output_observer.h>
#include <weft/lib/machine/dry_run.h>
#include <weft/lib/profile/profile.h>
#include <weft/train/watch/update_watch.h>

#include <utility>

namespace weft {

UpdateWatch::UpdateWatch(Module& model, int64_t step) : model_(model), parameters_(model.parameters()) {
  const PhaseScope phase("statistics");
  found_.step = step;
  for (const NamedTensor& p : parameters_) {
    found_.weights.emplace_back(p.name, statistics_of(p.tensor.value(), true));
    before_.push_back(p.tensor.value().copy());
  }
  for (const auto& [name, child] : model.children()) hook(*child);
}

UpdateWatch::~UpdateWatch() { unhook(); }

void UpdateWatch::hook(Module& module) {
  layers_.push_back(std::make_unique<Layer>(Layer{module.path()}));
  hooks_.push_back(
      module.register_forward_hook(OutputObserver([this, layer = layers_.back().get()](const Tensor& output) {
        if (!looks_ || !output.defined() || !is_floating(output.dtype())) return;
        const PhaseScope phase("statistics");
        layer->found.add(statistics_of(output.value()));
        layer->called = true;
      })));
  for (const auto& [name, child] : module.children()) hook(*child);
}

void UpdateWatch::unhook() {
  for (const RemovableHandle& hook : hooks_) hook.remove();
  hooks_.clear();
}

void UpdateWatch::gradients(double scale) {
  const PhaseScope phase("statistics");
  for (const NamedTensor& p : parameters_)
    if (const Tensor grad = p.tensor.grad(); grad.defined())
      found_.gradients.emplace_back(p.name, statistics_of(grad.value(), true).scaled(scale));
}

UpdateStatistics UpdateWatch::finish() {
  const PhaseScope phase("statistics");
  unhook();
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const NamedTensor& p = parameters_[i];
    if (DryRun::active() || p.tensor.value().identical(before_[i])) continue;
    const double norm = found_.weights[i].second.norm;
    found_.ratios.emplace_back(p.name, norm > 0 ? distance(p.tensor.value(), before_[i]) / norm : 0.0);
  }
  before_.clear();
  for (const auto& layer : layers_)
    if (layer->called) found_.activations.emplace_back(layer->path, std::move(layer->found));
  return std::move(found_);
}

}  // namespace weft
