// Our formats of pictures, for picture.cpp. Internal to data.
#pragma once

#include <weft/data/pictures/picture.h>

namespace weft {

PictureFormat png_format();
PictureFormat jpeg_format();
/// Netpbm's P1 to P6.
PictureFormat pnm_format();
/// Arrays (H, W), (H, W, 1) or (H, W, 3) of uint8.
PictureFormat npy_format();

/// A picture whose pixels have opacity, 2 or 4 channels, on white.
Picture on_white(int64_t height, int64_t width, int64_t channels, const std::vector<uint8_t>& pixels);

}  // namespace weft
