// Pictures of any size as squares of one.
#pragma once

#include <weft/data/pictures/picture.h>

#include <cstdint>
#include <span>
#include <string_view>

namespace weft {

/// What a picture that is no square becomes: its middle, after the shorter side is scaled; all of it on black, after the
/// longer one is; or all of it with both sides scaled.
enum class Fit { crop, pad, stretch };

/// "crop", "pad", "stretch"; ValueError for another name.
Fit fit_from(std::string_view name);

/// The picture scaled to (height, width): each pixel is the mean of those that it covers, weighted by a triangle which is as
/// wide as two pixels of the smaller picture, in 22 bits, rows before columns (Pillow's Image.resize with BILINEAR, of 8 bits).
Picture resized(const Picture& picture, int64_t height, int64_t width);

/// Writes it as (channels, side, side). Colours become grey by ITU-R 601-2, (19595 R + 38470 G + 7471 B + 2^15) / 2^16, grey
/// is each of three colours. Scaled sides are rounded down, and the middle begins at half of what is left out, rounded to even:
/// torchvision's Resize(side), CenterCrop(side). ValueError for channels other than 1 and 3, and for another size of `to`.
void fit_picture(const Picture& picture, Fit how, int64_t channels, int64_t side, std::span<uint8_t> to);

/// A class for each pixel (height, width) -> (side, side), where fit_picture puts that pixel: scaled to the nearest, as Pillow's
/// NEAREST, and no_class beside a picture that is padded.
inline constexpr uint8_t no_class = 255;
void fit_mask(const std::vector<uint8_t>& mask, int64_t height, int64_t width, Fit how, int64_t side,
              std::span<uint8_t> to);

}  // namespace weft
