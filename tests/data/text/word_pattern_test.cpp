#include <doctest/doctest.h>
#include <weft/data/text/word_pattern.h>
#include <weft/lib/base/error.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace weft::test {
namespace {

struct Split {
  std::string_view text;
  std::vector<size_t> gpt2, cl100k;
};

// The lengths that Python's package regex 2026.x finds with the two expressions of word_pattern.h.
const std::vector<Split> splits = {
    {std::string_view("\302\205\303\237\012\012", 6), {2, 2, 2}, {4, 2}},
    {std::string_view("\342\200\224.", 4), {4}, {4}},
    {std::string_view("'Re\011\340\270\201\342\200\224B'Re'''x", 18),
     {1, 2, 1, 3, 3, 1, 1, 2, 3, 1},
     {3, 4, 4, 3, 3, 1}},
    {std::string_view(".", 1), {1}, {1}},
    {std::string_view("\012_\340\270\201'sB", 8), {1, 1, 3, 2, 1}, {1, 4, 2, 1}},
    {std::string_view("B", 1), {1}, {1}},
    {std::string_view("a'Re\011''Be\314\201\012.\342\200\224", 16),
     {1, 1, 2, 1, 2, 2, 2, 1, 4},
     {1, 3, 1, 2, 2, 3, 4}},
    {std::string_view("\012'\305\277\012\012!\077\343\200\200B'\000", 14),
     {1, 1, 2, 1, 1, 2, 3, 1, 2},
     {1, 3, 2, 2, 4, 2}},
    {std::string_view(" \343\200\200", 4), {4}, {4}},
    {std::string_view("'S\360\237\230\200", 6), {1, 1, 4}, {2, 4}},
    {std::string_view("\360\237\230\200  \342\200\250\343\200\200_\342\200\224\360\237\230\200", 20),
     {4, 5, 3, 8},
     {4, 5, 3, 8}},
    {std::string_view("_\303\251-\015\012've' ", 11), {1, 2, 1, 1, 1, 3, 1, 1}, {3, 3, 3, 1, 1}},
    {std::string_view("\000'll\344\270\255.\360\237\230\200\340\270\201", 15), {2, 5, 5, 3}, {2, 5, 5, 3}},
    {std::string_view("e\314\201've'll", 9), {1, 3, 2, 3}, {1, 3, 2, 3}},
    {std::string_view("B-\303\251\342\200\250 's__'ve", 15), {1, 1, 2, 3, 2, 1, 3, 2}, {1, 3, 3, 2, 1, 3, 2}},
    {std::string_view("\342\205\247\360\237\230\200\012", 8), {3, 4, 1}, {3, 5}},
    {std::string_view("  ", 2), {2}, {2}},
    {std::string_view("\000\012've\360\237\230\200'\305\277\302\205'\305\277!\077\302\240", 21),
     {1, 1, 3, 5, 2, 2, 1, 2, 2, 2},
     {2, 3, 5, 2, 2, 3, 2, 2}},
    {std::string_view("'xa'Re\360\237\230\20023e\314\201\000\011''", 19),
     {1, 2, 1, 2, 4, 2, 1, 3, 1, 2},
     {3, 3, 4, 2, 1, 3, 1, 2}},
    {std::string_view("-", 1), {1}, {1}},
    {std::string_view("\302\205\000  \360\237\230\200'\342\200\224", 13), {2, 1, 1, 9}, {2, 1, 1, 9}},
    {std::string_view("''\305\277a\342\200\213\342\200\213 's", 14), {2, 3, 6, 2, 1}, {2, 3, 6, 2, 1}},
    {std::string_view("!\077'xB\012 \000", 8), {3, 2, 1, 2}, {3, 2, 1, 2}},
    {std::string_view("\344\270\255\000\012\012", 6), {3, 1, 2}, {3, 3}},
    {std::string_view("\303\237", 2), {2}, {2}},
    {std::string_view("B.", 2), {1, 1}, {1, 1}},
    {std::string_view("\302\240", 2), {2}, {2}},
    {std::string_view("\302\2401 's ", 7), {2, 1, 2, 1, 1}, {2, 1, 2, 1, 1}},
    {std::string_view("\343\200\200\303\237\342\205\247\342\205\247\012\012e\314\201", 16),
     {3, 2, 6, 1, 1, 1, 2},
     {5, 6, 2, 1, 2}},
    {std::string_view("\302\240\343\200\200!\077", 7), {2, 3, 2}, {2, 3, 2}},
    {std::string_view("\342\200\224-1B\342\200\250'Re", 12), {4, 1, 1, 3, 1, 2}, {4, 1, 1, 3, 3}},
    {std::string_view("'  \012\012\340\270\201\012\012\360\237\230\200", 14),
     {1, 3, 1, 3, 1, 1, 4},
     {1, 4, 3, 2, 4}},
    {std::string_view("'x''B\012", 6), {1, 1, 2, 1, 1}, {2, 2, 1, 1}},
    {std::string_view("'ve", 3), {3}, {3}},
    {std::string_view("\303\251\342\205\247.", 6), {2, 3, 1}, {2, 3, 1}},
    {std::string_view("''\342\200\213\012e\314\201.\012e\314\201B've", 18),
     {5, 1, 1, 3, 1, 1, 2, 1, 3},
     {6, 1, 4, 1, 3, 3}},
    {std::string_view("''\305\277\342\200\25023\011\305\277", 12), {2, 2, 3, 2, 1, 2}, {2, 2, 3, 2, 3}},
    {std::string_view("\303\237\303\237\342\200\250\342\200\250\342\205\247", 13),
     {4, 3, 3, 3},
     {4, 3, 3, 3}},
    {std::string_view("\302\205\012\01223a\000\303\251_", 11), {3, 1, 2, 1, 1, 2, 1}, {4, 2, 1, 3, 1}},
    {std::string_view("\302\205!\077\342\205\247 's", 10), {2, 2, 3, 2, 1}, {2, 2, 3, 2, 1}},
    {std::string_view("\303\251'Re  '\305\277\340\270\201\011\302\205''_", 19),
     {2, 1, 2, 1, 2, 5, 1, 2, 3},
     {2, 3, 1, 2, 5, 1, 2, 3}},
    {std::string_view("\342\200\224\340\270\201'Re\343\200\200", 12), {3, 3, 1, 2, 3}, {6, 3, 3}},
    {std::string_view("\342\200\224B's 's've\343\200\200B\342\205\247  ", 21),
     {3, 1, 2, 2, 1, 3, 3, 1, 3, 2},
     {4, 2, 2, 1, 3, 4, 3, 2}},
    {std::string_view("\302\20523'S''\011\302\240", 11), {2, 2, 1, 1, 2, 3}, {2, 2, 2, 2, 3}},
    {std::string_view("'Re\000", 4), {1, 2, 1}, {3, 1}},
    {std::string_view("\342\200\213\342\200\224\342\200\213\015\012\303\237\303\251", 15),
     {9, 1, 1, 4},
     {11, 4}},
    {std::string_view("23\342\205\247", 5), {5}, {5}},
    {std::string_view("\342\200\213\011\302\240", 6), {3, 3}, {3, 3}},
    {std::string_view("'x\360\237\230\200\012\012'll'S'S", 15),
     {1, 1, 4, 1, 1, 3, 1, 1, 1, 1},
     {2, 6, 3, 2, 2}},
    {std::string_view("\343\200\200\015\012", 5), {5}, {5}},
    {std::string_view("23_\000\340\270\201's\303\251'\303\237", 14),
     {2, 2, 3, 2, 2, 1, 2},
     {2, 2, 3, 2, 2, 3}},
    {std::string_view("\331\24323'S1 's_'Re", 14), {4, 1, 1, 1, 2, 1, 2, 2}, {4, 2, 1, 2, 1, 2, 2}},
    {std::string_view("\302\205\000", 3), {2, 1}, {2, 1}},
    {std::string_view("\302\205\344\270\255\302\240'll", 10), {2, 3, 2, 3}, {5, 2, 3}},
    {std::string_view("\302\205\342\200\2131!\077\302\240", 10), {2, 3, 1, 2, 2}, {2, 3, 1, 2, 2}},
    {std::string_view("\303\251\343\200\200", 5), {2, 3}, {2, 3}},
    {std::string_view(" 's", 3), {2, 1}, {2, 1}},
    {std::string_view("\344\270\255", 3), {3}, {3}},
    {std::string_view("1\303\251  \015\012_'\342\205\247", 12), {1, 2, 3, 1, 2, 3}, {1, 2, 4, 2, 3}},
    {std::string_view(".\342\205\247", 4), {1, 3}, {1, 3}},
    {std::string_view("I'm sure they've 12345 apples, don't you\077\012\012  Next   line\011\011end  ", 63),
     {1, 2, 5, 5, 3, 6, 7, 1, 4, 2, 4, 1, 3, 5, 2, 5, 1, 1, 3, 2},
     {1, 2, 5, 5, 3, 1, 3, 2, 7, 1, 4, 2, 4, 3, 1, 5, 2, 5, 1, 4, 2}},
    {std::string_view("  \012 \012 x", 7), {5, 2}, {5, 2}},
    {std::string_view("a \012", 3), {1, 2}, {1, 2}},
    {std::string_view("\012 a", 3), {1, 2}, {1, 2}},
    {std::string_view("x\015\012\015\012y", 6), {1, 3, 1, 1}, {1, 4, 1}},
    {std::string_view(" \302\240a", 4), {1, 2, 1}, {1, 3}},
    {std::string_view("!!!\012\012word", 9), {3, 1, 1, 4}, {5, 4}},
    {std::string_view("don'T", 5), {3, 1, 1}, {3, 2}},
};

std::vector<size_t> lengths(WordPattern pattern, std::string_view text) {
  std::vector<size_t> found;
  for (; !text.empty(); text.remove_prefix(found.back())) found.push_back(first_word(pattern, text));
  return found;
}

}  // namespace

