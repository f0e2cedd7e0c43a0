#include <doctest/doctest.h>
#include <weft/data/tokenizers/unicode.h>

namespace weft {

TEST_CASE("Unicode: normal forms, classes and clusters") {
  CHECK(normalized("e\u0301", NormalForm::nfc) == "\u00e9");
  CHECK(normalized("\u00e9", NormalForm::nfd) == "e\u0301");
  CHECK(normalized("\ufb01", NormalForm::nfc) == "\ufb01");
  CHECK(normalized("\ufb01", NormalForm::nfkc) == "fi");
  CHECK(normalized("\u1e9b\u0323", NormalForm::nfkd) == "s\u0323\u0307");
  CHECK(normalized("", NormalForm::nfc).empty());
  CHECK(lower_case(U'\u00c4') == "\u00e4");
  CHECK(lower_case(U'\u0130') == "i\u0307");
  CHECK(is_space(U' '));
  CHECK(is_space(U'\u3000'));
  CHECK_FALSE(is_space(U'\u200b'));
  CHECK(is_punctuation(U'\u00bf'));
  CHECK_FALSE(is_punctuation(U'$'));
  CHECK(is_word_character(U'_'));
  CHECK(is_word_character(U'\u0301'));
  CHECK_FALSE(is_word_character(U'-'));
  CHECK(is_number(U'\u00bd'));
  CHECK_FALSE(is_number(U'a'));
  CHECK(is_nonspacing_mark(U'\u0301'));
  CHECK(is_control(U'\u200d'));
  CHECK_FALSE(is_control(U'\u0378'));
  CHECK(is_ideograph(U'\u4e16'));
  CHECK_FALSE(is_ideograph(U'\u3042'));
  CHECK(joins_to_previous(U'\u0301'));
  CHECK_FALSE(joins_to_previous(U'a'));
  CHECK(first_grapheme("e\u0301x") == 3);
  CHECK(first_grapheme("\U0001F469\u200d\U0001F4BBx") == 11);
  CHECK(first_grapheme("\r\n") == 2);
}

}  // namespace weft
