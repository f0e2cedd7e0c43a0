#include <doctest/doctest.h>
#include <weft/data/pictures/formats_internal.h>
#include <weft/lib/array/random.h>
#include <weft/lib/base/error.h>
#include <weft/lib/files/npy.h>

#include "checks.h"
#include "data/pictures/pictures.h"
#include "folder.h"

using namespace weft;
using test::bytes_of;
using test::refuses;

namespace {

Picture decoded(const std::string& text) { return decode_picture(bytes_of(text), "a"); }

std::string npy(const std::string& type, const std::string& shape, const std::string& data) {
  std::string header = "{'descr': '" + type + "', 'fortran_order': False, 'shape': " + shape + ", }";
  header.resize(117, ' ');
  return std::string("\x93NUMPY\x01\0\x76\0", 10) + header + "\n" + data;
}

/// As libpng and libjpeg write them: 3 x 2 pixels of colour, of which the second row is (1, 2, 3), (4, 5, 6), (7, 8, 9).
const std::vector<uint8_t> pixels = {255, 0, 0, 0, 255, 0, 0, 0, 255, 1, 2, 3, 4, 5, 6, 7, 8, 9};

}  // namespace

TEST_CASE("netpbm: all six kinds, comments, and values of other heights") {
  const Picture ascii =
      decoded("P3 # comment\n3 2\n#more\n255\n255 0 0 0 255 0 0 0 255\n1 2 3 4 5 6 7 8 9\n");
  CHECK(ascii.shape == PictureShape{2, 3, 3});
  CHECK(ascii.pixels == pixels);
  CHECK(decoded("P6\n3 2\n255\n" + std::string(pixels.begin(), pixels.end())).pixels == pixels);
  CHECK(decoded("P2 2 1 15 0 15").pixels == std::vector<uint8_t>{0, 255});
  CHECK(decoded(std::string("P5 2 1 65535\n\x80\x00\xff\xff", 18)).pixels == std::vector<uint8_t>{128, 255});
  CHECK(decoded("P1 3 2 101\n0 1 0").pixels == std::vector<uint8_t>{0, 255, 0, 255, 0, 255});
  CHECK(decoded(std::string("P4 9 1\n\x80\x80", 9)).pixels ==
        std::vector<uint8_t>{0, 255, 255, 255, 255, 255, 255, 255, 0});
}

TEST_CASE("arrays of NumPy are pictures, grey or of three colours") {
  CHECK(decoded(npy("|u1", "(1, 3)", "abc")).shape == PictureShape{1, 3, 1});
  CHECK(decoded(npy("|u1", "(1, 1, 3)", "abc")).shape == PictureShape{1, 1, 3});
  CHECK(decoded(npy("|u1", "(1, 3)", "abc")).pixels == std::vector<uint8_t>{'a', 'b', 'c'});
  refuses<FileError>([] { decoded(npy("|u1", "(3,)", "abc")); }, {"a: is no picture", "numpy.save"});
  refuses<FileError>([] { decoded(npy("<f4", "(1, 1)", "abcd")); }, {"a: is no picture"});
}

TEST_CASE("what is no picture is refused with its name and what is wrong") {
  refuses<FileError>([] { decoded(""); }, {"a: is empty"});
  refuses<FileError>([] { decoded("hello world"); },
                     {"a: is no picture that is known", "png, jpeg, pnm, npy"});
  refuses<FileError>([] { decoded("P5 2 2 255\nabc"); }, {"a: ends early"});
  refuses<FileError>([] { decoded("P2 2 2 255\n1 2 3"); }, {"a: ends early"});
  refuses<FileError>([] { decoded("P5 2 x 255\nabcd"); }, {"a: no number at byte 5"});
  refuses<FileError>([] { decoded("P5 0 3 255\n"); }, {"a: has no pixels: 3 x 0"});
  refuses<FileError>([] { decoded("P5 100000 100000 255\n"); }, {"100,000 x 100,000", "67,108,864"});
  refuses<FileError>([] { decoded("P2 1 1 9 10"); }, {"the value 10, above its highest, 9"});
  refuses<FileError>([] { decoded("P2 1 1 99999999999 1"); }, {"a number of more than"});
  refuses<FileError>([] { decoded("P2 1 1 0 0"); }, {"its highest value is 0"});
}

TEST_CASE("opacity: what is transparent shows white") {
  const Picture grey = on_white(1, 3, 2, {0, 255, 0, 0, 100, 128});
  CHECK(grey.shape == PictureShape{1, 3, 1});
  CHECK(grey.pixels == std::vector<uint8_t>{0, 255, 177});
  CHECK(on_white(1, 1, 4, {10, 20, 30, 255}).pixels == std::vector<uint8_t>{10, 20, 30});
}

TEST_CASE("names of pictures") {
  for (const char* const name : {"a.png", "A/B.JPG", "x.jpeg", "x.ppm", "x.PGM"})
    CHECK(is_picture_name(name));
  for (const char* const name : {"a.txt", "png", "a.png.txt", "a.png/b"}) CHECK_FALSE(is_picture_name(name));
}

TEST_CASE("altered pictures are read or refused, and nothing else") {
  const std::string whole =
      test::netpbm(5, 7, 3, [](int64_t x, int64_t y, int64_t c) { return x * 9 + y * 5 + c; });
  const std::string text = "P3 2 2 255 1 2 3 4 5 6 7 8 9 10 11 12";
  int64_t read = 0, refused = 0;
  for (uint64_t n = 0; n < 4000; ++n) {
    std::string bytes = n % 2 == 0 ? whole : text;
    const RandomKey key = random_key(3, 4, n);
    for (uint64_t change = 0; change <= n % 3; ++change)
      bytes[integer_at(key, 0, 2 * change, bytes.size())] =
          static_cast<char>(integer_at(key, 0, 2 * change + 1, 256));
    if (n % 5 == 0) bytes.resize(integer_at(key, 1, 0, bytes.size()));
    try {
      const Picture picture = decoded(bytes);
      CHECK(std::ssize(picture.pixels) ==
            picture.shape.height * picture.shape.width * picture.shape.channels);
      ++read;
    } catch (const FileError&) {
      ++refused;
    }
  }
  CHECK(read > 100);
  CHECK(refused > 100);
}
