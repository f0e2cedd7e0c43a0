#include <weft/lib/base/error.h>

#include <algorithm>

#include "hugging_face_config_internal.h"
#include "json_internal.h"

namespace weft {
namespace {

using nlohmann::json;

constexpr size_t most_bytes = 1 << 20;

}  // namespace

HuggingFaceConfig::HuggingFaceConfig(const std::string& text, const std::string& path)
    : root_(parse_json_object(text, path, most_bytes)), path_(path) {}

bool HuggingFaceConfig::has(const std::string& key) const {
  const auto found = root_.find(key);
  return found != root_.end() && !found->is_null();
}

template <class T, class Is>
T HuggingFaceConfig::value(const std::string& key, const std::optional<T>& fallback, const char* kind,
                           const Is& is) const {
  if (!has(key)) {
    if (!fallback) fail<FileError>(path_, ": has no ", key);
    return *fallback;
  }
  const json& found = root_.at(key);
  if (!is(found)) fail<FileError>(path_, ": ", key, " is ", shown(found), ", not ", kind);
  return found.get<T>();
}

int64_t HuggingFaceConfig::integer(const std::string& key, std::optional<int64_t> fallback) const {
  return value(key, fallback, "a whole number", [](const json& v) {
    return v.is_number_integer() && (!v.is_number_unsigned() || v.get<uint64_t>() <= INT64_MAX);
  });
}

double HuggingFaceConfig::number(const std::string& key, std::optional<double> fallback) const {
  return value(key, fallback, "a number", [](const json& v) { return v.is_number(); });
}

bool HuggingFaceConfig::boolean(const std::string& key, std::optional<bool> fallback) const {
  return value(key, fallback, "true or false", [](const json& v) { return v.is_boolean(); });
}

std::string HuggingFaceConfig::text(const std::string& key, std::optional<std::string> fallback) const {
  return value(key, fallback, "a text", [](const json& v) { return v.is_string(); });
}

std::vector<std::string> HuggingFaceConfig::texts(const std::string& key) const {
  return value(key, std::optional(std::vector<std::string>()), "a list of texts", [](const json& v) {
    return v.is_array() && std::all_of(v.begin(), v.end(), [](const json& e) { return e.is_string(); });
  });
}

std::vector<int64_t> HuggingFaceConfig::integers(const std::string& key) const {
  if (has(key) && root_.at(key).is_number()) return {integer(key)};
  return value(key, std::optional(std::vector<int64_t>()), "whole numbers", [](const json& v) {
    return v.is_array() &&
           std::all_of(v.begin(), v.end(), [](const json& e) { return e.is_number_integer(); });
  });
}

std::vector<std::string> HuggingFaceConfig::label_names() const {
  const auto found = root_.find("id2label");
  if (found == root_.end() || !found->is_object()) return {};
  std::vector<std::string> names;
  bool named = false;
  for (size_t i = 0; i < found->size(); ++i) {
    const auto one = found->find(std::to_string(i));
    if (one == found->end() || !one->is_string()) return {};
    names.push_back(one->get<std::string>());
    named = named || names.back() != str("LABEL_", i);
  }
  return named ? names : std::vector<std::string>();
}

int64_t HuggingFaceConfig::entries(const std::string& key, int64_t fallback) const {
  return has(key) ? static_cast<int64_t>(object(key).root_.size()) : fallback;
}

std::vector<std::string> HuggingFaceConfig::keys() const {
  std::vector<std::string> all;
  for (const auto& entry : root_.items()) all.push_back(entry.key());
  return all;
}

HuggingFaceConfig HuggingFaceConfig::object(const std::string& key) const {
  return {value(key, std::optional(json::object()), "an object", [](const json& v) { return v.is_object(); }),
          str(path_, ": ", key)};
}

void HuggingFaceConfig::allow(const std::string& key, const std::vector<json>& values) const {
  if (!has(key)) return;
  const json& found = root_.at(key);
  if (std::find(values.begin(), values.end(), found) != values.end()) return;
  std::string known;
  for (const json& one : values) known += (known.empty() ? "" : " or ") + shown(one);
  fail<FileError>(path_, ": ", key, " is ", shown(found), "; weft knows only ", known);
}

}  // namespace weft
