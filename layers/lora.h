// The low-rank adapters of a whole model (Hu et al. 2021; Linear::add_lora() is one of them):
//
//   for (auto& [path, layer] : linear_layers(model))
//     if (path.ends_with(".query") || path.ends_with(".value")) layer->add_lora({.rank = 8, .alpha = 16});
//
// In a state their parameters are PATH.lora_A and PATH.lora_B, beside PATH.weight; the rank is lora_A's first extent.
#pragma once

#include <weft/layers/linear.h>
#include <weft/lib/array/state_dict.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace weft {

/// All layers that can have an adapter, by path from `root`, in the order of their creation: of a user's model too.
std::vector<std::pair<std::string, Linear*>> linear_layers(Module& root);

/// The alpha of each adapter, by the path of its layer.
using LoraAlphas = std::map<std::string, double>;
LoraAlphas lora_alphas(const Module& root);

/// The path of the layer whose adapter has this parameter; empty for any other parameter.
std::string adapted_layer(const std::string& parameter);

/// Gives the layers of `alphas` adapters with the rank that lora_A has in `weights`, and first values. StateError for a path
/// at which there is no Linear, and one whose lora_A or lora_B `weights` lacks, or has of shapes that do not fit.
void add_lora(Module& root, const StateDict& weights, const LoraAlphas& alphas);

/// `weights` without adapters, each folded into its layer's weight: W + (alpha / rank) lora_B lora_A. StateError, naming
/// the layer, where one of the three is missing or their shapes do not fit. Other arrays are shared, not copied.
StateDict without_lora(const StateDict& weights, const LoraAlphas& alphas);

}  // namespace weft
