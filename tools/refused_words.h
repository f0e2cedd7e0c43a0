// Words that no command takes, refused with those that were meant.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace weft::tools {

/// The value of an option; ValueError when it is empty, or begins with a ~ that the shell has left as it is.
const std::string& refuse_typed(const char* name, const std::string& typed);
/// ValueError when one of what --set takes was typed as several words: n_layer = 3.
void refuse_spaces(const std::vector<std::string>& settings);
/// ValueError for a word in the place of a command that is none, with the one that is nearest, or that others call so.
void check_command(const CLI::App& app, const std::string& word);
/// ValueError for all else that CLI11 has refused.
[[noreturn]] void refuse_words(const CLI::App& app, const std::vector<std::string>& words,
                               const CLI::ParseError& error);

}  // namespace weft::tools
