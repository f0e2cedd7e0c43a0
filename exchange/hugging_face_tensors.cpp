#include <weft/lib/kernels/movement.h>

#include <array>

#include "hugging_face_tensors_internal.h"

namespace weft {

namespace {

Array theirs_of(const Array& ours, const Mapping& mapping) {
  if (mapping.turn == Turn::none) return ours;
  if (mapping.turn == Turn::transposed) return kernels::permute(ours, std::array{1, 0});
  return ours.reshape(ours.shape().inserted(0, 1));
}

}  // namespace

Array ours_of(const Array& theirs, const Mapping& mapping, const std::string& who) {
  if (!is_floating(theirs.dtype()))
    fail<FileError>(who, "its values are ", theirs.dtype(), ", not floating numbers");
  const Array values = theirs.to(float32);
  if (mapping.turn == Turn::none) return values;
  if (mapping.turn == Turn::transposed) {
    if (values.rank() != 2) fail<FileError>(who, "is ", values.shape(), ", not a matrix");
    return kernels::permute(values, std::array{1, 0});
  }
  if (values.rank() < 1 || values.dim(0) != 1)
    fail<FileError>(who, "is ", values.shape(), ", whose first axis has not extent 1");
  return values.reshape(values.shape().without(0));
}

std::vector<Array> split(const Array& whole, size_t parts, const std::string& who) {
  if (parts == 1) return {whole};
  const auto n = static_cast<int64_t>(parts);
  if (whole.rank() < 1 || whole.dim(0) % n != 0)
    fail<FileError>(who, "is ", whole.shape(), ", which does not divide into ", parts);
  const Shape shape = whole.shape().with(0, whole.dim(0) / n);
  const auto size = static_cast<size_t>(shape.size());
  std::vector<Array> found;
  for (size_t i = 0; i < parts; ++i)
    found.push_back(Array::from(whole.values<float>().subspan(i * size, size), shape));
  return found;
}

Array concatenated(const std::vector<Array>& parts) {
  if (parts.size() == 1) return parts[0];
  std::vector<float> values;
  for (const Array& part : parts)
    values.insert(values.end(), part.data<float>(), part.data<float>() + part.size());
  return Array::from(values, parts[0].shape().with(0, parts[0].dim(0) * static_cast<int64_t>(parts.size())));
}

Array tensor_for(const Mapping& mapping, const StateDict& weights) {
  std::vector<Array> parts;
  for (const std::string& name : mapping.ours) {
    // Theirs has biases everywhere; 0 is the same as none.
    const bool none = name.ends_with(".bias") && !weights.contains(name);
    const std::string weight = none ? name.substr(0, name.size() - 4) + "weight" : name;
    parts.push_back(none ? Array::zeros({weights.array(weight).dim(0)}, float32)
                         : weights.array(name).to(float32));
  }
  return theirs_of(concatenated(parts), mapping);
}

}  // namespace weft
