// The configuration of a run as a page may show it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace weft::tools {

struct ShownSetting {
  std::string key;
  /// As config.toml has it. Of a path from the root no more than the last name: "…/shakespeare.txt".
  std::string value;
  /// Where something of the value is left out, a few digits by which values that differ are told apart; else empty.
  std::string mark = {};
};

class ShownConfig {
 public:
  ShownConfig() = default;
  /// Errors as read_toml() (train/files/toml_file.h).
  explicit ShownConfig(const std::string& path);

  const std::vector<ShownSetting>& settings() const { return settings_; }
  /// Nothing where the key is missing, or is no whole number, no text.
  std::optional<int64_t> integer(const std::string& key) const;
  std::optional<std::string> text(const std::string& key) const;
  /// What an update reads, in tokens: known of texts in windows of one length; else nothing.
  std::optional<int64_t> tokens_per_update() const;
  /// "tokens", "pictures" or "sounds": what speed is counted in.
  std::string unit() const;

 private:
  std::vector<ShownSetting> settings_;
};

}  // namespace weft::tools
