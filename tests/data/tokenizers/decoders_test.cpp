#include <doctest/doctest.h>
#include <weft/data/tokenizers/decoders.h>

#include "checks.h"

namespace weft {

using test::refuses;

namespace {

/// The bytes of tokens one after another.
std::string written(const std::vector<TokenizerStep>& steps, const std::vector<std::string>& tokens) {
  const TokenDecoder decoder(steps);
  std::string all;
  for (size_t i = 0; i < tokens.size(); ++i) all += decoder.bytes_of(tokens[i], i == 0);
  return all;
}

}  // namespace

TEST_CASE("decoders: what tokens are written as") {
  CHECK(written({}, {"a", "b"}) == "a b");
  CHECK(written({{.type = "Fuse"}}, {"a", "b"}) == "ab");
  CHECK(written({{.type = "ByteLevel"}}, {"a", "\u0120b", "\u00c3", "\u00a9"}) == "a b\u00e9");
  CHECK(written({{.type = "Metaspace"}}, {"\u2581a", "\u2581b", "c"}) == "a bc");
  CHECK(written({{.type = "WordPiece", .texts = {{"prefix", "##"}}, .numbers = {{"cleanup", 0}}}},
                {"a", "##b", "c"}) == "ab c");
  CHECK(written({{.type = "Replace", .texts = {{"pattern.String", "_"}, {"content", " "}}},
                 {.type = "ByteFallback"},
                 {.type = "Fuse"},
                 {.type = "Strip", .texts = {{"content", " "}}, .numbers = {{"start", 1}, {"stop", 0}}}},
                {"_a", "_b", "<0x0A>", "_"}) == "a b\n ");
}

TEST_CASE("decoders: bytes by name, and what is not known") {
  for (int byte = 0; byte < 256; ++byte) CHECK(byte_of_token(token_of_byte(byte)) == byte);
  for (const char* other : {"<0xAG>", "<0xA>", "0x0A", "<0x0A> ", ""})
    CHECK(byte_of_token(other) == -1);
  refuses<ValueError>([] { TokenDecoder({{.type = "CTC"}}); }, {"the decoder CTC"});
  refuses<ValueError>(
      [] {
        TokenDecoder({{.type = "Fuse", .numbers = {{"loud", 1}}}});
      },
      {"Fuse", "setting loud"});
}

}  // namespace weft
