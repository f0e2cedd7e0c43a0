// C++ source text without what a reader of its tokens must not see.
#pragma once

#include <string>

namespace arrows {

/// The text with comments blanked, line by line as before; `keep_literals` false blanks strings and
/// characters too.
std::string without_comments(const std::string& text, bool keep_literals);

} // namespace arrows
