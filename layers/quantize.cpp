#include <weft/autograd/int8.h>
#include <weft/layers/embedding.h>
#include <weft/layers/linear.h>
#include <weft/layers/quantize.h>
#include <weft/lib/machine/memory.h>

namespace weft {

namespace {

constexpr int64_t smallest = 4096;

struct Found {
  std::string name;
  Tensor weight;
  FloatValues values;
};

void find(const Module& module, std::vector<Found>& found) {
  const auto add = [&](const Tensor& weight, FloatValues values) {
    if (!is_int8(weight) && weight.size() >= smallest)
      found.push_back({str(module.path(), module.path().empty() ? "" : ".", "weight"), weight, values});
  };
  if (const auto* linear = dynamic_cast<const Linear*>(&module)) add(linear->weight, FloatValues::dropped);
  if (const auto* embedding = dynamic_cast<const Embedding*>(&module))
    add(embedding->weight, FloatValues::kept);
  for (const auto& [name, child] : module.children()) find(*child, found);
}

}  // namespace

void quantize_weights(Module& module) {
  std::vector<Found> found;
  find(module, found);
  for (const Found& one : found) {
    if (one.weight.dtype() != float32)
      fail<TypeError>("quantize_weights: ", one.name, " is ", one.weight.dtype(),
                      ", and becomes int8 of float32 alone");
    if (!one.weight.value().all_finite())
      fail<ValueError>("quantize_weights: ", one.name, " has NaN or infinity in it");
  }
  module.freeze();
  for (const Found& one : found) quantize_int8(one.weight, one.values);
  release_cached();
}

}  // namespace weft
