// The page of `weft attention`: who looks at whom, in every layer and head, as one HTML file that a browser
// shows without a network, in light and in dark.
#pragma once

#include <weft/lib/array/array.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace weft::tools {

/// Which tokens look at which.
enum class Looks {
  own,     ///< tokens at tokens
  source,  ///< source tokens at source tokens: the encoder of an encoder-decoder
  cross,   ///< tokens at source tokens
};

struct AttentionLayer {
  std::string name;  ///< "blocks.0.attention"
  Looks looks = Looks::own;
  Array weights;  ///< (H, T, S), float32 in [0, 1]: how much of its attention query t gives to key s
};

/// A picture, or what is drawn of a sound, cut into patches that are read as tokens row by row.
struct AttentionPicture {
  Array pixels;              ///< (1 or 3 channels, height, width), float32
  int64_t patch_size = 0;    ///< divides both sides
  int64_t first_patch = 0;   ///< tokens before the first patch, such as a class token
  int64_t patch_height = 0;  ///< where patches are no squares; 0: patch_size
  bool of_sources = false;   ///< whether the patches are the sources of an encoder-decoder
};

struct AttentionPage {
  std::string title;                      ///< of the model, in words
  std::vector<std::string> tokens = {};   ///< as bytes; those that are not UTF-8 are shown as numbers
  std::vector<std::string> sources = {};  ///< what an encoder-decoder read; else empty
  bool apart = false;  ///< tokens are words by themselves, such as ids, not pieces of running text
  std::optional<AttentionPicture> picture = {};
  std::vector<AttentionLayer> layers = {};

  /// The most weights that a page holds, one byte each.
  static constexpr int64_t most_weights = int64_t{1} << 26;

  /// The file's text. A weight w is kept as round(255 sqrt(w)), at least 1 unless it is 0: 0.5 is off by
  /// 0.003 at most, 0.01 by 0.0004, and small ones are told apart from none. ShapeError or ValueError that
  /// names the layer or the picture when numbers do not fit the tokens, weights lie outside [0, 1] or are too
  /// many.
  std::string html() const;
};

}  // namespace weft::tools
