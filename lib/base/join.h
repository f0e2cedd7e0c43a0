// Lists in texts.
#pragma once

#include <weft/lib/base/error.h>

#include <functional>
#include <ranges>
#include <string>
#include <string_view>

namespace weft {

/// The elements of a range one after the other, with the separator between them; an empty range gives an
/// empty text. What `str` writes may be an element. `part` says what is written of each, a member or a
/// function:
///   joined(sizes)                          "4, 3, 8"
///   joined(ids, ",")                       "5,9,2"
///   joined(table, ", ", &Row::name)        "adam, adamw, sgd"
template <std::ranges::input_range Range, class Part = std::identity>
std::string joined(Range&& range, std::string_view separator = ", ", Part part = {}) {
  std::string text;
  bool between = false;
  for (auto&& element : range) {
    if (between) text += separator;
    between = true;
    append_to(text, std::invoke(part, element));
  }
  return text;
}

}  // namespace weft
