#include <doctest/doctest.h>
#include <weft/data/text/bpe_training.h>
#include <weft/lib/base/error.h>
#include <weft/lib/machine/parallel.h>

#include <random>
#include <string>
#include <vector>

namespace weft::test {
namespace {

/// Words drawn so that some are frequent, of letters of one to three bytes, with numbers, marks and lines.
std::string sample_text(size_t words) {
  std::mt19937 random(9);
  const std::string parts[] = {"the", "an", "er", "in", "\xc3\xa9t", "\xe4\xb8\xad", "st", "ion", "x", "qu"};
  std::vector<std::string> known;
  for (int i = 0; i < 400; ++i) {
    std::string word;
    for (size_t n = 1 + random() % 4; n > 0; --n) word += parts[random() % 10];
    known.push_back(word);
  }
  std::string text;
  for (size_t i = 0; i < words; ++i) {
    text += known[(random() % 400) * (random() % 400) / 400];
    text += i % 17 == 0 ? ".\n" : i % 23 == 0 ? " 1984 " : " ";
  }
  return text;
}

BpeTokenizer learned(const std::string& text, size_t piece, BpeTrainingOptions options) {
  BpeTraining training(std::move(options));
  for (size_t at = 0; at < text.size(); at += piece) training.add(std::string_view(text).substr(at, piece));
  return training.learn();
}

}  // namespace

TEST_CASE("bpe training: the most frequent pair first, of equal ones that of the smaller ids") {
  BpeTraining training({.vocab_size = 259, .special = {}});
  training.add("ab ab ab cd cd cd xy xy");
  const BpeTokenizer tokenizer = training.learn();
  // 'a' is id 64, 'b' 65, 'c' 66 and 'd' 67 in GPT-2's order; a space is 220. "ab" stands three times, "cd" too.
  const std::vector<BpeMerge> wanted = {{64, 65, 256}, {66, 67, 257}, {220, 257, 258}};
  CHECK(tokenizer.parts().merges == wanted);
  CHECK(tokenizer.decode(258) == " cd");
  BpeTraining rare({.vocab_size = 4000, .min_frequency = 4, .special = {}});
  rare.add("ab ab ab cd cd cd");
  CHECK(rare.learn().vocab_size() == 256);
}

TEST_CASE("bpe training: what is learned does not depend on the threads, nor on how the text is cut") {
  const std::string text = sample_text(30000);
  const BpeTrainingOptions options{.vocab_size = 600, .special = {"<|end|>"}};
  const int threads = num_threads();
  const std::vector<BpeMerge> wanted = learned(text, text.size(), options).parts().merges;
  CHECK(wanted.size() == 343);
  for (const int count : {1, 2, 3}) {
    set_num_threads(count);
    for (const size_t piece : {7UL, 4096UL, 100000UL})
      CHECK(learned(text, piece, options).parts().merges == wanted);
  }
  set_num_threads(threads);
}

TEST_CASE("bpe training: each merge is of the pair that is most frequent then") {
  const std::string text = sample_text(3000);
  const BpeTokenizer tokenizer = learned(text, text.size(), {.vocab_size = 330, .special = {}});
  // By the definition: all words looked through again for each merge.
  std::vector<std::vector<int32_t>> words;
  for (std::string_view rest = text; !rest.empty();) {
    const size_t length = first_word(WordPattern::gpt2, rest);
    words.emplace_back();
    for (const char byte : rest.substr(0, length))
      for (int32_t id = 0; id < 256; ++id)
        if (tokenizer.decode(id)[0] == byte) words.back().push_back(id);
    rest.remove_prefix(length);
  }
  for (const BpeMerge& merge : tokenizer.parts().merges) {
    std::map<std::pair<int32_t, int32_t>, int64_t> counts;
    for (const auto& word : words)
      for (size_t i = 0; i + 1 < word.size(); ++i) ++counts[{word[i], word[i + 1]}];
    auto best = counts.begin();
    for (auto pair = counts.begin(); pair != counts.end(); ++pair)
      if (pair->second > best->second) best = pair;
    REQUIRE(best->first == std::pair(merge.left, merge.right));
    for (auto& word : words)
      for (size_t i = 0; i + 1 < word.size(); ++i)
        if (word[i] == merge.left && word[i + 1] == merge.right) {
          word[i] = merge.result;
          word.erase(word.begin() + static_cast<std::ptrdiff_t>(i) + 1);
        }
  }
}

TEST_CASE("bpe training: sizes that cannot be are refused") {
  CHECK_THROWS_AS(BpeTraining({.vocab_size = 256}), ValueError);
  CHECK_THROWS_AS(BpeTraining({.vocab_size = 300, .min_frequency = 0}), ValueError);
  BpeTraining twice({.vocab_size = 300, .special = {"<a>", "<a>"}});
  CHECK_THROWS_AS(twice.learn(), ValueError);
  BpeTraining nothing({.vocab_size = 300});
  CHECK(nothing.learn().vocab_size() == 257);
}

TEST_CASE("bpe training: more words than are kept leave those that come often, however the text is cut") {
  std::string text;
  for (int i = 0; i < 2'300'000; ++i) text += str(" w", i, i % 50 == 0 ? " frequent" : "");
  StateDict first;
  for (const size_t piece : {size_t{1} << 20, size_t{3'000'017}}) {
    BpeTraining training({.vocab_size = 300});
    for (size_t at = 0; at < text.size(); at += piece) training.add(std::string_view(text).substr(at, piece));
    const BpeTokenizer tokenizer = training.learn();
    CHECK(tokenizer.encode(" frequent").size() == 1);
    if (first.empty()) first = tokenizer.state_dict();
    CHECK(identical(tokenizer.state_dict(), first));
  }
}

TEST_CASE("bpe training: a text without a place to cut is cut nevertheless") {
  BpeTraining training({.vocab_size = 260});
  const std::string digits(size_t{1} << 20, '7');
  for (int i = 0; i < 70; ++i) training.add(digits);
  CHECK(training.learn().encode("7777").size() == 1);
}

}  // namespace weft::test
