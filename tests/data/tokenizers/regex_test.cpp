#include <doctest/doctest.h>
#include <weft/data/tokenizers/regex.h>

#include "checks.h"

namespace weft {

using test::refuses;

TEST_CASE("regular expressions: matches; a search without end is refused") {
  using Spans = std::vector<Encoding::Span>;
  CHECK(Regex("b*").matches("abba") == Spans{{1, 3}});
  CHECK(Regex("\\p{L}+").matches("\u00e4 b") == Spans{{0, 2}, {3, 4}});
  CHECK(Regex(escaped_for_regex("a.[b")).matches("axa.[b") == Spans{{2, 6}});
  refuses<ValueError>([] { Regex("(a"); }, {"'(a'"});
  refuses<ValueError>([] { Regex("\xff"); }, {"not UTF-8 at byte 0"});
  refuses<ValueError>([] { Regex("^(a+)+$").matches(std::string(60, 'a') + "b"); }, {"retry-limit"});
}

}  // namespace weft
