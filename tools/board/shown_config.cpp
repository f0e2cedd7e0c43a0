#include "shown_config.h"

#include <weft/layers/models/registry.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/hash.h>
#include <weft/lib/base/join.h>
#include <weft/train/files/toml_file.h>

#include <algorithm>
#include <charconv>

namespace weft::tools {
namespace {

/// Of a path from the root the last name; of files that are read side by side ("a.en,a.fr") each.
std::string without_folders(const std::string& value) {
  std::string shown;
  for (size_t begin = 0; begin <= value.size();) {
    const size_t end = std::min(value.find(',', begin), value.size());
    const std::string part = value.substr(begin, end - begin);
    const size_t last = part.find_last_not_of('/');
    if (part.starts_with('/') && last != std::string::npos)
      shown += "\u2026" + part.substr(part.rfind('/', last));
    else
      shown += part;
    if (end < value.size()) shown += ',';
    begin = end + 1;
  }
  return shown;
}

ShownSetting shown(const TomlEntry& entry) {
  std::vector<std::string> parts = entry.list;
  if (!entry.is_list) {
    const auto* const text = std::get_if<std::string>(&entry.value);
    parts = {text != nullptr ? *text : entry.text};
  }
  std::string whole;
  std::vector<std::string> cut;
  for (const std::string& part : parts) {
    whole += part + '\n';
    cut.push_back(without_folders(part));
  }
  ShownSetting setting{entry.key, joined(cut)};
  if (cut == parts) return setting;
  constexpr size_t digits = 4;
  Hasher hasher;
  hasher.update(whole);
  setting.mark = to_hex(hasher.digest()).substr(0, digits);
  return setting;
}

}  // namespace

ShownConfig::ShownConfig(const std::string& path) {
  for (const TomlEntry& entry : read_toml(path)) settings_.push_back(shown(entry));
}

std::optional<std::string> ShownConfig::text(const std::string& key) const {
  const auto found = std::ranges::find(settings_, key, &ShownSetting::key);
  if (found == settings_.end()) return std::nullopt;
  return found->value;
}

std::optional<int64_t> ShownConfig::integer(const std::string& key) const {
  const std::string value = text(key).value_or("");
  int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (value.empty() || error != std::errc() || end != value.data() + value.size()) return std::nullopt;
  return number;
}

std::optional<int64_t> ShownConfig::tokens_per_update() const {
  if (text("task") != "text") return std::nullopt;
  int64_t tokens = 1;
  for (const char* const key : {"batch_size", "gradient_accumulation_steps", "block_size"}) {
    constexpr int64_t most = 1 << 30;
    const int64_t factor = integer(key).value_or(0);
    if (factor < 1 || factor > most || tokens > most) return std::nullopt;
    tokens *= factor;
  }
  return tokens;
}

std::string ShownConfig::unit() const {
  const ModelEntry* const model = models().find(text("model").value_or(""));
  if (model != nullptr && (model->takes(TaskKind::pictures) || model->takes(TaskKind::patches)))
    return "pictures";
  if (model != nullptr && model->takes(TaskKind::sounds)) return "sounds";
  return "tokens";
}

}  // namespace weft::tools
