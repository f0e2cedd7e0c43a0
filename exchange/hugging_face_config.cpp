#include <weft/lib/base/error.h>

#include <algorithm>
#include <set>

#include "hugging_face_config_internal.h"

namespace weft {
namespace {

using nlohmann::json;

constexpr size_t most_bytes = 1 << 20;
constexpr int most_depth = 32;

/// A value for a message.
std::string shown(const json& value) {
  std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
  if (text.size() > 80) text = text.substr(0, 77) + "...";
  return text;
}

json parsed(const std::string& text, const std::string& path) {
  if (text.size() > most_bytes)
    fail<FileError>(path, ": has ", text.size(), " bytes; a configuration has at most ", most_bytes);
  std::vector<std::set<std::string>> keys;
  const auto check = [&](int depth, json::parse_event_t event, json& value) {
    if (depth > most_depth) fail<FileError>(path, ": is nested deeper than ", most_depth);
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end) keys.pop_back();
    if (event == json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second)
      fail<FileError>(path, ": holds the key ", shown(value), " twice");
    return true;
  };
  try {
    json root = json::parse(text, check);
    if (!root.is_object()) fail<FileError>(path, ": is no JSON object");
    return root;
  } catch (const json::parse_error& error) {
    fail<FileError>(path, ": is not JSON: byte ", error.byte, " is wrong");
  } catch (const json::exception&) {
    fail<FileError>(path, ": is not JSON: it holds a number that is out of range");
  }
}

}  // namespace

HuggingFaceConfig::HuggingFaceConfig(const std::string& text, const std::string& path)
    : root_(parsed(text, path)), path_(path) {}

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

int64_t HuggingFaceConfig::entries(const std::string& key, int64_t fallback) const {
  return has(key) ? static_cast<int64_t>(object(key).root_.size()) : fallback;
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
