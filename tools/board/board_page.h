// The page of `weft board`: one HTML file, in light and in dark, on wide screens and on phones.
#pragma once

#include <string>

namespace weft::tools {

/// With what Board::whole_json() says in it; or, of "null", one that asks the program that serves it.
std::string board_html(const std::string& data);

}  // namespace weft::tools
