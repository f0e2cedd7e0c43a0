#include <weft/layers/lora.h>

namespace weft {
namespace {

constexpr const char *A_name = ".lora_A", *B_name = ".lora_B";

template <class Visit>
void each_linear(const Module& module, const std::string& path, const Visit& visit) {
  if (const auto* const layer = dynamic_cast<const Linear*>(&module)) visit(path, *layer);
  for (const auto& [name, below] : module.children())
    each_linear(*below, path.empty() ? name : str(path, ".", name), visit);
}

struct Adapter {
  Array A, B;
  int64_t rank;
};

/// Of the layer at `path`, whose weight is of that shape.
Adapter adapter_of(const StateDict& weights, const std::string& path, const Shape& weight) {
  const Array &A = weights.array(path + A_name), &B = weights.array(path + B_name);
  const int64_t rank = A.rank() == 2 ? A.dim(0) : 0;
  if (rank < 1 || weight.rank() != 2 || A.shape() != Shape{rank, weight[1]} ||
      B.shape() != Shape{weight[0], rank})
    fail<StateError>("the adapter of '", path, "', lora_A ", A.shape(), " and lora_B ", B.shape(),
                     ", does not fit its weight ", weight);
  if (!is_floating(A.dtype()) || B.dtype() != A.dtype())
    fail<StateError>("the adapter of '", path, "' is ", A.dtype(), " and ", B.dtype());
  return {A, B, rank};
}

}  // namespace

std::vector<std::pair<std::string, Linear*>> linear_layers(Module& root) {
  std::vector<std::pair<std::string, Linear*>> all;
  // They are parts of `root`, which is not const.
  each_linear(root, "", [&](const std::string& path, const Linear& layer) {
    all.emplace_back(path, const_cast<Linear*>(&layer));
  });
  return all;
}

LoraAlphas lora_alphas(const Module& root) {
  LoraAlphas alphas;
  each_linear(root, "", [&](const std::string& path, const Linear& layer) {
    if (layer.has_lora()) alphas.emplace(path, layer.lora_options().alpha);
  });
  return alphas;
}

std::string adapted_layer(const std::string& parameter) {
  for (const std::string end : {A_name, B_name})
    if (parameter.size() > end.size() && parameter.ends_with(end))
      return parameter.substr(0, parameter.size() - end.size());
  return "";
}

void add_lora(Module& root, const StateDict& weights, const LoraAlphas& alphas) {
  std::map<std::string, Linear*> layers;
  for (const auto& [path, layer] : linear_layers(root)) layers.emplace(path, layer);
  for (const auto& [path, alpha] : alphas) {
    const auto found = layers.find(path);
    if (found == layers.end()) fail<StateError>("an adapter of '", path, "', which is no Linear layer");
    const Adapter adapter = adapter_of(weights, path, found->second->weight.shape());
    found->second->add_lora({.rank = adapter.rank, .alpha = alpha});
  }
}

StateDict without_lora(const StateDict& weights, const LoraAlphas& alphas) {
  const NoGrad no_grad;
  StateDict merged;
  for (const auto& [name, value] : weights.entries()) {
    const std::string layer = adapted_layer(name);
    if (layer.empty() || !alphas.contains(layer)) merged.set(name, std::get<Array>(value));
  }
  for (const auto& [path, alpha] : alphas) {
    const Array& weight = weights.array(path + ".weight");
    const Adapter adapter = adapter_of(weights, path, weight.shape());
    const Tensor change =
        matmul(Tensor(adapter.B), Tensor(adapter.A)) * (alpha / static_cast<double>(adapter.rank));
    merged.set(path + ".weight", (Tensor(weight) + change).value());
  }
  return merged;
}

}  // namespace weft
