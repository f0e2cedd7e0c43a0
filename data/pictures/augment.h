// Other views of a picture, drawn anew for each epoch.
#pragma once

#include <weft/data/generators/draws.h>
#include <weft/lib/settings/settings.h>

#include <cstdint>
#include <span>

namespace weft {

/// How far a picture may be changed; 0 is not at all.
struct AugmentOptions {
  double shift = 0;   ///< share of the side, along each axis, uniformly
  double rotate = 0;  ///< degrees, uniformly to both sides
  double scale = 0;   ///< s: between 1 / (1 + s) and 1 + s times as large, uniformly in its logarithm
  double flip = 0;    ///< probability of being mirrored, left and right
  double crop = 0;  ///< c: a square of at least 1 - c of the area, uniformly, fills all; it may lie anywhere
  double colour = 0;  ///< brightness and contrast, each times a number between 1 - c and 1 + c, uniformly
  double erase =
      0;  ///< probability that a rectangle of 2 to 20 % of the area is grey (Zhong et al., "Random Erasing", 2020)

  static const Settings<AugmentOptions>& settings();
  /// The side that pictures need which become `side` pixels wide: a cut-out square has as many.
  int64_t side_for(int64_t side) const;
};

/// Writes as numbers in [-1, 1], (channels, side, side), what is seen of a picture (channels, whole, whole): its geometry in
/// one step, bilinear between pixels, beyond the edge its last pixels; then colour and erasing. A pixel p is p / 127.5 - 1.
/// Nothing is drawn for what is not asked for.
void augment(std::span<const uint8_t> picture, int64_t channels, int64_t whole, int64_t side,
             const AugmentOptions& options, Draws& draws, std::span<float> to);

/// Classes of pixels (whole, whole) -> (side, side), moved as augment() moves a picture with the same draws, each the nearest.
void augment_mask(std::span<const uint8_t> mask, int64_t whole, int64_t side, const AugmentOptions& options,
                  Draws& draws, std::span<uint8_t> to);
/// As plain_view() sees them.
void plain_mask(std::span<const uint8_t> mask, int64_t whole, int64_t side, std::span<uint8_t> to);

/// The middle, scaled where `whole` is another size: what is seen in evaluation.
void plain_view(std::span<const uint8_t> picture, int64_t channels, int64_t whole, int64_t side,
                std::span<float> to);

}  // namespace weft
