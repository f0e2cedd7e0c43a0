#include "tools/exchange.h"

#include <weft/lib/files/npy.h>
#include <weft/lib/files/safetensors.h>

#include "checks.h"

using weft::Array;
using weft::str;

namespace {

using Arrays = std::map<std::string, Array>;

Arrays expected(const std::string& name) {
  return weft::read_safetensors(reference_model(name) + "/expected.safetensors");
}

/// The first `count` ids of the second row.
std::string second_row(const Array& ids, int64_t count) {
  std::string text;
  for (int64_t t = 0; t < count; ++t)
    text += str(text.empty() ? "" : ",", static_cast<int64_t>(ids.at({1, t})));
  return text;
}

/// The beginning of the second sample, as `shape`.
Array second(const Array& all, const weft::Shape& shape) {
  const auto each = static_cast<size_t>(all.size() / all.dim(0));
  return Array::from(all.values<float>().subspan(each, static_cast<size_t>(shape.size())), shape);
}

}  // namespace

std::string reference_model(const std::string& name) {
  return str(WEFT_SOURCE_DIR "/tests/reference/hugging_face/", name);
}

std::vector<std::string> second_sample(const std::string& name, const std::string& image) {
  const Arrays given = expected(name);
  if (given.contains("image")) {
    const Array& images = given.at("image");
    weft::write_npy(image, second(images, images.shape().without(0)));
    return {"--image", image};
  }
  // Padded in the reference, alone here.
  const auto length = static_cast<int64_t>(given.at("lengths").at({1}));
  std::vector<std::string> arguments = {"--ids", second_row(given.at("ids"), length)};
  if (given.contains("target_ids")) {
    const Array& ids = given.at("target_ids");
    arguments.insert(arguments.end(), {"--target-ids", second_row(ids, ids.dim(1))});
  }
  return arguments;
}

std::string logits_difference(const std::string& name, const std::string& npy) {
  const Array found = weft::read_npy(npy);
  return weft::test::difference(found, second(expected(name).at("logits"), found.shape()), 1e-4);
}

std::string tensors_difference(const std::string& name, const std::string& folder) {
  const Arrays before = weft::read_safetensors_folder(reference_model(name));
  const Arrays after = weft::read_safetensors_folder(folder);
  if (before.size() != after.size()) return str(after.size(), " tensors, not ", before.size());
  for (const auto& [key, array] : after)
    if (!before.contains(key) || !array.identical(before.at(key).to(weft::float32))) return key;
  return {};
}

Plain read_plain(const std::string& safetensors) {
  const weft::SafetensorsFile file(safetensors);
  Plain plain{file.metadata(), {}};
  for (const auto& [name, entry] : file.entries()) plain.names.push_back(name);
  return plain;
}
