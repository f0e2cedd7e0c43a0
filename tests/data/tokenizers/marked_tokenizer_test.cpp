#include <doctest/doctest.h>
#include <weft/data/tokenizers/marked_tokenizer.h>
#include <weft/lib/base/error.h>

using namespace weft;

TEST_CASE("marks have ids behind the tokenizer's own, and no text becomes one") {
  const auto own = std::make_shared<CharTokenizer>(CharTokenizer::of("<>ab|"));
  const MarkedTokenizer marked(own, std::vector<std::string>{"<a>", "<b>"});
  CHECK(marked.vocab_size() == 7);
  CHECK(marked.special_tokens() == std::map<std::string, int64_t>{{"<a>", 5}, {"<b>", 6}});
  for (const int64_t id : marked.encode("<a>ab<b>")) CHECK(id < 5);
  const std::vector<int64_t> ids = marked.encode_special("a<b>b");
  REQUIRE(ids.size() == 3);
  CHECK(ids[1] == 6);
  CHECK(marked.decode(ids) == "a<b>b");
  CHECK(marked.count_characters(ids) == 2);
  CHECK(marked.reads_pieces());
  CHECK_THROWS_AS(marked.decode(7), ValueError);
  CHECK_THROWS_AS(MarkedTokenizer(own, std::vector<std::string>{"<a>", "<a>"}), ValueError);
  CHECK_THROWS_AS(MarkedTokenizer(own, std::vector<std::string>{""}), ValueError);

  const auto again = Tokenizer::from_state(marked.state_dict());
  CHECK(identical(again->state_dict(), marked.state_dict()));
  CHECK(again->special_tokens() == marked.special_tokens());
  StateDict twice = marked.state_dict();
  twice.set("own", marked.state_dict());
  CHECK_THROWS_AS(Tokenizer::from_state(twice), StateError);
}
