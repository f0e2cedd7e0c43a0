// What keys there are, for the sources of run_config.h.
#pragma once

#include <weft/train/run_config.h>

#include <string>
#include <vector>

namespace weft {

/// The settings of one part that is registered under a name.
struct Part {
  std::string registry, name;
  std::vector<Setting> settings;
};

std::vector<Part> all_parts();
/// The run's own, with what may be chosen now.
std::vector<Setting> run_keys();

/// A value as config.toml and messages have it.
std::string shown(const Setting& key, const SettingValue& value);

}  // namespace weft
