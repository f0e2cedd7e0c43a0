#include <doctest/doctest.h>
#include <weft/data/tokenizers/normalizers.h>

#include "checks.h"

namespace weft {

using test::refuses;

namespace {

std::string after(const TokenizerStep& step, const std::string& text) {
  AlignedText made(text, 0, true);
  make_normalizer(step)(made);
  return made.text();
}

}  // namespace

TEST_CASE("normalizers: what becomes of a text") {
  CHECK(after({.type = "NFC"}, "e\u0301x") == "\u00e9x");
  CHECK(after({.type = "NFD"}, "\u00e9") == "e\u0301");
  CHECK(after({.type = "NFKC"}, "\ufb01\u2460\uff76\uff9e") == "fi1\u30ac");
  CHECK(after({.type = "NFC"}, "\u1100\u1161\u11a8") == "\uac01");
  CHECK(after({.type = "Lowercase"}, "\u00c4\u0130") == "\u00e4i\u0307");
  CHECK(after({.type = "StripAccents"}, "e\u0301") == "e");
  CHECK(after({.type = "Strip", .numbers = {{"strip_left", 1}, {"strip_right", 0}}}, " \ta ") == "a ");
  CHECK(after({.type = "Prepend", .texts = {{"prepend", "_"}}}, "a") == "_a");
  CHECK(after({.type = "Prepend", .texts = {{"prepend", "_"}}}, "") == "");
  CHECK(after({.type = "Replace", .texts = {{"pattern.String", "aa"}, {"content", "b"}}}, "aaa") == "ba");
  CHECK(after({.type = "Replace", .texts = {{"pattern.Regex", " {2,}"}, {"content", " "}}}, "a   b c") ==
        "a b c");
  CHECK(after({.type = "BertNormalizer"}, "\u00c9\u4e16\u0001\tx") == "e \u4e16  x");
  CHECK(after({.type = "ByteLevel"}, "\n\u00e9") == "\u010a\u00c3\u00a9");
  refuses<ValueError>(
      [] {
        make_normalizer({.type = "Precompiled", .texts = {{"precompiled_charsmap", "?"}}});
      },
      {"base64"});
}

}  // namespace weft
