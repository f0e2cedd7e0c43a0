#include <doctest/doctest.h>
#include <weft/data/tokenizers/added_tokens.h>

namespace weft {

namespace {

/// The parts of a text: "[3:ab]" a token, else what lies between.
std::string parts(const std::vector<AddedToken>& tokens, const std::string& text) {
  std::string all;
  size_t at = 0;
  for (const auto& [span, id] : AddedTokens(tokens).parts_of(text)) {
    CHECK(span.begin == at);
    at = span.end;
    const std::string said = text.substr(span.begin, span.end - span.begin);
    all += id < 0 ? said : str("[", id, ":", said, "]");
  }
  CHECK(at == text.size());
  return all;
}

}  // namespace

TEST_CASE("added tokens: the longest that begins first, with what it says of spaces and words") {
  const AddedToken a{.id = 1, .content = "<a>"}, ab{.id = 2, .content = "<a>b"};
  CHECK(parts({a, ab}, "x<a>b<a>c") == "x[2:<a>b][1:<a>]c");
  CHECK(parts({a}, "") == "");
  CHECK(parts({}, "text") == "text");
  CHECK(parts({a}, "<a<a>") == "<a[1:<a>]");
  CHECK(parts({{.id = 3, .content = "m", .lstrip = true}}, "a  m b") == "a[3:  m] b");
  CHECK(parts({{.id = 3, .content = "m", .rstrip = true}}, "a  m b") == "a  [3:m ]b");
  const AddedToken word{.id = 4, .content = "cat", .single_word = true};
  CHECK(parts({word}, "cat, concat cats cat") == "[4:cat], concat cats [4:cat]");
}

}  // namespace weft
