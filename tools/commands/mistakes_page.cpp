#include "mistakes_page.h"

#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>

#include <algorithm>
#include <string_view>

namespace weft::tools {
namespace {

std::string base64(std::string_view bytes) {
  constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t at = 0; at < bytes.size(); at += 3) {
    const auto byte = [&](size_t i) {
      return at + i < bytes.size() ? static_cast<uint8_t>(bytes[at + i]) : 0U;
    };
    const uint32_t three = byte(0) << 16 | byte(1) << 8 | byte(2);
    for (size_t i = 0; i < 4; ++i) text += at + i > bytes.size() ? '=' : digits[three >> (18 - 6 * i) & 63];
  }
  return text;
}

void add_number(std::string& to, int64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) to += static_cast<char>(value >> (8 * i) & 255);
}

std::string escaped(const std::string& text) {
  std::string all;
  for (const char c : text)
    all += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '"' ? "&quot;" : std::string(1, c);
  return all;
}

constexpr std::string_view head = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mistakes</title><style>
body { font: 15px/1.4 system-ui, sans-serif; margin: 2em; color: #222; background: #fff; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(140px, 1fr)); gap: 1.2em; }
figure { margin: 0; } img { width: 128px; height: 128px; image-rendering: pixelated; border: 1px solid #ccc; object-fit: contain; }
figcaption { font-size: 13px; overflow-wrap: anywhere; } small { color: #666; }
</style></head><body>
)";

}  // namespace

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

void MistakesPage::add(int64_t sample, const RowScore& row) {
  if (row.answer != row.target) mistakes_.push_back({sample, row.probability, row.target, row.answer});
}

std::string MistakesPage::page() const {
  std::vector<Mistake> shown = mistakes_;
  std::ranges::stable_sort(shown, std::greater<>(), &Mistake::probability);
  if (count() > most_shown) shown.resize(static_cast<size_t>(most_shown));
  std::string text(head);
  text += str("<h1>", grouped(count()), count() == 1 ? " picture is" : " pictures are",
              " taken for something else</h1>\n");
  if (count() > most_shown) text += str("<p>The ", most_shown, " of which the model was surest.</p>\n");
  text += "<main>\n";
  for (const Mistake& one : shown) {
    const int64_t number = task_->number_of(one.sample);
    Picture picture = task_->source().picture(number);
    constexpr int64_t most_side = 256;
    const int64_t longest = std::max(picture.shape.height, picture.shape.width);
    if (longest > most_side)
      picture = resized(picture, std::max<int64_t>(1, picture.shape.height * most_side / longest),
                        std::max<int64_t>(1, picture.shape.width * most_side / longest));
    text += str("<figure><img alt=\"", escaped(one.is), "\" src=\"", picture_address(picture),
                "\"><figcaption><b>", escaped(one.is), "</b>, taken for <b>", escaped(one.taken_for),
                "</b> (", fixed(100 * one.probability, 1), " %)<br><small>",
                escaped(task_->source().describe(number)), "</small></figcaption></figure>\n");
  }
  return text + "</main></body></html>\n";
}

}  // namespace weft::tools
