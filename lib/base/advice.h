// Advice: what would be typed instead. An error that knows it carries it along, and a command line makes of it a line that
// can be copied:
//   fail_with<ValueError>({.typed = {"n_layr"}, .meant = {"n_layer"}}, "there is no key 'n_layr'");
//   weft: there is no key 'n_layr'
//     weft train --data a.txt --set n_layer=3
#pragma once

#include <weft/lib/base/error.h>

#include <exception>
#include <string>
#include <utility>
#include <vector>

namespace weft {

struct Advice {
  /// Words of the command that was typed, one behind the other, and those in their place. One word may be a part of what
  /// was typed, between signs that no name has: n_layr of n_layr=3.
  std::vector<std::string> typed = {}, meant = {};
  /// Options that come behind it.
  std::vector<std::string> more = {};
  /// Settings that come behind it: n_embd=128.
  std::vector<std::string> settings = {};
  /// Lines for the shell, to be typed instead or, where there is something above, first.
  std::vector<std::string> lines = {};

  bool operator==(const Advice&) const = default;
};

/// An error E with advice.
template <class E>
struct Advised : E, Advice {
  Advised(const std::string& text, Advice advice) : E(text), Advice(std::move(advice)) {}
};

/// fail<E>() with advice.
template <class E, class... Parts>
[[noreturn]] void fail_with(Advice advice, const Parts&... parts) {
  throw Advised<E>(str(parts...), std::move(advice));
}

/// Of an error that carries none: none.
inline Advice advice_of(const std::exception& error) {
  const auto* const advice = dynamic_cast<const Advice*>(&error);
  return advice ? *advice : Advice();
}

}  // namespace weft
