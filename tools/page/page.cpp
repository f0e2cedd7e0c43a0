#include "page.h"

#include <weft/lib/base/error.h>

namespace weft::tools {

std::string filled(std::string_view pattern, std::string_view place, std::string_view text) {
  const size_t at = pattern.find(place);
  return str(pattern.substr(0, at), text, pattern.substr(at + place.size()));
}

std::string json_in_script(std::string_view json) {
  // '<' stands in strings only, where it may be escaped.
  std::string text;
  for (const char c : json)
    if (c == '<')
      text += "\\u003c";
    else
      text += c;
  return text;
}

}  // namespace weft::tools
