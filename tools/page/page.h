// What the pages of weft are made with: files of HTML, CSS and JavaScript that travel inside the program (cmake/embed.cmake),
// and JSON. A page is one file and asks for nothing of the net.
#pragma once

#include <string>
#include <string_view>

namespace weft::tools {

/// page/base.css.
extern const std::string_view base_css;

/// `pattern` with `text` in the place of the first `place`, which it must hold.
std::string filled(std::string_view pattern, std::string_view place, std::string_view text);

/// JSON as an element <script type="application/json"> holds it: nothing in it can end the element.
std::string json_in_script(std::string_view json);

}  // namespace weft::tools
