// TOML in and out, for config.cpp; the only door to toml++, which takes seconds to compile.
#pragma once

#include <weft/lib/settings/setting.h>

#include <cstdint>
#include <string>
#include <vector>

namespace weft {

using TomlValue = SettingValue;

struct TomlEntry {
  std::string key;
  int64_t line = 0;
  std::string text;  ///< the value as a message shows it
  TomlValue value = false;
  bool is_list = false;
  std::vector<std::string> list = {};
};

/// Bytes that a file may have: room for the paths of a hundred thousand texts.
inline constexpr uint64_t most_toml_bytes = uint64_t{1} << 24;

/// The entries of a flat file, in the order of their lines. FileError when it cannot be read or is longer; ValueError that
/// begins with "PATH:LINE: " when it is not TOML, or holds tables, dates, or lists of anything but texts.
std::vector<TomlEntry> read_toml(const std::string& path);

/// A text in quotes. ValueError when it is not UTF-8, as TOML cannot hold it.
std::string toml_string(const std::string& text);

}  // namespace weft
