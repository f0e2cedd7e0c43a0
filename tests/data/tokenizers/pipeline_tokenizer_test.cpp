#include <doctest/doctest.h>
#include <weft/data/tokenizers/pipeline_tokenizer.h>

#include "checks.h"
#include "parts.h"

namespace weft {

using test::refuses;
using test::small_parts;

TEST_CASE("pipeline: ids, spans, special tokens, and the text") {
  const PipelineTokenizer tokenizer(small_parts());
  const Encoding found = tokenizer.encode_with_spans("AB\u00c9 a");
  CHECK(found.ids == std::vector<int64_t>{3, 2, 4, 5, 0});
  CHECK(found.spans == std::vector<Encoding::Span>{{0, 2}, {2, 4}, {2, 4}, {4, 5}, {5, 6}});
  CHECK(tokenizer.decode(found.ids) == "abe\u0301 a");
  refuses<ValueError>([&] { tokenizer.encode("ab</s>"); }, {"character '<' (U+003C) at position 2"});
  refuses<ValueError>([&] { tokenizer.encode("a\xff"); }, {"not UTF-8 at byte 1"});
  CHECK(tokenizer.encode_special("ab</s>a") == std::vector<int64_t>{3, 6, 0, 6});
  CHECK(tokenizer.encode_special("a", {.end = false}) == std::vector<int64_t>{0});
  refuses<ValueError>([&] { tokenizer.encode_special("a", {.second = "b"}); }, {"no pairs"});
  refuses<ValueError>([&] { tokenizer.encode_special("a\xff"); }, {"not UTF-8 at byte 1"});
  refuses<ValueError>([&] { tokenizer.decode(7); }, {"id 7 is not in [0, 7)"});
  CHECK(tokenizer.encode("").empty());
}

TEST_CASE("pipeline: damaged states are refused") {
  const StateDict state = PipelineTokenizer(small_parts()).state_dict();
  CHECK(identical(Tokenizer::from_state(state)->state_dict(), state));
  const auto damaged = [&](const char* key, auto value, const std::string& says) {
    StateDict other = state;
    other.set(key, value);
    refuses<StateError>([&] { Tokenizer::from_state(other); }, {says});
  };
  damaged("merges", Array::from({0, 1}, {2}), "2 numbers of merges");
  damaged("merges", Array::from({0, 1, 70}, {3}), "merge 0 names the token 70 of 7");
  damaged("added", Array::from({9, 1, 0, 0, 0, 0}, {6}), "the added token 0 is 9, of 7");
  damaged("around", Array::from({3, 0}, {2}), "what goes around a text is damaged");
  damaged("around", Array::from({1, 99, 0, 0}, {4}), "has the token 99");
  damaged("token_ends", Array::from({5, 2}, {2}), "token 1 ends at 2");
  damaged("scores", Array::from({1}, {1}), "scores must be float64");
  damaged("normalizers", state_of({{.type = "Shout"}}), "the normalizer Shout");
  damaged("model", state_of({}), "0 models");
}

}  // namespace weft
