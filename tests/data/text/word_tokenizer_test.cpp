#include <doctest/doctest.h>
#include <weft/data/text/tokenize.h>
#include <weft/data/text/word_tokenizer.h>
#include <weft/lib/base/error.h>

using namespace weft;
using Ids = std::vector<int64_t>;

TEST_CASE("words, digits and marks are pieces, with the space before them") {
  const WordTokenizer tokenizer = WordTokenizer::of("At 7:25 he ran, a fox!");
  CHECK(tokenizer.pieces() ==
        std::vector<std::string>{" 7", " At", " a", " fox", " he", " ran", "!", ",", "2", "5", ":"});
  CHECK(tokenizer.vocab_size() == WordTokenizer::first_word + 11);
  constexpr int64_t w = WordTokenizer::first_word;
  const Ids ids = {w + 1, w + 0, w + 10, w + 8, w + 9, w + 4, w + 5};
  CHECK(tokenizer.encode("At 7:25 he ran") == ids);
  CHECK(tokenizer.decode(ids) == "At 7:25 he ran");
  CHECK(tokenizer.decode(ids[0]) == " At");
  CHECK(tokenizer.count_characters(ids) == 14);
  CHECK(tokenizer.encode("").empty());
  CHECK(tokenizer.decode(Ids{}) == "");
}

TEST_CASE("white space is one space, and none before a mark") {
  const WordTokenizer tokenizer = WordTokenizer::of("he ran, a fox.");
  CHECK(tokenizer.encode(" he\n ran , a\tfox .\n") == tokenizer.encode("he ran, a fox."));
  CHECK(tokenizer.decode(tokenizer.encode("  he  ran .")) == "he ran.");
}

TEST_CASE("special tokens have fixed ids and are read where they are written") {
  const WordTokenizer tokenizer = WordTokenizer::of("the fox <pad> <extra_id_3>ran<mask> </s>");
  CHECK(tokenizer.pieces() == std::vector<std::string>{" fox", " the", "ran"});
  CHECK(tokenizer.encode("<pad> <s> </s> <unk> <mask> <cls> <sep> <extra_id_0> <extra_id_31>") ==
        Ids{0, 1, 2, 3, 4, 5, 6, 7, 38});
  CHECK(tokenizer.decode(Ids{5, 40, 39, 6}) == "<cls> the fox <sep>");
  CHECK(WordTokenizer::is_special(38));
  CHECK_FALSE(WordTokenizer::is_special(39));
  CHECK(WordTokenizer::of("a < b").pieces() == std::vector<std::string>{" <", " a", " b"});
}

TEST_CASE("an unknown word is named with its place, or becomes <unk>") {
  const WordTokenizer strict = WordTokenizer::of("the fox ran");
  CHECK_THROWS_WITH_AS(strict.encode("the \u00e9t\u00e9 ran"),
                       "encode: word '\u00e9t\u00e9' at position 4 is not among the 42 of the vocabulary",
                       ValueError);
  CHECK_THROWS_WITH_AS(strict.encode("the fo\xff"),
                       "encode: not UTF-8 at byte 6; tokenizer=byte takes any bytes", ValueError);
  const WordTokenizer open = WordTokenizer::of("the fox ran", {.unknown = true});
  CHECK(open.encode("the dog ran") == Ids{41, WordTokenizer::unknown, 40});
  CHECK_THROWS_AS(open.encode("the do\xff"), ValueError);
  CHECK_THROWS_AS(open.encode("the dog \xc3"), ValueError);
}

TEST_CASE("what is no vocabulary is refused") {
  for (const std::vector<std::string>& bad : std::vector<std::vector<std::string>>{
           {"two words"}, {""}, {" "}, {" ."}, {"12"}, {"a", "a"}, {"\xff"}, {"a\n"}, {"<pad>"}})
    CHECK_THROWS_AS(WordTokenizer{bad}, ValueError);
  const WordTokenizer tokenizer = WordTokenizer::of("fox");
  for (const int64_t id : {int64_t{-1}, int64_t{40}, INT64_MAX})
    CHECK_THROWS_AS(tokenizer.decode(id), ValueError);
  CHECK_THROWS_AS(WordTokenizer::of("a\xff"), ValueError);
}

TEST_CASE("a word tokenizer travels as a state, strictly") {
  for (const bool unknown : {false, true}) {
    const WordTokenizer tokenizer = WordTokenizer::of("At 7:25 he ran.", {.unknown = unknown});
    const std::shared_ptr<const Tokenizer> again = Tokenizer::from_state(tokenizer.state_dict());
    CHECK(std::string(again->kind()) == "word");
    CHECK(identical(again->state_dict(), tokenizer.state_dict()));
    CHECK(again->encode("he ran At 7:25.") == tokenizer.encode("he ran At 7:25."));
  }
  const auto broken = [](auto change) {
    StateDict state = WordTokenizer::of("the fox").state_dict();
    change(state);
    CHECK_THROWS_AS(Tokenizer::from_state(state), StateError);
  };
  broken([](StateDict& s) { s.set("pieces", " a\n a\n"); });
  broken([](StateDict& s) { s.set("pieces", " a\n b"); });
  broken([](StateDict& s) { s.set("pieces", " a\n\n"); });
  broken([](StateDict& s) { s.set("pieces", 1); });
  broken([](StateDict& s) { s.set("unknown", 2); });
  broken([](StateDict& s) { s.set("sentinels", 100); });
}

TEST_CASE("the first word of another tokenizer that is not known") {
  const WordTokenizer all = WordTokenizer::of("the old fox"), some = WordTokenizer::of("fox the");
  CHECK(all.first_unknown(some) == nullptr);
  REQUIRE(some.first_unknown(all) != nullptr);
  CHECK(*some.first_unknown(all) == " old");
}

TEST_CASE("files are not read by words") {
  TokenizeOptions options;
  options.with = std::make_shared<WordTokenizer>(WordTokenizer::of("the fox"));
  CHECK_THROWS_AS(tokenize_files({"/none"}, options), ValueError);
}
