// Which parameters of a model are of its vocabulary: tables with an entry for each id, as embeddings, output layers and
// their biases are; and which are of its context: tables with an entry for each place.
#pragma once

#include <weft/lib/array/state_dict.h>

#include <map>
#include <string>

namespace weft {

/// Of each parameter or buffer whose shape follows vocab_size, the axis along which it has one entry for each id; -1 where there
/// is no such axis (a table padded to a multiple of 64, say). Nobody declares it: the model is built once more with
/// another vocab_size, without memory or first values (DryRun), and what has another shape then is of the vocabulary.
/// None for a model without the setting vocab_size. Errors as make_model() throws them.
std::map<std::string, int> vocabulary_axes(const std::string& kind, const StateDict& settings);

/// The same of block_size, the longest context: tables with an entry for each place.
std::map<std::string, int> context_axes(const std::string& kind, const StateDict& settings);

}  // namespace weft
