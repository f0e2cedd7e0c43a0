// Single tensors of transformers' and ours.
#pragma once

#include <string>
#include <vector>

#include "hugging_face_family_internal.h"

namespace weft {

/// As float32, turned as the mapping says. FileError, beginning with `who`, for what is no matrix, or no floating numbers.
Array ours_of(const Array& theirs, const Mapping& mapping, const std::string& who);
/// Theirs of our weights, as float32; zeros for a bias that our model does without.
Array tensor_for(const Mapping& mapping, const StateDict& weights);
/// Equal parts along the first axis; FileError, beginning with `who`, where it does not divide.
std::vector<Array> split(const Array& whole, size_t parts, const std::string& who);
/// What split() takes apart.
Array concatenated(const std::vector<Array>& parts);

}  // namespace weft
