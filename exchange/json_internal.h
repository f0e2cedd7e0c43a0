// JSON of others, read strictly. Internal to exchange and tools.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>

namespace weft {

/// FileError, which begins with `path`, for a text of more bytes, that is no JSON object, holds a key twice, or nests
/// deeper than 32.
nlohmann::json parse_json_object(const std::string& text, const std::string& path, size_t most_bytes);
/// A value for a message, on one line, cut when it is long.
std::string shown(const nlohmann::json& value);

}  // namespace weft
