// The files of tools/attention_page/, which the build puts into the program.
#pragma once

#include <string_view>

namespace weft::tools {

extern const std::string_view page_html, page_css, attention_html;
extern const std::string_view base64_js, data_js, colour_js, text_js, overview_js, matrix_js, picture_js,
    view_js, main_js;

}  // namespace weft::tools
