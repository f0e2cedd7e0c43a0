// What may be typed: every command of weft with its options.
#pragma once

#include <weft/tools/commands/commands.h>

#include <CLI/CLI.hpp>
#include <functional>

namespace weft::tools {

/// Declares all commands. What it gives checks the one that has been parsed since, and gives its work.
/// Numbers are read by values.h, which refuses what does not fit: parsing throws ValueError then.
std::function<Work()> declare_commands(CLI::App& app);

}  // namespace weft::tools
