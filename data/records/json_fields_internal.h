// The fields of one JSON value. Internal to data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weft {

/// What is wrong with a value, and behind how many bytes of it, if that can be said.
struct JsonFault {
  std::string what;
  int64_t byte = -1;
};

/// Nesting beyond this is refused.
inline constexpr size_t most_json_depth = 256;

/// The texts, numbers (as they are written), true, false and null (an empty text) of an object or array, each under its
/// path: keys and places from 1 with dots between. JsonFault is thrown for what is no JSON (RFC 8259), no object and no
/// array, for a path that stands twice and for a NUL.
std::vector<std::pair<std::string, std::string>> json_fields(std::string_view text);

/// The JSON text of the list or object that stands under a key of an object which json_fields() reads; none where there is
/// no such.
std::optional<std::string> json_below(std::string_view text, const std::string& key);

}  // namespace weft
