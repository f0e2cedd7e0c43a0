#include <doctest/doctest.h>
#include <weft/data/text/streaming_decoder.h>
#include <weft/data/tokenizers/padded_tokenizer.h>

#include "checks.h"
#include "parts.h"

namespace weft {

using test::refuses;
using test::small_parts;

TEST_CASE("padded: more ids than a tokenizer has, which stand for nothing") {
  const auto own = std::make_shared<PipelineTokenizer>(small_parts());
  const PaddedTokenizer padded(own, 10);
  CHECK(padded.vocab_size() == 10);
  CHECK(padded.encode("ab a") == own->encode("ab a"));
  CHECK(padded.decode(9).empty());
  CHECK(padded.decode(std::vector<int64_t>{3, 9, 0}) == "aba");
  CHECK(decode_whole(padded, std::vector<int64_t>{9, 3, 8, 0}, {.begins = true}) == "aba");
  CHECK(identical(Tokenizer::from_state(padded.state_dict())->state_dict(), padded.state_dict()));
  refuses<ValueError>([&] { PaddedTokenizer(own, 6); }, {"7 tokens does not fit into 6"});
  refuses<ValueError>([&] { padded.decode(10); }, {"id 10"});
  StateDict twice = padded.state_dict();
  twice.set("own", padded.state_dict());
  refuses<StateError>([&] { Tokenizer::from_state(twice); }, {"padded twice"});
}

}  // namespace weft
