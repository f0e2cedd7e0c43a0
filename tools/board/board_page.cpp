#include "board_page.h"

#include <weft/lib/base/error.h>

#include "../page/page.h"
#include "board_page_texts.h"

namespace weft::tools {

std::string board_html(const std::string& data) {
  using namespace board_page;
  const std::string script =
      str(numbers_js, scales_js, smoothing_js, colours_js, source_js, store_js, view_js, chart_js, curves_js,
          runs_js, alerts_js, samples_js, statistics_js, configuration_js, keys_js, main_js);
  return filled(board_page::board_html, {{"board.css", str(base_css, board_css)},
                                         {"script", script},
                                         {"data", script_json(data)}});
}

}  // namespace weft::tools
