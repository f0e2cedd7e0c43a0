// What the pages of weft are made with: files of HTML, CSS and JavaScript that travel inside the program (cmake/embed.cmake),
// and JSON. A page is one file and asks for nothing of the net.
#pragma once

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace weft::tools {

/// page/base.css.
extern const std::string_view base_css;

/// A place "@name@" of a pattern, and what stands there.
struct PageText {
  std::string_view name, text;
};
/// The pattern with the first place of each name filled, which it must have; what was filled in is not looked at.
std::string filled(std::string_view pattern, std::span<const PageText> texts);
inline std::string filled(std::string_view pattern, std::initializer_list<PageText> texts) {
  return filled(pattern, std::span(texts.begin(), texts.size()));
}

/// UTF-8 that prints: "\xff" for a byte of something else, "\u202e" for a character that is a control, or would turn or break
/// the line that shows it; newline and tab stay.
std::string printable(std::string_view bytes);

/// JSON as the text of a script element: '<', which stands in its strings only, is escaped, so that nothing ends it.
std::string script_json(std::string_view json);

}  // namespace weft::tools