TEST_CASE("word patterns: words are those of the regular expressions") {
  for (const Split& split : splits) {
    CAPTURE(split.text);
    CHECK(lengths(WordPattern::gpt2, split.text) == split.gpt2);
    CHECK(lengths(WordPattern::cl100k, split.text) == split.cl100k);
  }
  CHECK(word_pattern_from("cl100k") == WordPattern::cl100k);
  CHECK(name_of(WordPattern::gpt2) == std::string_view("gpt2"));
  CHECK_THROWS_AS(word_pattern_from("gpt5"), ValueError);
}

TEST_CASE("word patterns: any bytes have words, and a safe cut is where one ends whatever follows") {
  std::mt19937 random(3);
  const std::string_view likely[] = {"a",  "word",     " ",    " x",       "\n", "'s",
                                     "12", "\xc3\xa9", "\xff", "\xe4\xb8", "!",  "\r\n"};
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    for (size_t n = random() % 12; n > 0; --n) text += likely[random() % std::size(likely)];
    if (round % 10 == 0)
      for (char& c : text) c = static_cast<char>(random() % 256);
    for (const WordPattern pattern : {WordPattern::gpt2, WordPattern::cl100k}) {
      const std::vector<size_t> whole = lengths(pattern, text);
      size_t sum = 0;
      for (const size_t length : whole) {
        REQUIRE(length > 0);
        sum += length;
      }
      REQUIRE(sum == text.size());
      const size_t cut = safe_cut(text);
      REQUIRE(cut <= text.size());
      if (cut == 0) continue;
      std::vector<size_t> apart = lengths(pattern, text.substr(0, cut));
      const std::vector<size_t> rest = lengths(pattern, text.substr(cut));
      apart.insert(apart.end(), rest.begin(), rest.end());
      REQUIRE(apart == whole);
    }
  }
  CHECK(safe_cut("one two  ") == 7);
  CHECK(safe_cut("one two x") == 7);
  CHECK(safe_cut("one") == 0);
  CHECK(safe_cut("") == 0);
}

}  // namespace weft::test
