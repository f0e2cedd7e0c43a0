// The files of tools/serve_page/, which the build puts into the program.
#pragma once

#include <string_view>

namespace weft::tools {

extern const std::string_view serve_html, serve_css, said_js, serve_js;

}  // namespace weft::tools
