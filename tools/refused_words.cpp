#include "refused_words.h"

#include <weft/lib/base/advice.h>
#include <weft/lib/base/join.h>
#include <weft/train/files/near_paths.h>
#include <weft/train/key_names.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string_view>
#include <utility>

#include "advised_lines.h"

namespace weft::tools {
namespace {

using Words = std::vector<std::string>;

Words option_names(const CLI::App& command) {
  Words names;
  for (const CLI::Option* option : command.get_options())
    for (const std::string& name : option->get_lnames())
      if (name != "help") names.push_back("--" + name);
  return names;
}

bool takes(const CLI::App& command, const std::string& option) {
  return command.get_option_no_throw(option) != nullptr;
}

/// The one that begins so, or the nearest.
std::string option_meant(const std::string& name, const Words& names) {
  const auto begins = [&](const std::string& one) { return one.starts_with(name); };
  if (name.size() > 3 && std::ranges::count_if(names, begins) == 1)
    return *std::ranges::find_if(names, begins);
  return nearest(name, names.data(), names.data() + names.size());
}

Advice advice_for_option(const CLI::App& command, const std::string& word, const std::string& value) {
  const size_t equals = word.find('=');
  const std::string name = word.substr(0, equals), behind = word.substr(name.size());
  const Words names = option_names(command);
  const std::string option = option_meant(name, names);
  // A key that was typed as an option, "--max-iters 100": by a name of its own, or where no option is near.
  const std::string key = command.get_name() == "train" ? meant_key(name.substr(2)) : "";
  if (!key.empty() && (option.empty() || is_name_of(key, name.substr(2)))) {
    if (!behind.empty()) return {.typed = {word}, .meant = {"--set", key + behind}};
    if (!value.empty()) return {.typed = {word, value}, .meant = {"--set", str(key, "=", value)}};
  }
  if (option.empty()) return {};
  return {.typed = {word}, .meant = {option + behind}};
}

/// A word that no option and no place takes.
[[noreturn]] void refuse_extra(const CLI::App& command, const Words& words) {
  // Those that are left over, in order.
  const Words extras = command.remaining();
  const auto option = std::ranges::find_if(extras, [](const std::string& w) { return w.starts_with("--"); });
  if (option != extras.end()) {
    const auto typed = std::ranges::find(words, *option);
    const bool last = typed == words.end() || typed + 1 == words.end() || (typed + 1)->starts_with("--");
    Advice advice = advice_for_option(command, *option, last ? "" : *(typed + 1));
    const std::string name = option->substr(0, option->find('='));
    if (advice.typed.empty()) advice.lines = {line_of({command.get_name(), "--help"})};
    const bool is_key = !advice.meant.empty() && advice.meant[0] == "--set";
    fail_with<ValueError>(advice, command.get_name(), ": there is no option ", name,
                          is_key                 ? "; it is a key, which --set takes"
                          : advice.meant.empty() ? "; these are all"
                                                 : str("; did you mean ", advice.meant[0], "?"));
  }
  std::error_code error;
  if (takes(command, "--data") && std::filesystem::exists(extras[0], error))
    fail_with<ValueError>({.typed = {extras[0]}, .meant = {"--data", extras[0]}}, command.get_name(),
                          ": nothing takes '", extras[0], "'; files are named by --data");
  fail_with<ValueError>({.lines = {line_of({command.get_name(), "--help"})}}, command.get_name(),
                        ": nothing takes '", extras[0], "'");
}

/// What a file to write may be called: of FILE.npy, say, "logits.npy".
std::string example_of(const CLI::App& command, const std::string& option) {
  std::string type = command.get_option(option)->get_type_name();
  type = type.substr(0, type.find('|'));
  const std::string name = command.get_name() == "import" ? "model" : command.get_name();
  return name + (type.starts_with("FILE.") ? type.substr(4) : "");
}

[[noreturn]] void refuse_missing(const CLI::App& command, const std::string& name, const Words& words) {
  // Its action was left out, so that the files came in its place.
  if (command.get_name() == "data" && words.size() > 1)
    if (std::error_code error; std::filesystem::exists(words[1], error))
      fail_with<ValueError>({.typed = {"data"}, .meant = {"data", "inspect"}}, "data: what of ", words[1],
                            "? data inspect tells what files hold");
  if (name == "model") {
    const Words runs = models_in("runs");
    Advice advice{.typed = {command.get_name()}, .meant = {command.get_name(), runs.empty() ? "" : runs[0]}};
    if (runs.empty()) advice = {.lines = {line_of({command.get_name(), "--help"})}};
    fail_with<ValueError>(std::move(advice), command.get_name(),
                          ": which model? A run's folder, or a file, is named first");
  }
  if (name == "runs" && !models_in("runs").empty())
    fail_with<ValueError>({.typed = {command.get_name()}, .meant = {command.get_name(), "runs"}},
                          command.get_name(), ": which runs? Runs, or folders that hold some, are named");
  if (name == "--out")
    fail_with<ValueError>({.more = {name, example_of(command, name)}}, command.get_name(), ": ", name, " ",
                          command.get_option(name)->get_type_name(), " is required");
  if (name == "--seed")
    fail_with<ValueError>({.more = {name, "1"}}, command.get_name(), ": ", name, " is required");
  fail_with<ValueError>({.lines = {line_of({command.get_name(), "--help"})}}, command.get_name(), ": ", name,
                        " is required");
}

}  // namespace

const std::string& refuse_typed(const char* name, const std::string& typed) {
  if (typed.empty()) fail<ValueError>(name, ": is empty");
  std::error_code error;
  const char* const home = std::getenv("HOME");
  if (home != nullptr && (typed == "~" || typed.starts_with("~/")) && !std::filesystem::exists("~", error))
    fail_with<ValueError>({.typed = {typed}, .meant = {home + typed.substr(1)}}, name, ": ", typed,
                          ": the shell has left the ~ as it is, as it does in quotes and behind =");
  return typed;
}

void refuse_spaces(const std::vector<std::string>& settings) {
  for (size_t i = 0; i + 1 < settings.size(); ++i) {
    const std::string& next = settings[i + 1];
    const bool apart = next == "=" && i + 2 < settings.size();
    // Nothing may well be the value of a text.
    const bool behind = settings[i].ends_with('=') && next.find('=') == std::string::npos;
    if (!apart && !behind && !next.starts_with('=')) continue;
    const auto first = settings.begin() + static_cast<std::ptrdiff_t>(i);
    const std::vector<std::string> typed(first, first + (apart ? 3 : 2));
    fail_with<ValueError>({.typed = typed, .meant = {joined(typed, "")}}, "--set ", joined(typed, " "),
                          ": a setting is one word, without spaces around =");
  }
}

void check_command(const CLI::App& app, const std::string& word) {
  Words names;
  for (const CLI::App* command : app.get_subcommands(nullptr)) names.push_back(command->get_name());
  if (std::ranges::count(names, word) > 0) return;
  // What others call it.
  const std::map<std::string, Words> others = {{"help", {"--help"}},
                                               {"version", {"--version"}},
                                               {"resume", {"train", "--resume"}},
                                               {"continue", {"train", "--continue"}},
                                               {"finetune", {"train", "--init-from"}},
                                               {"fine-tune", {"train", "--init-from"}},
                                               {"test", {"eval"}},
                                               {"sample", {"generate"}},
                                               {"predict", {"classify"}},
                                               {"convert", {"import"}}};
  const std::string near = nearest(word, names.data(), names.data() + names.size());
  Words meant;
  if (!near.empty()) meant = {near};
  if (const auto other = others.find(word); other != others.end()) meant = other->second;
  Advice advice{.typed = {word}, .meant = meant};
  if (meant.empty()) advice = {.lines = {line_of({"--help"})}};
  fail_with<ValueError>(std::move(advice), "there is no command '", word, "'",
                        meant.empty() ? "" : str("; did you mean '", joined(meant, " "), "'?"));
}

void refuse_words(const CLI::App& app, const Words& words, const CLI::ParseError& error) {
  const std::string what = error.what();
  const auto chosen = app.get_subcommands();
  if (chosen.empty())
    fail_with<ValueError>(
        {.lines = {line_of({"--help"})}},
        words.empty() ? "a command is needed" : str("'", words[0], "' is no command, which comes first"));
  const CLI::App& command = *chosen[0];
  const auto code = static_cast<CLI::ExitCodes>(error.get_exit_code());
  if (code == CLI::ExitCodes::ExtrasError && !command.remaining().empty()) refuse_extra(command, words);
  constexpr std::string_view required = " is required";
  if (code == CLI::ExitCodes::RequiredError && what.ends_with(required))
    refuse_missing(command, what.substr(0, what.size() - required.size()), words);
  fail_with<ValueError>({.lines = {line_of({command.get_name(), "--help"})}}, command.get_name(), ": ", what);
}

}  // namespace weft::tools
