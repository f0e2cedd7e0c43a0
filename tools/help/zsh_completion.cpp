#include <weft/lib/base/error.h>

#include "program_help.h"

namespace weft::tools {
namespace {

/// In what _arguments and _describe read, ':' and brackets part.
std::string escaped(const std::string& text) {
  std::string all;
  for (const char c : text) {
    if (c == ':' || c == '[' || c == ']' || c == '\\') all += '\\';
    all += c;
  }
  return all;
}

std::string action(const ProgramHelp& help, const HelpOption& option) {
  switch (option.completes) {
    case Completes::words: {
      std::string all;
      for (const std::string& word : option.words) all += str(all.empty() ? "" : " ", word);
      return "(" + all + ")";
    }
    case Completes::keys:
      return str("_", function_name(help), "_keys");
    case Completes::files:
      return option.suffix.empty() ? "_files" : str("_files -g \"*", option.suffix, "\"");
    case Completes::folders:
      return "_files -/";
    case Completes::runs:
      return str("_", function_name(help), "_runs");
    case Completes::nothing:
      break;
  }
  return " ";
}

std::string spec(const ProgramHelp& help, const HelpOption& option) {
  if (option.by_place) return quoted_for_shell(str("1:", escaped(option.type), ":", action(help, option)));
  std::string text = str(option.name, "[", escaped(option.help), "]");
  if (!option.is_flag())
    text += str(option.several ? ":*-*:" : ":", escaped(option.type), ":", action(help, option));
  return quoted_for_shell(text);
}

std::string specs(const ProgramHelp& help, const std::vector<HelpOption>& options) {
  std::string text;
  for (const HelpOption& option : options) text += str(" \\\n        ", spec(help, option));
  return text;
}

}  // namespace

std::string zsh_completion(const ProgramHelp& help) {
  const std::string function = "_" + function_name(help);
  std::string names, values, commands, cases;
  for (const KeyWords& one : help.key_words()) {
    names += " " + one.key;
    if (one.values.empty()) continue;
    std::string all;
    for (const std::string& value : one.values) all += str(all.empty() ? "" : " ", value);
    values += str("    ", one.key, " ", quoted_for_shell(all), "\n");
  }
  for (const HelpCommand& command : help.commands) {
    commands += str("    ", quoted_for_shell(str(command.name, ":", escaped(command.help))), "\n");
    cases += str("      ", command.name, ")\n        _arguments -s", specs(help, command.options), " ;;\n");
  }
  return str("#compdef ", help.name, "\n# zsh completion, as `", help.name, " completion zsh` prints it.\n\n",
             function, "_keys() {\n  local -A values=(\n", values,
             "  )\n  if compset -P 1 '*='; then\n    compadd -- ${=values[${${IPREFIX%=}##*=}]}\n  else\n    "
             "compadd -S = --",
             names, "\n  fi\n}\n\n", function,
             "_runs() {\n  local typed=${(Q)PREFIX}\n"
             "  local -a runs=($typed*/config.toml(N:h) $typed*/*/config.toml(N:h))\n"
             "  (($#runs)) && compadd -f -- $runs\n  _files -g '*.h5'\n}\n\n",
             function, "() {\n  local curcontext=$curcontext state line\n  local -a commands=(\n", commands,
             "  )\n  _arguments -C", specs(help, help.options),
             " \\\n        '1:command:->command' '*::argument:->argument'\n  case $state in\n"
             "    command) _describe command commands ;;\n    argument) case $words[1] in\n",
             cases, "    esac ;;\n  esac\n}\n\nif [[ $funcstack[1] == ", function, " ]]; then\n  ", function,
             " \"$@\"\nelse\n  compdef ", function, " ", help.name, "\nfi\n");
}

}  // namespace weft::tools
