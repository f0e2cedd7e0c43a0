#include <doctest/doctest.h>
#include <weft/data/text/bpe_training.h>
#include <weft/lib/base/error.h>

#include <random>
#include <string>
#include <vector>

namespace weft::test {
namespace {

BpeTokenizer small() {
  BpeTraining training({.vocab_size = 300, .special = {"<|endoftext|>", "<|user|>"}});
  for (int i = 0; i < 20; ++i) training.add("the cat sat on the mat, and then the dog sat on it.\n");
  return training.learn();
}

}  // namespace

TEST_CASE("bpe: any bytes come back, in pieces or at once, whatever was read before") {
  const BpeTokenizer tokenizer = small(), other = small();
  std::mt19937 random(4);
  for (int round = 0; round < 400; ++round) {
    std::string text;
    for (size_t n = random() % 200; n > 0; --n)
      text += round % 3 == 0 ? std::string(1, static_cast<char>(random() % 256))
              : random() % 2 ? "the "
                             : "cat sat";
    const std::vector<int64_t> ids = tokenizer.encode(text);
    CHECK(tokenizer.decode(ids) == text);
    CHECK(other.encode(text) == ids);
    for (const int64_t id : ids) CHECK(id < tokenizer.vocab_size() - 2);  // no text becomes a special token
  }
  CHECK(tokenizer.encode("<|endoftext|>").size() > 1);
  CHECK(tokenizer.decode(tokenizer.vocab_size() - 2) == "<|endoftext|>");
  CHECK(tokenizer.parts().special.at("<|user|>") == tokenizer.vocab_size() - 1);
  CHECK(tokenizer.encode("").empty());
  CHECK(tokenizer.encode(" the").size() == 1);
  CHECK(tokenizer.count_characters(tokenizer.encode("\xc3\xa9t\xe4\xb8\xad")) == 3);
  CHECK_THROWS_AS(tokenizer.decode(tokenizer.vocab_size()), ValueError);
}

TEST_CASE("bpe: it comes back from its state, and a damaged one is refused") {
  const BpeTokenizer tokenizer = small();
  const StateDict state = tokenizer.state_dict();
  const auto back = Tokenizer::from_state(state);
  CHECK(identical(back->state_dict(), state));
  CHECK(back->encode("then the cats sat") == tokenizer.encode("then the cats sat"));
  const auto refused = [&](const char* key, auto value) {
    StateDict damaged = tokenizer.state_dict();
    damaged.set(key, value);
    CHECK_THROWS_AS(Tokenizer::from_state(damaged), Error);
  };
  refused("pattern", "none");
  refused("merges", Array::from(std::vector<int32_t>{1, 2}, {2}));
  refused("merges", Array::from(std::vector<int32_t>{1, 2, 1000}, {1, 3}));
  refused("merges", Array::from(std::vector<int32_t>{1, 2, 3}, {1, 3}));
  refused("merges", Array::from(std::vector<int32_t>{-1, 2, 3}, {1, 3}));
  refused("token_ends", Array::from(std::vector<int32_t>{5, 2}, {2}));
  refused("token_bytes", Array::from(std::vector<int32_t>{5}, {1}));
  refused("token_bytes", Array::from(std::vector<float>{5}, {1}));
  refused("merges", 3);
}

TEST_CASE("bpe: with ignore_merges a word that is a token is that token") {
  BpeTokenizer::Parts parts = small().parts();
  const auto id = static_cast<int64_t>(parts.tokens.size());
  parts.tokens.emplace_back("zebra");
  CHECK(BpeTokenizer(parts).encode("zebra").size() > 1);
  parts.ignore_merges = true;
  CHECK(BpeTokenizer(parts).encode("zebra") == std::vector<int64_t>{id});
  parts.tokens.emplace_back("zebra");
  CHECK_THROWS_AS(BpeTokenizer{parts}, ValueError);
}

}  // namespace weft::test
