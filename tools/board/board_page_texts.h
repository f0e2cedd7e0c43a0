// The files of tools/board/page/, which the build puts into the program.
#pragma once

#include <string_view>

namespace weft::tools::board_page {

extern const std::string_view board_html, board_css;
extern const std::string_view numbers_js, scales_js, smoothing_js, colours_js, source_js, store_js, view_js,
    chart_js, curves_js, runs_js, alerts_js, samples_js, statistics_js, configuration_js, keys_js, main_js;

}  // namespace weft::tools::board_page
