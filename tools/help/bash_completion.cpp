#include <weft/lib/base/error.h>

#include "program_help.h"

namespace weft::tools {
namespace {

/// What does not depend on the program. NAME stands for its function.
constexpr const char* body = R"sh(
  case $kind in
    words) mapfile -t COMPREPLY < <(compgen -W "$list" -- "$cur") ;;
    keys)
      if [[ $cur == *=* ]]; then
        key=${cur%%=*}
        _NAME_key "$key"
        [[ $COMP_WORDBREAKS == *=* ]] || prefix+=$key=
        mapfile -t COMPREPLY < <(compgen -W "$list" -- "${cur#*=}")
      else
        _NAME_keys
        compopt -o nospace 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -W "$list" -S = -- "$cur")
      fi ;;
    files)
      compopt -o filenames 2>/dev/null
      if [[ -z $suffix ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      else
        mapfile -t COMPREPLY < <(compgen -f -X "!*$suffix" -- "$cur"; compgen -d -- "$cur")
      fi ;;
    folders)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
    runs)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -G "$cur*/config.toml"; compgen -G "$cur*/*/config.toml")
      COMPREPLY=("${COMPREPLY[@]%/config.toml}")
      ((${#COMPREPLY[@]} > 0)) || mapfile -t COMPREPLY < <(compgen -d -- "$cur")
      [[ -z $suffix ]] || mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -X "!*$suffix" -- "$cur") ;;
  esac
  [[ -z $prefix ]] || COMPREPLY=("${COMPREPLY[@]/#/$prefix}")
}
)sh";

constexpr const char* head = R"sh(
_NAME() {
  local line=() word cur command='' option='' taken=0 kind='' list='' suffix='' several='' options='' prefix='' key i
  # '=' breaks words: what stands on its two sides is one here.
  for ((i = 1; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if ((${#line[@]} > 0)) && [[ $word == = || ${COMP_WORDS[i - 1]} == = ]]; then
      line[${#line[@]} - 1]+=$word
    else
      line+=("$word")
    fi
  done
  COMPREPLY=()
  cur=${line[${#line[@]} - 1]}
  for word in "${line[@]:0:${#line[@]} - 1}"; do
    if [[ -z $command ]]; then
      [[ $word == -* ]] || command=$word
    elif [[ $word == --*=* ]]; then
      option=''
    elif [[ $word == --* ]]; then
      option=$word taken=0
    else
      taken=$((taken + 1))
    fi
  done
  if [[ $cur == --*=* ]]; then
    option=${cur%%=*} taken=0
    [[ $COMP_WORDBREAKS == *=* ]] || prefix=$option=
    cur=${cur#*=}
  fi
  _NAME_values "$command" "$option"
  if [[ -n $option ]] && { [[ -z $kind ]] || [[ -z $several && $taken -gt 0 ]]; }; then
    option='' kind='' list='' suffix='' several=''
    _NAME_values "$command" ''
  fi
  if [[ $cur == -* && ! ( -n $option && $taken == 0 ) ]] || [[ -z $kind && -z $cur ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
    return
  fi)sh";

const char* name_of(Completes values) {
  switch (values) {
    case Completes::words:
      return "words";
    case Completes::keys:
      return "keys";
    case Completes::files:
      return "files";
    case Completes::folders:
      return "folders";
    case Completes::runs:
      return "runs";
    case Completes::nothing:
      break;
  }
  return "nothing";
}

std::string words_of(const std::vector<std::string>& all) {
  std::string text;
  for (const std::string& one : all) text += str(text.empty() ? "" : " ", one);
  return quoted_for_shell(text);
}

std::string names_of(const std::vector<HelpOption>& options) {
  std::vector<std::string> names;
  for (const HelpOption& option : options)
    if (!option.by_place) names.push_back(option.name);
  return words_of(names);
}

std::string value_case(const std::string& command, const HelpOption& option) {
  if (option.is_flag()) return "";
  std::string line = str("    ", quoted_for_shell(str(command, " ", option.by_place ? "" : option.name)),
                         ") kind=", name_of(option.completes));
  if (!option.words.empty()) line += " list=" + words_of(option.words);
  if (!option.suffix.empty()) line += " suffix=" + quoted_for_shell(option.suffix);
  if (option.several) line += " several=1";
  return line + " ;;\n";
}

std::string with_name(std::string text, const std::string& name) {
  for (size_t at = text.find("_NAME"); at != std::string::npos; at = text.find("_NAME", at + name.size() + 1))
    text.replace(at + 1, 4, name);
  return text;
}

}  // namespace

std::string bash_completion(const ProgramHelp& help) {
  std::string options, values, keys;
  std::vector<std::string> commands, names;
  for (const HelpCommand& command : help.commands) {
    commands.push_back(command.name);
    options += str("    ", command.name, ") options=", names_of(command.options), " ;;\n");
    for (const HelpOption& option : command.options) values += value_case(command.name, option);
  }
  for (const KeyWords& one : help.key_words()) {
    names.push_back(one.key);
    if (!one.values.empty()) keys += str("    ", one.key, ") list=", words_of(one.values), " ;;\n");
  }
  const std::string text = str(
      "# bash completion of ", help.name, ", as `", help.name, " completion bash` prints it.\n\n",
      "# What may follow an option of a command, and options of the command.\n_NAME_values() {\n  case $1 "
      "in\n",
      "    '') options=", names_of(help.options), " kind=words list=", words_of(commands), " ;;\n", options,
      "  esac\n  case \"$1 $2\" in\n", values, "  esac\n}\n\n_NAME_keys() {\n  list=", words_of(names),
      "\n}\n\n_NAME_key() {\n  case $1 in\n", keys, "    *) list='' ;;\n  esac\n}\n", head, body,
      "\ncomplete -F _NAME ", quoted_for_shell(help.name), "\n");
  return with_name(text, function_name(help));
}

}  // namespace weft::tools
