#include "page.h"

#include <weft/data/text/utf8.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <cstdio>
#include <vector>

namespace weft::tools {
namespace {

/// Controls, and what would turn or break the line that shows it; newline and tab are drawn.
bool is_hidden(char32_t c) {
  if (c == '\n' || c == '\t') return false;
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x200b || c == 0x200e || c == 0x200f ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
}

}  // namespace

std::string filled(std::string_view pattern, std::span<const PageText> texts) {
  struct Place {
    size_t at;
    const PageText* filler;
  };
  std::vector<Place> places;
  size_t size = pattern.size();
  for (const PageText& one : texts) {
    const size_t at = pattern.find(str("@", one.name, "@"));
    if (at == std::string_view::npos) fail<ValueError>("page: there is no place @", one.name, "@");
    places.push_back({at, &one});
    size += one.text.size();
  }
  std::ranges::sort(places, {}, &Place::at);
  std::string page;
  page.reserve(size);
  size_t from = 0;
  for (const auto& [at, one] : places) {
    page += pattern.substr(from, at - from);
    page += one->text;
    from = at + one->name.size() + 2;
  }
  page += pattern.substr(from);
  return page;
}

std::string script_json(std::string_view json) {
  std::string text;
  for (const char c : json)
    if (c == '<')
      text += "\\u003c";
    else
      text += c;
  return text;
}

std::string printable(std::string_view bytes) {
  std::string text;
  while (!bytes.empty()) {
    const Utf8Char first = decode_utf8(bytes);
    const auto length = static_cast<size_t>(std::max(1, first.length));
    char number[8];
    if (first.length < 1) {
      std::snprintf(number, sizeof number, "\\x%02x", static_cast<unsigned>(static_cast<uint8_t>(bytes[0])));
      text += number;
    } else if (is_hidden(first.code_point)) {
      std::snprintf(number, sizeof number, "\\u%04x", static_cast<unsigned>(first.code_point));
      text += number;
    } else {
      text += bytes.substr(0, length);
    }
    bytes.remove_prefix(length);
  }
  return text;
}

}  // namespace weft::tools
