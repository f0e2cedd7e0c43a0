// completion and man: what --help says, for shells and for man(1).
#include <weft/lib/base/error.h>
#include <weft/tools/help/program_help.h>
#include <weft/train/console.h>

#include "commands.h"

namespace weft::tools {

Work prepare_completion(const CompletionArguments& arguments) {
  std::string (*const script)(const ProgramHelp&) = arguments.shell == "bash"   ? bash_completion
                                                    : arguments.shell == "zsh"  ? zsh_completion
                                                    : arguments.shell == "fish" ? fish_completion
                                                                                : nullptr;
  if (!script)
    fail<ValueError>("completion: is there for bash, zsh and fish, not for '", arguments.shell, "'; type ",
                     program_name(), " completion bash");
  return [arguments, script] {
    write_out(script(program_help(*arguments.program)));
    return 0;
  };
}

Work prepare_man(const ManArguments& arguments) {
  return [arguments] {
    write_out(man_page(program_help(*arguments.program)));
    return 0;
  };
}

}  // namespace weft::tools
