// What libpng and libjpeg read, beside what Pillow does: tests/reference/pictures.py.
#include <doctest/doctest.h>
#include <weft/data/pictures/picture.h>
#include <weft/lib/array/random.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "checks.h"

using namespace weft;
using test::refuses;

namespace {

const std::string folder = std::string(WEFT_SOURCE_DIR) + "/tests/reference/pictures/";

/// Whether there is a plug-in; one that was not built is said.
bool has_plugin() {
  try {
    read_picture(folder + "grey.png");
    return true;
  } catch (const FileError& error) {
    MESSAGE("skipped: ", error.what());
    return false;
  }
}

std::vector<std::string> files_of_others() {
  std::vector<std::string> names;
  for (const std::string& name : names_in(folder))
    if (!name.ends_with(".npy") && name != "inks.jpg") names.push_back(name);
  return names;
}

}  // namespace

TEST_CASE("PNG and JPEG: pixels as Pillow has them, and shapes before they are decoded") {
  if (!has_plugin()) return;
  for (const std::string& name : files_of_others()) {
    CAPTURE(name);
    const Picture found = read_picture(folder + name),
                  wanted = read_picture(folder + name.substr(0, name.rfind('.')) + ".npy");
    CHECK(found.shape == wanted.shape);
    CHECK(found.pixels == wanted.pixels);
    const PictureShape told = picture_shape(read_file(folder + name), name);
    CHECK(told.height == found.shape.height);
    CHECK(told.width == found.shape.width);
    CHECK(told.channels == found.shape.channels);
  }
  refuses<FileError>([] { read_picture(folder + "inks.jpg"); }, {"inks.jpg: cannot be decoded", "CMYK"});
}

TEST_CASE("PNG and JPEG: what ends early, lies about its size or is altered is refused with its name") {
  if (!has_plugin()) return;
  int64_t read = 0, refused = 0;
  for (const std::string& name : files_of_others()) {
    CAPTURE(name);
    const std::vector<uint8_t> whole = read_file(folder + name);
    for (const size_t part : {size_t{0}, size_t{7}, size_t{20}, whole.size() / 2, whole.size() - 4})
      refuses<FileError>([&] { decode_picture(std::span(whole).first(part), name); }, {name});
    for (uint64_t n = 0; n < 300; ++n) {
      std::vector<uint8_t> bytes = whole;
      const RandomKey key = random_key(1, 2, n);
      for (uint64_t change = 0; change <= n % 4; ++change)
        bytes[integer_at(key, 0, 2 * change, bytes.size())] =
            static_cast<uint8_t>(integer_at(key, 0, 2 * change + 1, 256));
      try {
        const Picture picture = decode_picture(bytes, name);
        CHECK(std::ssize(picture.pixels) ==
              picture.shape.height * picture.shape.width * picture.shape.channels);
        ++read;
      } catch (const FileError&) {
        ++refused;
      }
    }
  }
  CHECK(read > 50);
  CHECK(refused > 500);
  // 100,000 x 100,000 pixels.
  std::vector<uint8_t> png = read_file(folder + "grey.png");
  const std::vector<uint8_t> side = {0, 1, 0x86, 0xA0};
  std::ranges::copy(side, png.begin() + 16);
  std::ranges::copy(side, png.begin() + 20);
  refuses<FileError>([&] { decode_picture(png, "a.png"); }, {"a.png", "100,000 x 100,000"});
}
