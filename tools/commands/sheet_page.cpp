#include "sheet_page.h"

#include <weft/data/pictures/fit.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "../base64.h"

namespace weft::tools {
namespace {

/// A larger picture is scaled down: a page holds many.
constexpr int64_t most_side = 256;

void add_number(std::string& to, int64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) to += static_cast<char>(value >> (8 * i) & 255);
}

constexpr std::string_view head = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>)";
constexpr std::string_view style = R"(</title><style>
:root { color-scheme: light dark; }
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(140px, 1fr)); gap: 1.2em; }
figure { margin: 0; } img { width: 128px; height: 128px; image-rendering: pixelated; border: 1px solid #8888; object-fit: contain; }
figcaption { font-size: 13px; overflow-wrap: anywhere; } small { opacity: 0.7; } audio { width: 130px; height: 28px; display: block; }
</style></head><body>
)";

}  // namespace

std::string escaped(const std::string& text) {
  std::string all;
  for (const char c : text)
    all += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '"' ? "&quot;" : std::string(1, c);
  return all;
}

std::string picture_address(const Picture& picture) {
  const auto [height, width, channels] = picture.shape;
  const int64_t row = (3 * width + 3) / 4 * 4, header = 54;
  std::string bmp = "BM";
  for (const int64_t value : {header + row * height, int64_t{0}, header, int64_t{40}, width, height})
    add_number(bmp, value, 4);
  add_number(bmp, 1, 2);
  add_number(bmp, 24, 2);
  bmp.append(24, '\0');
  for (int64_t y = height; y-- > 0;) {
    for (int64_t x = 0; x < width; ++x)
      for (int64_t c = 3; c-- > 0;) {
        const int64_t channel = std::min(c, channels - 1);
        bmp += static_cast<char>(picture.pixels[static_cast<size_t>((y * width + x) * channels + channel)]);
      }
    bmp.append(static_cast<size_t>(row - 3 * width), '\0');
  }
  return "data:image/bmp;base64," + base64(bmp);
}

std::string sound_address(const Sound& sound) {
  const int64_t bytes = 2 * std::ssize(sound.samples);
  std::string wav = "RIFF";
  add_number(wav, 36 + bytes, 4);
  wav += "WAVEfmt ";
  for (const auto& [value, size] : {std::pair<int64_t, int>{16, 4},
                                    {1, 2},
                                    {1, 2},
                                    {sound.rate, 4},
                                    {2 * sound.rate, 4},
                                    {2, 2},
                                    {16, 2}})
    add_number(wav, value, size);
  wav += "data";
  add_number(wav, bytes, 4);
  for (const float sample : sound.samples)
    add_number(wav, std::clamp<int64_t>(std::llround(static_cast<double>(sample) * 32768), -32768, 32767), 2);
  return "data:audio/wav;base64," + base64(wav);
}

Picture picture_of_row(const Batch& batch, int64_t row) {
  const Array& x = batch.inputs;
  const int64_t channels = x.dim(1), height = x.dim(2), width = x.dim(3);
  const float* const values = x.data<float>() + row * channels * height * width;
  Picture picture{{height, width, channels == 3 ? 3 : 1}, {}};
  for (int64_t at = 0; at < height * width; ++at)
    for (int64_t c = 0; c < picture.shape.channels; ++c) {
      const double value = (static_cast<double>(values[c * height * width + at]) + 1) * 127.5;
      picture.pixels.push_back(static_cast<uint8_t>(std::clamp(std::lround(value), 0L, 255L)));
    }
  return picture;
}

Picture spectrogram_of_row(const Batch& batch, int64_t row) {
  const Array& x = batch.inputs;
  const int64_t M = x.dim(2),
                T = batch.lengths.empty() ? x.dim(1) : batch.lengths.at(static_cast<size_t>(row));
  const float* const values = x.data<float>() + row * x.dim(1) * M;
  const auto [least, most] = std::minmax_element(values, values + T * M);
  const double range = *most > *least ? static_cast<double>(*most) - *least : 1;
  Picture picture{{M, T, 1}, {}};
  for (int64_t m = M; m-- > 0;)
    for (int64_t t = 0; t < T; ++t)
      picture.pixels.push_back(
          static_cast<uint8_t>(std::lround(255 * (static_cast<double>(values[t * M + m]) - *least) / range)));
  return picture;
}

void SheetPage::say(const std::string& line) { lines_ += str("<p>", escaped(line), "</p>\n"); }

void SheetPage::add(const Picture& given, const std::string& alternative, const std::string& caption,
                    const Sound& sound) {
  Picture picture = given;
  const int64_t longest = std::max(picture.shape.height, picture.shape.width);
  if (longest > most_side)
    picture = resized(picture, std::max<int64_t>(1, picture.shape.height * most_side / longest),
                      std::max<int64_t>(1, picture.shape.width * most_side / longest));
  figures_ += str("<figure><img alt=\"", escaped(alternative), "\" src=\"", picture_address(picture), "\">",
                  sound.samples.empty()
                      ? ""
                      : str("<audio controls preload=\"none\" src=\"", sound_address(sound), "\"></audio>"),
                  "<figcaption>", caption, "</figcaption></figure>\n");
}

std::string SheetPage::html() const {
  return str(head, escaped(title_), style, "<h1>", escaped(heading_), "</h1>\n", lines_, "<main>\n", figures_,
             "</main></body></html>\n");
}

}  // namespace weft::tools
