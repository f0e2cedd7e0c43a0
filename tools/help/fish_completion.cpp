#include <weft/lib/base/error.h>

#include "program_help.h"

namespace weft::tools {
namespace {

std::string quoted(const std::string& text) {
  std::string all = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') all += '\\';
    all += c;
  }
  return all + "'";
}

/// The words for an option's value, or what lists them.
std::string values(const std::string& function, const HelpOption& option) {
  std::string words;
  switch (option.completes) {
    case Completes::words:
      for (const std::string& word : option.words) words += str(words.empty() ? "" : " ", word);
      return words;
    case Completes::keys:
      return str("(", function, "_keys)");
    case Completes::files:
      return option.suffix.empty() ? "(__fish_complete_path)"
                                   : str("(__fish_complete_suffix ", option.suffix, ")");
    case Completes::folders:
      return "(__fish_complete_directories)";
    case Completes::runs:
      return str("(", function, "_runs)");
    case Completes::nothing:
      break;
  }
  return "";
}

std::string line(const ProgramHelp& help, const std::string& condition, const std::string& rest) {
  return str("complete -c ", help.name, " -n ", quoted(condition), " ", rest, "\n");
}

std::string option_lines(const ProgramHelp& help, const std::string& condition, const std::string& function,
                         const HelpOption& option) {
  const std::string words = values(function, option);
  const std::string given = words.empty() ? "" : " -a " + quoted(words);
  if (option.by_place) return line(help, condition, str("-d ", quoted(option.type), given));
  std::string rest = "-l " + option.name.substr(2);
  if (!option.short_name.empty()) rest += " -s " + option.short_name.substr(1);
  if (!option.is_flag()) rest += " -x" + given;
  std::string text = line(help, condition, str(rest, " -d ", quoted(option.help)));
  if (option.several && !words.empty())
    text += line(help, str(condition, "; and ", function, "_after ", option.name), "-a " + quoted(words));
  return text;
}

/// FUNCTION stands for the beginning of names.
constexpr const char* functions = R"sh(
# Whether the last option is this one: it takes several values.
function FUNCTION_after
    set -l options (commandline -opc | string match -- '--*')
    test (count $options) -gt 0; and test $options[-1] = $argv[1]
end

function FUNCTION_runs
    set -l typed (commandline -ct)
    set -l runs $typed*/config.toml $typed*/*/config.toml
    string replace -- /config.toml '' $runs
    __fish_complete_suffix .h5
end
)sh";

std::string with_function(std::string text, const std::string& function) {
  for (size_t at = text.find("FUNCTION"); at != std::string::npos;
       at = text.find("FUNCTION", at + function.size()))
    text.replace(at, 8, function);
  return text;
}

}  // namespace

std::string fish_completion(const ProgramHelp& help) {
  const std::string function = "__" + function_name(help);
  std::string keys;
  for (const KeyWords& one : help.key_words()) {
    keys += str(" ", one.key, "=");
    for (const std::string& value : one.values) keys += str(" ", one.key, "=", value);
  }
  std::string text = str("# fish completion, as `", help.name, " completion fish` prints it.\n",
                         with_function(functions, function), "\nfunction ", function,
                         "_keys\n    string join \\n --", keys, "\nend\n\ncomplete -c ", help.name, " -f\n");
  for (const HelpOption& option : help.options)
    text += option_lines(help, "__fish_use_subcommand", function, option);
  for (const HelpCommand& command : help.commands) {
    text += line(help, "__fish_use_subcommand", str("-a ", command.name, " -d ", quoted(command.help)));
    for (const HelpOption& option : command.options)
      text += option_lines(help, str("__fish_seen_subcommand_from ", command.name), function, option);
  }
  return text;
}

}  // namespace weft::tools
