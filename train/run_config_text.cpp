#include <weft/data/tasks/registry.h>
#include <weft/layers/models/registry.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/join.h>
#include <weft/train/files/run_paths.h>
#include <weft/train/files/toml_file.h>
#include <weft/train/show/console.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <optional>
#include <utility>
#include <variant>

#include "run_config_internal.h"

namespace weft {
namespace {

std::string toml_text(const SettingValue& value) {
  if (const auto* const text = std::get_if<std::string>(&value)) return toml_string(*text);
  std::string written = text_of(value);
  if (std::holds_alternative<double>(value) && written.find_first_not_of("-0123456789") == std::string::npos)
    written += ".0";
  return written;
}

std::string help_line(const Setting& key) {
  std::string line = str("  ", key.name, " = ", shown(key, key.value));
  line.resize(std::max<size_t>(line.size() + 2, 38), ' ');
  return str(line, key.help, "\n");
}

void add_line(std::string& text, const std::string& name, const std::string& rest) {
  std::string line = "  " + name;
  line.resize(std::max<size_t>(line.size() + 2, 16), ' ');
  text += str(line, rest, "\n");
}

}  // namespace

std::string shown(const Setting& key, const SettingValue& value) {
  const auto* const whole = std::get_if<int64_t>(&value);
  return key.name == "lr_decay_iters" && whole && *whole == RunConfig::unset ? "max_iters" : toml_text(value);
}

ConfigFile read_config(const std::string& path) {
  ConfigFile file;
  std::optional<std::string> here;
  for (const TomlEntry& entry : read_toml(path)) {
    const std::string where = str(path, ":", entry.line, ": ");
    if (entry.key == "data" || entry.key == "val_data" || entry.key == "test_data") {
      if (!entry.is_list) fail<ValueError>(where, entry.key, " must be a list of paths, [\"text.txt\"]");
      (entry.key == "data"       ? file.data
       : entry.key == "val_data" ? file.val_data
                                 : file.test_data) = entry.list;
    } else if (entry.key == "paths_from") {
      if (entry.is_list || entry.value != SettingValue(std::string("here")))
        fail<ValueError>(where,
                         "paths_from must be \"here\", this file's folder; without it paths begin where ",
                         program_name(), " is started");
      here = std::filesystem::path(path).parent_path().string();
    } else if (entry.key == "init_from" || entry.key == "lora_base" || entry.key == "carries") {
      const auto* const text = std::get_if<std::string>(&entry.value);
      const bool is_path = entry.key != "carries";
      if (entry.is_list || !text ||
          (!is_path && *text != "weights" && *text != "optimizer" && *text != "all"))
        fail<ValueError>(where, entry.key, " must be ", is_path ? "a path" : "weights, optimizer or all");
      (entry.key == "init_from"   ? file.init_from
       : entry.key == "lora_base" ? file.lora_base
                                  : file.carries) = *text;
    } else {
      if (entry.is_list) fail<ValueError>(where, entry.key, " must be one value, not a list");
      file.assignments.push_back({where, entry.key, entry.value, true, true});
    }
  }
  file.paths_from_here = here.has_value();
  if (here) {
    for (std::vector<std::string>* const paths : {&file.data, &file.val_data, &file.test_data})
      for (std::string& data : *paths) data = path_at(*here, data);
    for (std::string* const model : {&file.init_from, &file.lora_base})
      if (!model->empty()) *model = path_at(*here, *model);
  }
  return file;
}

std::string config_help() {
  std::string text = "Keys, for --set key=value and configuration files, each with its default:\n";
  for (const Setting& key : run_keys()) text += help_line(key);
  std::vector<std::pair<Setting, std::vector<std::string>>> shared;
  std::string registry;
  const auto flush = [&] {
    if (shared.empty()) return;
    text += str("Of ", registry, "s, each with those that have it:\n");
    for (const auto& [key, owners] : shared)
      text += str(help_line(key).substr(0, help_line(key).size() - 1), key.help.empty() ? "" : " ", "(",
                  joined(owners), ")\n");
    shared.clear();
  };
  for (const Part& part : all_parts()) {
    if (part.registry != registry) flush();
    registry = part.registry;
    for (const Setting& s : part.settings) {
      const auto same = std::ranges::find_if(
          shared, [&](const auto& one) { return one.first.name == s.name && one.first.value == s.value; });
      if (same != shared.end())
        same->second.push_back(part.name);
      else
        shared.push_back({s, {part.name}});
    }
  }
  flush();
  return text + str("On resume only these may change: ", steering_keys(), ".\n");
}

std::string parts_help() {
  std::string text = "Models, each with the tasks it takes:\n";
  for (const ModelEntry* const model : models().entries()) {
    std::vector<std::string> names;
    for (const TaskEntry* const task : tasks().entries())
      if (model->takes(task->kind)) names.push_back(task->name);
    add_line(text, model->name, joined(names));
  }
  text += "Tasks:\n";
  for (const TaskEntry* const task : tasks().entries()) add_line(text, task->name, task->summary);
  return text;
}

std::string to_toml(const RunConfig& config, const std::string& folder) {
  const auto named = [&](const std::string& path) { return folder.empty() ? path : path_from(folder, path); };
  std::vector<std::string> data;
  std::ranges::transform(config.data, std::back_inserter(data), named);
  const std::string init_from = config.init_from.empty() ? "" : named(config.init_from),
                    lora_base = config.lora_base.empty() ? "" : named(config.lora_base);
  std::vector<std::string> val_data, test_data;
  std::ranges::transform(config.val_data, std::back_inserter(val_data), named);
  std::ranges::transform(config.test_data, std::back_inserter(test_data), named);
  const bool here = data != config.data || val_data != config.val_data || test_data != config.test_data ||
                    init_from != config.init_from || lora_base != config.lora_base;
  std::string text =
      str("# A run of weft. weft train --config THIS_FILE starts it again from the beginning.\ndata = [",
          joined(data, ", ", toml_string), "]\n");
  if (!val_data.empty()) text += str("val_data = [", joined(val_data, ", ", toml_string), "]\n");
  if (!test_data.empty()) text += str("test_data = [", joined(test_data, ", ", toml_string), "]\n");
  if (!init_from.empty()) text += str("init_from = ", toml_string(init_from), "\n");
  if (!lora_base.empty()) text += str("lora_base = ", toml_string(lora_base), "\n");
  if (here)
    text += "paths_from = \"here\"                   # relative paths begin at the folder of this file\n";
  if (!config.carries.empty() && config.carries != "weights")
    text += str("carries = ", toml_string(config.carries), "\n");
  for (const Setting& key : keys_of(config)) {
    std::string line = str(key.name, " = ", shown(key, value_of(config, key)));
    line.resize(std::max<size_t>(line.size() + 2, 38), ' ');
    text += key.help.empty() ? str(line.substr(0, line.find_last_not_of(' ') + 1), "\n")
                             : str(line, "# ", key.help, "\n");
  }
  return text;
}

}  // namespace weft
