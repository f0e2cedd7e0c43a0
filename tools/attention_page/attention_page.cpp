#include "attention_page.h"

#include <weft/lib/base/error.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>

#include "../base64.h"
#include "../page/page.h"
#include "attention_page_texts.h"

namespace weft::tools {
namespace {

using nlohmann::ordered_json;

ordered_json all_shown(const std::vector<std::string>& tokens) {
  ordered_json list = ordered_json::array();
  for (const std::string& token : tokens) list.push_back(printable(token));
  return list;
}

const char* name_of(Looks looks) {
  return looks == Looks::own ? "own" : looks == Looks::source ? "source" : "cross";
}

std::vector<uint8_t> quantised(const AttentionLayer& layer) {
  std::vector<uint8_t> bytes;
  bytes.reserve(static_cast<size_t>(layer.weights.size()));
  for (const float w : layer.weights.values<float>()) {
    // A softmax in float32 may pass 1 by some roundings.
    if (!(w >= 0 && w <= 1.001F))
      fail<ValueError>("attention page: layer ", layer.name, " has a weight of ", w, ", outside [0, 1]");
    const long level = std::lround(255 * std::sqrt(std::min(w, 1.0F)));
    bytes.push_back(static_cast<uint8_t>(w > 0 ? std::max(1L, level) : 0L));
  }
  return bytes;
}

ordered_json json_of(const AttentionLayer& layer, int64_t tokens, int64_t sources) {
  const Array& w = layer.weights;
  const int64_t rows = layer.looks == Looks::source ? sources : tokens;
  const int64_t columns = layer.looks == Looks::own ? tokens : sources;
  if (w.rank() != 3 || w.dim(0) < 1 || w.dim(1) != rows || w.dim(2) != columns)
    fail<ShapeError>("attention page: layer ", layer.name, " has weights ", w.shape(), ": needs (H, ", rows,
                     ", ", columns, ") for its tokens");
  return {{"name", printable(layer.name)},
          {"looks", name_of(layer.looks)},
          {"heads", w.dim(0)},
          {"weights", base64(quantised(layer))}};
}

/// Red, green, blue of each pixel, from 0 to 255: what lies in [0, 1] as it is, else stretched to fit.
std::vector<uint8_t> colours(const Array& pixels) {
  const auto values = pixels.values<float>();
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  const bool plain = *least >= 0 && *most <= 1;
  const float low = plain ? 0 : *least, range = plain || *most == *least ? 1 : *most - low;
  const size_t channels = static_cast<size_t>(pixels.dim(0)), plane = values.size() / channels;
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i < plane; ++i)
    for (size_t c = 0; c < 3; ++c)
      bytes.push_back(static_cast<uint8_t>(
          std::lround(255 * (values[(channels == 3 ? c : 0) * plane + i] - low) / range)));
  return bytes;
}

ordered_json json_of(const AttentionPicture& picture, int64_t tokens) {
  const Array& x = picture.pixels;
  const int64_t size = picture.patch_size, high = picture.patch_height > 0 ? picture.patch_height : size;
  if (x.rank() != 3 || (x.dim(0) != 1 && x.dim(0) != 3) || size < 1 || x.size() == 0 ||
      x.dim(1) % high != 0 || x.dim(2) % size != 0)
    fail<ShapeError>("attention page: a picture of ", x.shape(), " in patches of ", high, " x ", size,
                     ": needs (1 or 3, height, width), cut into whole patches");
  const int64_t patches = x.dim(1) / high * (x.dim(2) / size);
  if (picture.first_patch < 0 || picture.first_patch + patches != tokens)
    fail<ShapeError>("attention page: a picture of ", patches, " patches behind ", picture.first_patch,
                     " tokens, but there are ", tokens, " tokens");
  if (!x.all_finite()) fail<ValueError>("attention page: the picture has NaN or infinity in it");
  return {{"width", x.dim(2)},
          {"height", x.dim(1)},
          {"patch", size},
          {"high", high},
          {"of", picture.of_sources ? "sources" : "tokens"},
          {"first", picture.first_patch},
          {"pixels", base64(colours(x))}};
}

}  // namespace

std::string AttentionPage::html() const {
  const auto count = static_cast<int64_t>(tokens.size()), source_count = static_cast<int64_t>(sources.size());
  if (layers.empty()) fail<ValueError>("attention page: there is no layer that attends");
  int64_t weights = 0;
  for (const AttentionLayer& layer : layers) weights += layer.weights.size();
  if (weights > most_weights)
    fail<ValueError>("attention page: ", layers.size(), " layers over ", count + source_count,
                     " tokens make ", weights, " weights, and a page holds ", most_weights,
                     "; give a shorter text");

  ordered_json data{{"title", printable(title)},         {"apart", apart},     {"tokens", all_shown(tokens)},
                    {"sources", all_shown(sources)}, {"picture", nullptr}, {"layers", ordered_json::array()}};
  if (picture) data["picture"] = json_of(*picture, picture->of_sources ? source_count : count);
  for (const AttentionLayer& layer : layers) data["layers"].push_back(json_of(layer, count, source_count));
  const std::string script =
      str(base64_js, data_js, colour_js, text_js, overview_js, matrix_js, picture_js, view_js, main_js);
  return filled(page_html, {{"page.css", str(base_css, page_css)},
                            {"attention.html", attention_html},
                            {"script", script},
                            {"data", script_json(data.dump(-1, ' ', true))}});
}

}  // namespace weft::tools
