#include <doctest/doctest.h>
#include <weft/data/generators/translation.h>
#include <weft/data/tasks/registry.h>

#include <algorithm>
#include <map>
#include <set>

#include "data/generators/words.h"

using namespace weft;
using test::words_of;

namespace {

SentencePair pair_at(uint64_t sample) {
  Draws draws(random_key(7, 8), sample);
  return draw_sentence_pair(draws);
}

}  // namespace

TEST_CASE("each sentence has one translation, and none shares it") {
  std::map<std::string, std::string> there, back;
  for (uint64_t sample = 0; sample < 20000; ++sample) {
    const SentencePair pair = pair_at(sample);
    CHECK(there.emplace(pair.a, pair.b).first->second == pair.b);
    CHECK(back.emplace(pair.b, pair.a).first->second == pair.a);
  }
  CHECK(there.size() > 19950);
}

TEST_CASE("the languages share no word, and every word comes up") {
  const std::vector<std::string> a = words_of(words_of_language_a()), b = words_of(words_of_language_b());
  CHECK(a.size() == 105);
  CHECK(b.size() == 185);
  std::set<std::string> all(a.begin(), a.end()), met;
  all.insert(b.begin(), b.end());
  CHECK(all.size() == 105 + 185);
  size_t longest_a = 0, longest_b = 0;
  for (uint64_t sample = 0; sample < 5000; ++sample) {
    const SentencePair pair = pair_at(sample);
    const std::vector<std::string> words_a = words_of(pair.a), words_b = words_of(pair.b);
    met.insert(words_a.begin(), words_a.end());
    met.insert(words_b.begin(), words_b.end());
    longest_a = std::max(longest_a, words_a.size());
    longest_b = std::max(longest_b, words_b.size());
  }
  CHECK(met == all);
  CHECK(longest_a == longest_sentence_a);
  CHECK(longest_b == longest_sentence_b);
}

TEST_CASE("word order and agreement differ") {
  const std::map<std::string, std::string> gender = {{"ket", "et"}, {"kas", "as"}, {"kun", "un"},
                                                     {"vet", "et"}, {"vas", "as"}, {"vun", "un"}};
  const std::map<std::string, std::string> plural = {{"keti", "eti"}, {"kasi", "asi"}, {"kuni", "umi"},
                                                     {"veti", "eti"}, {"vasi", "asi"}, {"vuni", "umi"}};
  for (uint64_t sample = 0; sample < 500; ++sample) {
    const SentencePair pair = pair_at(sample);
    const std::vector<std::string> a = words_of(pair.a), b = words_of(pair.b);
    CHECK(std::set<std::string>{"lo", "la", "un", "una"}.contains(a[0]));
    CHECK((b.back() == "dza" || b.back() == "dzo"));
    // The verb agrees with the first article that does not begin the sentence: the subject's.
    const auto article = std::find_if(b.begin() + 1, b.end(), [&](const std::string& word) {
      return gender.contains(word) || plural.contains(word);
    });
    REQUIRE(article != b.end());
    const bool one = gender.contains(*article);
    CHECK(b[b.size() - 2].ends_with(one ? gender.at(*article) : plural.at(*article)));
    CHECK(one == (a[0] == "lo" || a[0] == "un"));
  }
}

TEST_CASE("known sentences stay as they are") {
  const auto task = make_task("translation", {.seed = 1});
  const Batch batch = task->batch(0, 3);
  CHECK(task->input_text(batch, 0) == "un bemo mota un bari saku rame </s>");
  CHECK(task->target_text(batch, 0) == "skirl vun ophel flora olma vas iskun dza");
  CHECK(task->input_text(batch, 1) == "una kisa dimun motin la gelo peni jolon ru la zelun </s>");
  CHECK(task->target_text(batch, 1) ==
        "kuni otreken shon ulvaren plenuni vuni ervinen urgani brunani kasi iskumi dzo");
}
