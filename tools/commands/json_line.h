// JSON as commands print it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace weft::tools {

/// One line. Names of files and what models write need not be UTF-8, which JSON is: bytes that are none become U+FFFD.
inline std::string json_line(const nlohmann::ordered_json& json) {
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace weft::tools
