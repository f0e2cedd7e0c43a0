#include <doctest/doctest.h>
#include <weft/data/text/word_tokenizer.h>
#include <weft/data/tokenizers/wrapped_tokenizer.h>

#include "checks.h"
#include "parts.h"

namespace weft {

using test::refuses;
using test::small_parts;

namespace {

/// Ids behind, which are written as stars: one for the first, two for the second; the last is nothing.
class Starred : public WrappedTokenizer {
 public:
  Starred(std::shared_ptr<const Tokenizer> own, int64_t more)
      : WrappedTokenizer(own, own->vocab_size() + more) {}
  const char* kind() const override { return "starred"; }
  StateDict state_dict() const override { return {}; }

 private:
  std::string decode_behind(int64_t id) const override {
    return id + 1 == vocab_size() ? "" : std::string(static_cast<size_t>(id - own()->vocab_size() + 1), '*');
  }
};

}  // namespace

TEST_CASE("wrapped: reads as the tokenizer within does") {
  const auto own = std::make_shared<PipelineTokenizer>(small_parts());
  const Starred starred(own, 3);
  CHECK(starred.vocab_size() == own->vocab_size() + 3);
  CHECK(starred.encode("ab a") == own->encode("ab a"));
  CHECK(starred.encode_with_spans("ab a").spans == own->encode_with_spans("ab a").spans);
  CHECK(starred.special_tokens() == own->special_tokens());
  CHECK(starred.reads_pieces() == own->reads_pieces());
  CHECK(starred.safe_cut("ab a") == own->safe_cut("ab a"));
  CHECK(Starred(std::make_shared<ByteTokenizer>(), 1).reads_pieces());
}

TEST_CASE("wrapped: what is behind cuts a text, unless it is nothing") {
  const auto own = std::make_shared<CharTokenizer>(CharTokenizer::of("ab"));
  const Starred starred(own, 3);
  CHECK(starred.decode(2) == "*");
  CHECK(starred.decode(std::vector<int64_t>{0, 1, 3, 0}) == "ab**a");
  CHECK(starred.decode(std::vector<int64_t>{2, 3}) == "***");
  CHECK(starred.count_characters(std::vector<int64_t>{0, 3, 4, 1}) == 2);
  CHECK(starred.leaves_beginning(2));
  CHECK_FALSE(starred.leaves_beginning(1));
  refuses<ValueError>([&] { starred.decode(5); }, {"id 5", "[0, 5)"});
  refuses<ValueError>([&] { starred.decode(-1); }, {"id -1"});
  refuses<ValueError>([&] { starred.decode(std::vector<int64_t>{0, 5}); }, {"id 5"});
  refuses<ValueError>([&] { starred.count_characters(std::vector<int64_t>{0, 5}); }, {"id 5"});
  refuses<ValueError>([&] { Starred(own, -1); }, {"2 tokens does not fit into 1"});
}

TEST_CASE("wrapped: ids that are nothing do not part a text") {
  const auto own = std::make_shared<WordTokenizer>(WordTokenizer::of("ab cd ef"));
  const Starred starred(own, 2);
  int apart = 0;
  for (int64_t a = 0; a < own->vocab_size(); ++a)
    for (int64_t b = 0; b < own->vocab_size(); ++b) {
      const std::string together = own->decode(std::vector<int64_t>{a, b});
      apart += together != own->decode(std::vector<int64_t>{a}) + own->decode(std::vector<int64_t>{b});
      CHECK(starred.decode(std::vector<int64_t>{a, own->vocab_size() + 1, b}) == together);
    }
  CHECK(apart > 0);
}

}  // namespace weft
