// The JSON in and around safetensors files. What nests too deep, or lists more than a shape can have, is
// refused before it takes memory. Internal to lib.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace weft::safetensors {

/// What the header says of one tensor, not yet checked against anything.
struct RawEntry {
  std::optional<std::string> dtype;
  std::optional<std::vector<int64_t>> shape;
  std::optional<std::vector<uint64_t>> data_offsets;
};

struct Header {
  std::map<std::string, RawEntry> entries;
  std::map<std::string, std::string> metadata;
};

/// FileError, beginning with `path`, for text that is no header.
Header parse_header(std::string_view text, const std::string& path);

/// "weight_map" of a model.safetensors.index.json: tensor -> file. FileError likewise.
std::map<std::string, std::string> parse_index(std::string_view text, const std::string& path);

/// A JSON string. ValueError for text that is not UTF-8.
std::string quoted_json(const std::string& text);

/// A name for a message, in quotes: cut when it is long, without control characters.
std::string shown(std::string_view name);

}  // namespace weft::safetensors
