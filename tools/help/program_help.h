// What --help says, as tables: the program's commands with their options, and the keys of a run. The man page and the
// completions are made of them.
#pragma once

#include <weft/lib/settings/setting.h>

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace weft::tools {

/// What may be typed in the place of a value.
enum class Completes { nothing, words, keys, files, folders, runs };

struct HelpOption {
  std::string name;        ///< "--data"; of an argument that stands by its place, "model"
  std::string short_name;  ///< "-h", or empty
  std::string type;        ///< "FILE"; empty for a flag
  std::string help;
  bool by_place = false, required = false, several = false;
  Completes completes = Completes::nothing;
  std::vector<std::string> words;  ///< of Completes::words
  std::string suffix;  ///< ".h5": of files, and of files where a run may stand; empty: of files, any

  bool is_flag() const { return type.empty(); }
};

struct HelpCommand {
  std::string name, help;
  std::vector<HelpOption> options;
};

/// A key of a run.
struct HelpKey {
  Setting setting;
  std::string registry;             ///< "model"; empty for the run's own
  std::vector<std::string> owners;  ///< the parts in that registry that have it
};

/// A key with the values that complete it, if they can be listed.
struct KeyWords {
  std::string key;
  std::vector<std::string> values;
};

struct ProgramHelp {
  std::string name;   ///< "weft"
  std::string about;  ///< "trains transformers from scratch"
  std::vector<HelpOption> options;
  std::vector<HelpCommand> commands;
  std::vector<HelpKey> keys;

  /// Each key once.
  std::vector<KeyWords> key_words() const;
};

ProgramHelp program_help(const CLI::App& program);

/// The man page in roff, with the macros of man(7).
std::string man_page(const ProgramHelp& help);

/// What a shell reads: commands, options, registered names, keys and their values are words in the script, so that
/// completing does not run the program.
std::string bash_completion(const ProgramHelp& help);
std::string zsh_completion(const ProgramHelp& help);
std::string fish_completion(const ProgramHelp& help);

/// The program's name as a part of names of functions: letters, digits and '_'.
std::string function_name(const ProgramHelp& help);
/// "'don'\''t'": one word for bash and zsh.
std::string quoted_for_shell(const std::string& text);

}  // namespace weft::tools
