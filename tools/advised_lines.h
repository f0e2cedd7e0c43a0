// What is to be typed instead of a command that was refused, as lines that can be copied into a shell.
#pragma once

#include <weft/lib/base/advice.h>

#include <string>
#include <vector>

namespace weft::tools {

/// "weft train --data 'my text.txt'".
std::string line_of(const std::vector<std::string>& words);
/// What follows an error's text: "\n  weft train ..." for each line; empty where the advice has no place in the words that
/// were typed (a file holds what is wrong).
std::string advised_lines(const Advice& advice, const std::vector<std::string>& words);

}  // namespace weft::tools
