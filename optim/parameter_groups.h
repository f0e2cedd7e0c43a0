// Which parameters an optimizer changes, and how much each is to learn and to decay.
#pragma once

#include <weft/autograd/named_tensor.h>

#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// Parameters that share their settings.
struct ParameterGroup {
  std::vector<NamedTensor> parameters;
  double lr_scale = 1.0;            ///< times the optimizer's lr
  double weight_decay_scale = 1.0;  ///< times the optimizer's weight_decay
};

/// Whether a name is of the pattern, in which * stands for any characters, none included, and ? for one:
/// "blocks.*.norm?.*", "*.bias".
bool matches(std::string_view pattern, std::string_view name);

/// The patterns of a text that separates them by commas.
std::vector<std::string> patterns_in(std::string_view text);

/// Whether a name is of any of the patterns.
bool matches_any(const std::vector<std::string>& patterns, std::string_view name);

/// ValueError, with `option` and all names, for a pattern that none of the names has, since it is likely mistyped; `thing`
/// is what they name: "parameter".
void check_patterns(const char* option, const char* thing, const std::vector<std::string>& names,
                    const std::vector<std::string>& patterns);
/// The same of parameters.
void check_patterns(const char* option, const std::vector<NamedTensor>& parameters,
                    const std::vector<std::string>& patterns);

/// No gradient for the parameters of the patterns, from now on (requires_grad off); one that is there is forgotten, so
/// that no step uses it. Returns how many.
/// ValueError for a pattern that none has, since it is likely mistyped.
int64_t freeze(const std::vector<NamedTensor>& parameters, const std::vector<std::string>& patterns);

struct GroupOptions {
  /// Patterns of parameters without weight decay, beside all of fewer than two axes (biases, norms).
  /// ValueError for one that none has.
  std::vector<std::string> no_decay = {};
  /// Layer-wise learning rates (Clark et al. 2020, ELECTRA; Bao et al. 2022, BEiT): those of block i are
  /// scaled by layer_decay^(L - i) where the path says "blocks.i.", L being the most blocks of a stack; of
  /// what was made before all blocks, the embeddings, by layer_decay^(L + 1); of the rest, the heads, by 1.
  /// In (0, 1] (ValueError).
  double layer_decay = 1.0;
};

/// Groups by these rules, of parameters that require a gradient, those of equal settings together. One that thaws later
/// needs a new optimizer: the old one's step refuses its gradient (StateError).
std::vector<ParameterGroup> parameter_groups(const std::vector<NamedTensor>& parameters,
                                             const GroupOptions& options = {});

}  // namespace weft
