#include <weft/data/scores/scores.h>
#include <weft/data/text/utf8.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/math.h>

#include <algorithm>
#include <array>
#include <map>
#include <numeric>

namespace weft {
namespace {

using Text = std::u32string;
constexpr double percent = 100;

// What Python's str.split() cuts at.
bool is_space(char32_t c) {
  return (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
         c == 0x3000;
}
bool is_digit(char32_t c) { return c >= '0' && c <= '9'; }
bool is_point(char32_t c) { return c == '.' || c == ','; }
// All ASCII marks but ' - . and ,
bool is_symbol(char32_t c) {
  return (c >= '{' && c <= '~') || (c >= '[' && c <= '`') || (c >= ' ' && c <= '&') ||
         (c >= '(' && c <= '+') || (c >= ':' && c <= '@') || c == '/';
}

std::vector<Text> words_of(const Text& text) {
  std::vector<Text> words;
  bool inside = false;
  for (const char32_t c : text) {
    if (is_space(c)) {
      inside = false;
      continue;
    }
    if (!inside) words.emplace_back();
    inside = true;
    words.back() += c;
  }
  return words;
}

void replace_all(Text& text, const Text& what, const Text& with) {
  for (size_t at = text.find(what); at != Text::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
}

/// Every two neighbours that fit(first, second), not sharing a character, with `between` after the first and
/// `behind` after the second.
template <class Fit>
Text set_apart(const Text& text, const Text& before, const Text& between, const Text& behind, Fit fit) {
  Text made;
  for (size_t at = 0; at < text.size(); ++at) {
    if (at + 1 == text.size() || !fit(text[at], text[at + 1])) {
      made += text[at];
      continue;
    }
    made += before + text[at] + between + text[at + 1] + behind;
    ++at;
  }
  return made;
}

// sacreBLEU 2.6, tokenizers/tokenizer_13a.py and tokenizer_re.py.
std::vector<Text> words_13a(Text text) {
  replace_all(text, U"<skipped>", U"");
  replace_all(text, U"-\n", U"");
  replace_all(text, U"\n", U" ");
  replace_all(text, U"&quot;", U"\"");
  replace_all(text, U"&amp;", U"&");
  replace_all(text, U"&lt;", U"<");
  replace_all(text, U"&gt;", U">");
  Text apart;
  for (const char32_t c : U" " + text + U" ") apart += is_symbol(c) ? Text{U' ', c, U' '} : Text{c};
  apart =
      set_apart(apart, U"", U" ", U" ", [](char32_t a, char32_t b) { return !is_digit(a) && is_point(b); });
  apart =
      set_apart(apart, U" ", U" ", U"", [](char32_t a, char32_t b) { return is_point(a) && !is_digit(b); });
  apart = set_apart(apart, U"", U" ", U" ", [](char32_t a, char32_t b) { return is_digit(a) && b == '-'; });
  return words_of(apart);
}

struct Matches {
  int64_t both = 0, text = 0, reference = 0;
};

/// Adds how many n-grams of `text` and `reference` there are, and how many they share.
template <class Sequence>
void count_matches(const Sequence& text, const Sequence& reference, size_t n, Matches& matches) {
  std::map<Sequence, std::array<int64_t, 2>> met;
  const auto count = [&](const Sequence& one, size_t side) {
    for (size_t at = 0; at + n <= one.size(); ++at) {
      const auto begin = one.begin() + static_cast<std::ptrdiff_t>(at);
      ++met[Sequence(begin, begin + static_cast<std::ptrdiff_t>(n))][side];
    }
  };
  count(text, 0);
  count(reference, 1);
  for (const auto& [gram, sides] : met) {
    matches.text += sides[0];
    matches.reference += sides[1];
    matches.both += std::min(sides[0], sides[1]);
  }
}

void check_pairs(const char* op, std::span<const std::string> texts,
                 std::span<const std::string> references) {
  if (texts.size() != references.size())
    fail<ValueError>(op, ": ", texts.size(), " texts for ", references.size(), " references");
}

/// The fewest insertions, deletions and substitutions between the two.
template <class Sequence>
int64_t edits(const Sequence& text, const Sequence& reference) {
  std::vector<int64_t> row(reference.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 0; i < text.size(); ++i) {
    int64_t diagonal = row[0]++;
    for (size_t j = 0; j < reference.size(); ++j) {
      const int64_t changed = diagonal + (text[i] == reference[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, diagonal + 1});
    }
  }
  return row.back();
}

template <class Cut>
double error_rate(const char* op, std::span<const std::string> texts, std::span<const std::string> references,
                  Cut cut) {
  check_pairs(op, texts, references);
  int64_t errors = 0, size = 0;
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto text = cut(characters_of(texts[i])), reference = cut(characters_of(references[i]));
    errors += edits(text, reference);
    size += std::ssize(reference);
  }
  return static_cast<double>(errors) / static_cast<double>(std::max<int64_t>(1, size));
}

double ratio(int64_t part, int64_t whole) { return static_cast<double>(part) / static_cast<double>(whole); }

}  // namespace

double exact_match(std::span<const std::string> texts, std::span<const std::string> references) {
  check_pairs("exact_match", texts, references);
  int64_t same = 0;
  for (size_t i = 0; i < texts.size(); ++i) same += texts[i] == references[i];
  return texts.empty() ? 0.0 : ratio(same, static_cast<int64_t>(texts.size()));
}

std::string tokenize_13a(std::string_view text) {
  std::string line;
  for (const Text& word : words_13a(characters_of(text))) {
    if (!line.empty()) line += ' ';
    for (const char32_t c : word) line += encode_utf8(c);
  }
  return line;
}

double bleu(std::span<const std::string> texts, std::span<const std::string> references, BleuWords words) {
  check_pairs("bleu", texts, references);
  std::array<Matches, 4> orders;
  int64_t text_words = 0, reference_words = 0;
  const auto cut = [&](const std::string& text) {
    Text characters = characters_of(text);
    while (!characters.empty() && is_space(characters.back())) characters.pop_back();
    return words == BleuWords::mteval_13a ? words_13a(std::move(characters)) : words_of(characters);
  };
  for (size_t i = 0; i < texts.size(); ++i) {
    const std::vector<Text> text = cut(texts[i]), reference = cut(references[i]);
    text_words += static_cast<int64_t>(text.size());
    reference_words += static_cast<int64_t>(reference.size());
    for (size_t n = 1; n <= orders.size(); ++n) count_matches(text, reference, n, orders[n - 1]);
  }
  if (std::ranges::all_of(orders, [](const Matches& one) { return one.both == 0; })) return 0.0;
  double logs = 0, smoothing = 1;
  for (const Matches& one : orders) {
    if (one.text == 0) return 0.0;  // all texts are shorter than four words
    if (one.both == 0) smoothing *= 2;
    const double precision =
        one.both == 0 ? 1 / (smoothing * static_cast<double>(one.text)) : ratio(one.both, one.text);
    logs += math::log(percent * precision) / static_cast<double>(orders.size());
  }
  const bool brief = text_words < reference_words;
  return math::exp(logs) * (brief ? math::exp(1 - ratio(reference_words, text_words)) : 1.0);
}

double chrf(std::span<const std::string> texts, std::span<const std::string> references) {
  check_pairs("chrf", texts, references);
  constexpr double beta_squared = 4;
  std::array<Matches, 6> orders;
  const auto characters = [](const std::string& text) {
    Text all = characters_of(text);
    std::erase_if(all, is_space);
    return all;
  };
  for (size_t i = 0; i < texts.size(); ++i) {
    const Text text = characters(texts[i]), reference = characters(references[i]);
    for (size_t n = 1; n <= orders.size(); ++n) {
      Matches one;
      count_matches(text, reference, n, one);
      if (one.reference == 0) one.text = 0;  // what has no counterpart does not count
      orders[n - 1].both += one.both;
      orders[n - 1].text += one.text;
      orders[n - 1].reference += one.reference;
    }
  }
  double precision = 0, recall = 0;
  for (const Matches& one : orders)
    if (one.text > 0 && one.reference > 0) {
      precision += ratio(one.both, one.text);
      recall += ratio(one.both, one.reference);
    }
  if (precision + recall == 0) return 0.0;
  const auto count = static_cast<double>(
      std::ranges::count_if(orders, [](const Matches& one) { return one.text > 0 && one.reference > 0; }));
  precision /= count;
  recall /= count;
  return percent * (1 + beta_squared) * precision * recall / (beta_squared * precision + recall);
}

double word_error_rate(std::span<const std::string> texts, std::span<const std::string> references) {
  return error_rate("word_error_rate", texts, references, words_of);
}

double character_error_rate(std::span<const std::string> texts, std::span<const std::string> references) {
  return error_rate("character_error_rate", texts, references, [](Text text) {
    while (!text.empty() && is_space(text.back())) text.pop_back();
    text.erase(text.begin(), std::ranges::find_if_not(text, is_space));
    return text;
  });
}

}  // namespace weft
