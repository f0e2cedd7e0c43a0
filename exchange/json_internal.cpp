#include "json_internal.h"

#include <weft/lib/base/error.h>

#include <set>

namespace weft {

using nlohmann::json;

namespace {

constexpr int most_depth = 32;

}  // namespace

std::string shown(const json& value) {
  std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
  if (text.size() > 80) text = text.substr(0, 77) + "...";
  return text;
}

json parse_json_object(const std::string& text, const std::string& path, size_t most_bytes) {
  if (text.size() > most_bytes)
    fail<FileError>(path, ": has ", text.size(), " bytes; such a file has at most ", most_bytes);
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

}  // namespace weft
