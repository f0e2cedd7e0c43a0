#include <doctest/doctest.h>
#include <weft/data/text/word_tokenizer.h>
#include <weft/data/tokenizers/marked_tokenizer.h>
#include <weft/lib/base/error.h>

#include "checks.h"

using namespace weft;
using test::refuses;

namespace {

using Names = std::vector<std::string>;

std::shared_ptr<const Tokenizer> plain() {
  return std::make_shared<CharTokenizer>(
      CharTokenizer::of("<>/[]|abcdefghijklmnopqrstuvwxyzABCDEFGKLMNOPQRSTUVX_"));
}

}  // namespace

TEST_CASE("marks have ids behind the tokenizer's own, and no text becomes one") {
  const auto own = std::make_shared<CharTokenizer>(CharTokenizer::of("<>ab|"));
  const MarkedTokenizer marked(own, Names{"<a>", "<b>"});
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
  refuses<ValueError>([&] { MarkedTokenizer(own, Names{"<a>", "<a>"}); }, {"'<a>'", "already"});
  refuses<ValueError>([&] { MarkedTokenizer(own, Names{""}); }, {"needs a name"});
  const auto words = std::make_shared<const MarkedTokenizer>(own, Names{"<a>"});
  refuses<ValueError>([&] { MarkedTokenizer(words, Names{"<a>"}); }, {"'<a>'", "already"});
}

TEST_CASE("marks: no text forges one, whatever it holds") {
  const Names names{"<pad>", "</s>", "<|user|>", "[MASK]"};
  const MarkedTokenizer marked(plain(), names);
  for (const std::string& name : names)
    for (const std::string& text : {name, "a" + name, name + name + "b", name.substr(1)}) {
      CAPTURE(text);
      const std::vector<int64_t> ids = marked.encode(text);
      for (const int64_t id : ids) CHECK(id < marked.own()->vocab_size());
      CHECK(marked.decode(ids) == text);
      std::vector<int64_t> appended;
      CHECK(marked.append_ids(text, appended) == text.size());
      CHECK(appended == ids);
    }
}

TEST_CASE("marks come out of their state, and a damaged one is refused") {
  const MarkedTokenizer marked(plain(), Names{"<a>", "<b>"});
  const auto again = Tokenizer::from_state(marked.state_dict());
  CHECK(identical(again->state_dict(), marked.state_dict()));
  CHECK(again->special_tokens() == marked.special_tokens());
  CHECK(again->encode("ab<a>") == marked.encode("ab<a>"));
  StateDict damaged = marked.state_dict();
  damaged.set("own", marked.state_dict());
  refuses<StateError>([&] { Tokenizer::from_state(damaged); }, {"marked twice"});
  damaged = marked.state_dict();
  StateDict names;
  names.set("0", "<a>");
  names.set("2", "<b>");
  damaged.set("names", names);
  refuses<StateError>([&] { Tokenizer::from_state(damaged); }, {"'1'"});
  names = {};
  names.set("0", "<a>");
  names.set("1", "<a>");
  damaged.set("names", names);
  refuses<StateError>([&] { Tokenizer::from_state(damaged); }, {"'<a>'", "already"});
  names.set("1", int64_t{3});
  damaged.set("names", names);
  CHECK_THROWS_AS(Tokenizer::from_state(damaged), StateError);
  damaged = {};
  damaged.set("kind", "marked");
  CHECK_THROWS_AS(Tokenizer::from_state(damaged), StateError);
}

TEST_CASE("special ids are found by every name that vocabularies give them") {
  const std::vector<std::pair<int64_t SpecialIds::*, Names>> all = {
      {&SpecialIds::pad, {"<pad>", "[PAD]", "<|pad|>"}},
      {&SpecialIds::start, {"<s>", "[BOS]", "<bos>", "<|begin_of_text|>", "<|startoftext|>"}},
      {&SpecialIds::end, {"</s>", "[EOS]", "<eos>", "<|endoftext|>", "<|end_of_text|>", "<|im_end|>"}},
      {&SpecialIds::unknown, {"<unk>", "[UNK]"}},
      {&SpecialIds::cls, {"<cls>", "[CLS]"}},
      {&SpecialIds::sep, {"<sep>", "[SEP]"}},
      {&SpecialIds::mask, {"<mask>", "[MASK]"}}};
  const int64_t first = plain()->vocab_size();
  for (const auto& [role, names] : all)
    for (const std::string& name : names) {
      CAPTURE(name);
      const SpecialIds ids = SpecialIds::of(MarkedTokenizer(plain(), Names{"<other>", name}));
      for (const auto& [other, unused] : all) CHECK(ids.*other == (other == role ? first + 1 : -1));
      CHECK(ids.contain(first + 1));
      CHECK_FALSE(ids.contain(first));
      CHECK_FALSE(ids.contain(-1));
      // Any name of a role will do where its first is wanted.
      const auto has = std::make_shared<const MarkedTokenizer>(plain(), Names{name});
      CHECK(with_special(has, {names.front()}) == has);
    }
  // Of several the one that is listed first, whatever their ids.
  CHECK(SpecialIds::of(MarkedTokenizer(plain(), Names{"<|im_end|>", "</s>"})).end == first + 1);
}

TEST_CASE("with_special adds what is lacking, behind what is there") {
  const auto own = plain();
  CHECK(with_special(own, {}) == own);
  const auto some = with_special(own, {"<pad>", "</s>"});
  CHECK(some->special_tokens() ==
        std::map<std::string, int64_t>{{"<pad>", own->vocab_size()}, {"</s>", own->vocab_size() + 1}});
  CHECK(with_special(some, {"</s>"}) == some);
  // One layer, in which ids stay.
  const auto more = with_special(some, {"</s>", "<|user|>", "<cls>"});
  CHECK(more->vocab_size() == own->vocab_size() + 4);
  for (const auto& [name, id] : some->special_tokens()) CHECK(more->special_tokens().at(name) == id);
  CHECK(more->special_tokens().at("<|user|>") == own->vocab_size() + 2);
  CHECK(dynamic_cast<const MarkedTokenizer&>(*more).own() == own);
  CHECK_NOTHROW(Tokenizer::from_state(more->state_dict()));
}
