#include <doctest/doctest.h>
#include <weft/data/pictures/fit.h>
#include <weft/lib/base/error.h>

#include "checks.h"

using namespace weft;
using test::refuses;

namespace {

/// Picture (7, 5, channels) of pixels (37 x + 91 y + 53 c) mod 256.
Picture ramp(int64_t channels, int64_t height = 7, int64_t width = 5) {
  Picture made{{height, width, channels}, {}};
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      for (int64_t c = 0; c < channels; ++c)
        made.pixels.push_back(static_cast<uint8_t>((37 * x + 91 * y + 53 * c) % 256));
  return made;
}

using Bytes = std::vector<uint8_t>;

Bytes fitted(const Picture& picture, Fit how, int64_t channels, int64_t side) {
  Bytes to(static_cast<size_t>(channels * side * side));
  fit_picture(picture, how, channels, side, to);
  return to;
}

}  // namespace

TEST_CASE("scaled as Pillow's BILINEAR does, byte for byte") {
  // Pillow 13.0.0: Image.fromarray(a).resize((width, height), Image.BILINEAR).
  CHECK(resized(ramp(1), 3, 2).pixels == Bytes{100, 137, 109, 112, 128, 110});
  CHECK(resized(ramp(3), 2, 2).pixels == Bytes{103, 129, 136, 127, 145, 132, 121, 132, 140, 110, 132, 140});
  CHECK(resized(ramp(1), 10, 9).pixels ==
        Bytes{0,   12,  33,  53,  74,  95,  115, 136, 148, 50,  62,  83,  103, 124, 145, 165, 186, 198,
              114, 126, 147, 139, 124, 145, 165, 186, 198, 177, 189, 210, 123, 8,   29,  49,  70,  82,
              75,  87,  108, 88,  59,  80,  100, 121, 133, 49,  61,  82,  102, 123, 144, 154, 125, 107,
              113, 125, 146, 160, 174, 195, 188, 73,  5,   176, 188, 209, 145, 58,  79,  92,  78,  68,
              125, 137, 158, 116, 58,  79,  99,  120, 132, 34,  46,  67,  87,  108, 129, 149, 170, 182});
  CHECK(resized(ramp(1), 7, 3).pixels ==
        Bytes{16, 74, 132, 107, 165, 223, 198, 57, 58, 33, 91, 149, 124, 182, 94, 215, 74, 75, 50, 108, 166});
  CHECK(resized(ramp(3), 4, 5).pixels == Bytes{48,  101, 141, 85,  125, 178, 109, 162, 106, 146, 199, 143,
                                               183, 127, 180, 118, 171, 90,  155, 74,  127, 58,  111, 113,
                                               95,  148, 150, 132, 134, 116, 101, 154, 156, 138, 140, 193,
                                               124, 177, 96,  161, 80,  133, 64,  117, 99,  108, 161, 105,
                                               145, 89,  142, 73,  126, 166, 110, 150, 203, 134, 187, 106});
  // Resize(8) and CenterCrop(8) of torchvision.
  const Bytes square = fitted(ramp(3, 40, 23), Fit::crop, 3, 8),
              grey = fitted(ramp(3, 40, 23), Fit::crop, 1, 8);
  CHECK(Bytes(square.begin() + 64, square.begin() + 80) ==
        Bytes{134, 137, 132, 141, 130, 116, 124, 126, 126, 132, 136, 130, 141, 132, 116, 125});
  CHECK(Bytes(grey.begin() + 24, grey.begin() + 40) ==
        Bytes{126, 133, 130, 132, 135, 125, 133, 132, 130, 127, 132, 130, 132, 135, 126, 132});
}

TEST_CASE("squares: the middle, all on black, or stretched") {
  // Two rows of four: the middle two columns.
  const Picture wide{{2, 4, 1}, {1, 2, 3, 4, 5, 6, 7, 8}};
  CHECK(fitted(wide, Fit::crop, 1, 2) == Bytes{2, 3, 6, 7});
  const Bytes padded = fitted(wide, Fit::pad, 1, 4);
  CHECK(Bytes(padded.begin(), padded.begin() + 4) == Bytes{0, 0, 0, 0});
  CHECK(Bytes(padded.begin() + 4, padded.begin() + 8) == Bytes{1, 2, 3, 4});
  CHECK(Bytes(padded.end() - 4, padded.end()) == Bytes{0, 0, 0, 0});
  CHECK(fitted(wide, Fit::stretch, 1, 2).size() == 4);
  CHECK(fitted(Picture{{1, 500, 1}, Bytes(500, 9)}, Fit::pad, 1, 8)[8 * 4 + 4] == 9);
  CHECK(fit_from("pad") == Fit::pad);
  refuses<ValueError>([] { fit_from("squeeze"); }, {"crop, pad or stretch", "'squeeze'"});
  refuses<ValueError>([&] { fitted(wide, Fit::crop, 2, 2); }, {"channels must be 1 or 3"});
}

TEST_CASE("colours become grey by their luminance, and grey three equal colours") {
  const Picture colours{{1, 4, 3}, {255, 0, 0, 0, 255, 0, 0, 0, 255, 10, 20, 30}};
  CHECK(fitted({{2, 2, 3}, colours.pixels}, Fit::crop, 1, 2) == Bytes{76, 150, 29, 18});
  CHECK(fitted({{1, 1, 1}, {7}}, Fit::crop, 3, 1) == Bytes{7, 7, 7});
}
