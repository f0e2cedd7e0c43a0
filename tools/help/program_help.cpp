#include "program_help.h"

#include <weft/data/tasks/registry.h>
#include <weft/data/text/tokenizer_registry.h>
#include <weft/layers/models/registry.h>
#include <weft/optim/make_optimizer.h>
#include <weft/optim/schedule.h>
#include <weft/train/run_config.h>

#include <algorithm>
#include <sstream>

namespace weft::tools {
namespace {

std::vector<std::string> alternatives(const std::string& type) {
  std::vector<std::string> all;
  std::istringstream in(type);
  for (std::string one; std::getline(in, one, '|');) all.push_back(one);
  return all;
}

/// "hf|safetensors|weft" are words to type, "RUN|FILE.h5" stands for others.
bool are_words(const std::vector<std::string>& all) {
  return std::ranges::all_of(all, [](const std::string& one) {
    return one.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_") == std::string::npos;
  });
}

/// From what the option says of its value.
void find_values(HelpOption& option) {
  const std::vector<std::string> all = alternatives(option.type);
  if (option.is_flag()) return;
  if (are_words(all)) {
    option.completes = Completes::words;
    option.words = all;
    return;
  }
  for (const std::string& one : all) {
    if (one.starts_with("FILE")) option.suffix = one.substr(4);
    if (one == "RUN") option.completes = Completes::runs;
    if (one == "KEY=VALUE") option.completes = Completes::keys;
    if (option.completes == Completes::runs) continue;
    if (one.starts_with("FILE")) option.completes = Completes::files;
    if (one == "DIR" && option.completes != Completes::files) option.completes = Completes::folders;
  }
  if (option.type != "NAME") return;
  for (const Setting& key : keys_of(RunConfig()))
    if ("--" + key.name == option.name) option.words = key.choices;
  if (!option.words.empty()) option.completes = Completes::words;
}

HelpOption help_of(const CLI::Option& from) {
  HelpOption option;
  option.by_place = from.get_positional();
  option.name = option.by_place ? from.get_name() : "--" + from.get_lnames().front();
  if (!from.get_snames().empty()) option.short_name = "-" + from.get_snames().front();
  option.help = from.get_description();
  option.required = from.get_required();
  option.several = from.get_expected_max() > 1;
  if (from.get_items_expected_max() > 0) option.type = from.get_type_name();
  find_values(option);
  return option;
}

std::vector<HelpOption> options_of(const CLI::App& app) {
  std::vector<HelpOption> all;
  for (const CLI::Option* const option : app.get_options()) all.push_back(help_of(*option));
  return all;
}

/// Keys that parts of a registry have. Those with the same default and meaning are one.
template <class Entry>
void add_keys(std::vector<HelpKey>& to, const char* registry, std::string RunConfig::*named,
              const Registry<Entry>& all) {
  const auto first = static_cast<std::ptrdiff_t>(to.size());
  for (const Entry* const entry : all.entries()) {
    RunConfig config;
    config.*named = entry->name;
    const std::vector<Setting> keys = keys_of(config);
    for (const Setting& s : entry->settings) {
      // An optimizer's lr is none of the keys, and its weight_decay is the run's.
      if (s.from_data || RunConfig::settings().find(s.name) ||
          std::ranges::count(keys, s.name, &Setting::name) == 0)
        continue;
      const auto same = std::find_if(to.begin() + first, to.end(), [&](const HelpKey& one) {
        return one.setting.name == s.name && one.setting.value == s.value && one.setting.help == s.help;
      });
      if (same != to.end())
        same->owners.push_back(entry->name);
      else
        to.push_back({s, registry, {entry->name}});
    }
  }
}

std::vector<HelpKey> all_keys() {
  std::vector<HelpKey> all;
  for (const Setting& key : keys_of(RunConfig()))
    if (RunConfig::settings().find(key.name)) all.push_back({key, "", {}});
  add_keys(all, "model", &RunConfig::model, models());
  add_keys(all, "task", &RunConfig::task, tasks());
  add_keys(all, "optimizer", &RunConfig::optimizer, optimizers());
  add_keys(all, "schedule", &RunConfig::schedule, schedules());
  add_keys(all, "tokenizer", &RunConfig::tokenizer, tokenizers());
  return all;
}

}  // namespace

std::vector<KeyWords> ProgramHelp::key_words() const {
  std::vector<KeyWords> all;
  for (const HelpKey& key : keys) {
    auto found = std::ranges::find(all, key.setting.name, &KeyWords::key);
    if (found == all.end()) found = all.insert(all.end(), KeyWords{key.setting.name, {}});
    std::vector<std::string> values = key.setting.choices;
    if (std::holds_alternative<bool>(key.setting.value)) values = {"true", "false"};
    for (const std::string& value : values)
      if (std::ranges::count(found->values, value) == 0) found->values.push_back(value);
  }
  return all;
}

ProgramHelp program_help(const CLI::App& program) {
  ProgramHelp help{program.get_name(), program.get_description(), options_of(program), {}, all_keys()};
  if (help.about.starts_with(help.name + " ")) help.about.erase(0, help.name.size() + 1);
  if (help.about.ends_with('.')) help.about.pop_back();
  for (const CLI::App* const command : program.get_subcommands(nullptr))
    help.commands.push_back({command->get_name(), command->get_description(), options_of(*command)});
  return help;
}

std::string function_name(const ProgramHelp& help) {
  std::string name = help.name;
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
}

std::string quoted_for_shell(const std::string& text) {
  std::string all = "'";
  for (const char c : text) c == '\'' ? all += "'\\''" : all += c;
  return all + "'";
}

}  // namespace weft::tools
