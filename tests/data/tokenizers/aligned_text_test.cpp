#include <doctest/doctest.h>
#include <weft/data/tokenizers/aligned_text.h>

namespace weft {

TEST_CASE("aligned text: what was rewritten knows where it came from") {
  AlignedText text("ab\u00e9d", 10, true);
  Rewriting first(text);
  first.keep(1);
  first.replace(1, "XYZ");
  CHECK(first.next().length == 2);
  first.replace(2, "");
  first.finish();
  CHECK(text.text() == "aXYZd");
  using Span = AlignedText::Span;
  CHECK(text.origin(0, 1) == Span{10, 11});
  CHECK(text.origin(2, 3) == Span{11, 12});
  CHECK(text.origin(1, 5) == Span{11, 15});
  Rewriting again(text);
  again.replace(2, "q");
  again.finish();
  CHECK(text.text() == "qYZd");
  CHECK(text.origin(0, 1) == Span{10, 12});
  const AlignedText part = text.part(1, 3);
  CHECK(part.text() == "YZ");
  CHECK(part.origin(0, 2) == Span{11, 12});
  CHECK_FALSE(AlignedText("a", 0, false).aligned());
  CHECK(AlignedText("a", 0, false).origin(0, 1) == Span{0, 0});
}

}  // namespace weft
