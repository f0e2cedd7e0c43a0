#include <weft/layers/models/registry.h>
#include <weft/layers/models/vocabulary_axes.h>
#include <weft/lib/machine/dry_run.h>

namespace weft {
namespace {

/// Far enough for a padded table to grow, and even where a model asks that of vocab_size.
int64_t other_size(int64_t size) { return size < 1 << 18 ? 2 * size + 4096 : size / 2; }

std::map<std::string, Shape> shapes_of(const std::string& kind, StateDict settings,
                                       const std::string& setting, int64_t size) {
  settings.set(setting, size);
  const DryRun dry;
  const NoInit no_init;
  const std::unique_ptr<Model> model = make_model(kind, settings);
  std::map<std::string, Shape> shapes;
  const StateDict state = model->shared_state_dict();
  for (const auto& [name, value] : state.entries()) shapes.emplace(name, std::get<Array>(value).shape());
  return shapes;
}

int axis_of(const Shape& shape, const Shape& other, int64_t size) {
  for (int axis = 0; axis < shape.rank(); ++axis)
    if (shape[axis] == size && shape.with(axis, other_size(size)) == other) return axis;
  return -1;
}

std::map<std::string, int> axes_of(const std::string& kind, const StateDict& settings,
                                   const std::string& setting) {
  std::map<std::string, int> axes;
  if (!settings.contains(setting)) return axes;
  const int64_t size = settings.integer(setting);
  const std::map<std::string, Shape> others = shapes_of(kind, settings, setting, other_size(size));
  for (const auto& [name, shape] : shapes_of(kind, settings, setting, size)) {
    const auto other = others.find(name);
    if (other == others.end())
      axes.emplace(name, -1);
    else if (other->second != shape)
      axes.emplace(name, axis_of(shape, other->second, size));
  }
  return axes;
}

}  // namespace

std::map<std::string, int> vocabulary_axes(const std::string& kind, const StateDict& settings) {
  return axes_of(kind, settings, "vocab_size");
}

std::map<std::string, int> context_axes(const std::string& kind, const StateDict& settings) {
  return axes_of(kind, settings, "block_size");
}

}  // namespace weft
