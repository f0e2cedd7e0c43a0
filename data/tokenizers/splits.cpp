#include <weft/data/text/byte_level.h>
#include <weft/data/text/word_pattern.h>
#include <weft/data/tokenizers/normalizers.h>
#include <weft/data/tokenizers/regex.h>
#include <weft/data/tokenizers/splits.h>
#include <weft/data/tokenizers/unicode.h>

#include <algorithm>
#include <optional>

namespace weft {
namespace {

// Those that first_word() has, as tokenizer.json writes them.
constexpr const char* gpt2_patterns[] = {
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)",
    R"('(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)"};
constexpr const char* cl100k_patterns[] = {
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"};

using Span = Encoding::Span;
/// Finds what parts a text: spans from left to right.
using Finder = std::function<std::vector<Span>(std::string_view text)>;

enum class Behavior { removed, isolated, with_previous, with_next, contiguous };

Behavior behavior_from(StepReader& read, const char* otherwise) {
  const std::string name = read.text("behavior", otherwise);
  if (name == "Removed") return Behavior::removed;
  if (name == "Isolated") return Behavior::isolated;
  if (name == "MergedWithPrevious") return Behavior::with_previous;
  if (name == "MergedWithNext") return Behavior::with_next;
  if (name == "Contiguous") return Behavior::contiguous;
  read.refuse("weft does not know the behavior ", name);
}

struct Part {
  Span span;
  bool found;
};

std::vector<Part> parts_of(const std::string& text, const std::vector<Span>& found, bool invert) {
  std::vector<Part> parts;
  size_t at = 0;
  for (const Span one : found) {
    if (one.begin > at) parts.push_back({{at, one.begin}, invert});
    parts.push_back({one, !invert});
    at = one.end;
  }
  if (at < text.size()) parts.push_back({{at, text.size()}, invert});
  return parts;
}

std::vector<Span> joined(const std::vector<Part>& parts, Behavior behavior) {
  std::vector<Span> all;
  bool last = false;  // whether the part before was found
  for (const auto& [span, found] : parts) {
    const bool joins = (behavior == Behavior::with_previous && found && !last) ||
                       (behavior == Behavior::with_next && !found && last) ||
                       (behavior == Behavior::contiguous && found == last);
    if (joins && !all.empty())
      all.back().end = span.end;
    else if (behavior != Behavior::removed || !found)
      all.push_back(span);
    last = found;
  }
  return all;
}

void split(std::vector<TextPiece>& pieces, const Finder& find, Behavior behavior, bool invert = false) {
  std::vector<TextPiece> all;
  for (const TextPiece& piece : pieces) {
    const std::string& text = piece.text.text();
    for (const auto& [begin, end] : joined(parts_of(text, find(text), invert), behavior))
      if (end > begin) all.push_back({piece.text.part(begin, end), piece.first && begin == 0});
  }
  pieces = std::move(all);
}

/// Each character of a kind, or runs of them.
template <class Is>
Finder characters(Is is, bool runs = false) {
  return [=](std::string_view text) {
    std::vector<Span> all;
    for (size_t at = 0; at < text.size();) {
      const Utf8Char c = decode_utf8(text.substr(at, 4));
      const size_t end = at + (c.length > 0 ? length_of(c) : 1);
      if (c.length > 0 && is(c.code_point)) {
        if (runs && !all.empty() && all.back().end == at)
          all.back().end = end;
        else
          all.push_back({at, end});
      }
      at = end;
    }
    return all;
  };
}

Finder words(WordPattern pattern) {
  return [=](std::string_view text) {
    std::vector<Span> all;
    for (size_t at = 0; at < text.size();) {
      const size_t end = at + first_word(pattern, text.substr(at));
      all.push_back({at, end});
      at = end;
    }
    return all;
  };
}

bool is_bert_punctuation(char32_t c) {
  return (c >= 33 && c <= 47) || (c >= 58 && c <= 64) || (c >= 91 && c <= 96) || (c >= 123 && c <= 126) ||
         is_punctuation(c);
}

void prepend(AlignedText& text, std::string_view what) {
  Rewriting to(text);
  to.replace(0, what);
  to.finish();
}

SplitStep byte_level(StepReader& read) {
  const bool space = read.flag("add_prefix_space", true), cuts = read.flag("use_regex", true);
  read.flag("trim_offsets", true);
  return [=](std::vector<TextPiece>& pieces) {
    if (space)
      for (TextPiece& piece : pieces)
        if (!piece.text.text().starts_with(' ')) prepend(piece.text, " ");
    if (cuts) split(pieces, words(WordPattern::gpt2), Behavior::isolated);
    for (TextPiece& piece : pieces) {
      Rewriting to(piece.text);
      while (!to.ended()) to.replace(1, byte_level_character(static_cast<unsigned char>(to.rest()[0])));
      to.finish();
    }
  };
}

SplitStep metaspace(StepReader& read) {
  const std::string mark = read.text("replacement", "\u2581");
  const bool legacy = read.flag("add_prefix_space", true), cuts = read.flag("split", true);
  const std::string scheme = read.text("prepend_scheme", legacy ? "always" : "never");
  read.text("str_rep", "");
  if (scheme != "always" && scheme != "never" && scheme != "first")
    read.refuse("weft does not know the prepend_scheme ", scheme);
  return [=](std::vector<TextPiece>& pieces) {
    for (TextPiece& piece : pieces) {
      Rewriting to(piece.text);
      while (!to.ended()) {
        const size_t length = length_of(to.next());
        to.rest()[0] == ' ' ? to.replace(1, mark) : to.keep(length);
      }
      to.finish();
      const bool wanted = scheme == "always" || (scheme == "first" && piece.first);
      if (wanted && !piece.text.text().starts_with(mark)) prepend(piece.text, mark);
    }
    const Finder marks = [=](std::string_view text) {
      std::vector<Span> all;
      for (size_t at = text.find(mark); at != std::string_view::npos; at = text.find(mark, at + mark.size()))
        all.push_back({at, at + mark.size()});
      return all;
    };
    if (cuts) split(pieces, marks, Behavior::with_next);
  };
}

SplitStep splitting(StepReader& read) {
  const Behavior behavior = behavior_from(read, nullptr);
  const bool invert = read.flag("invert", false);
  Finder find;
  if (read.has("pattern.Regex")) {
    const std::string pattern = read.text("pattern.Regex");
    if (const auto ours = word_pattern_of_regex(pattern))
      find = words(*ours);
    else
      find = [regex = Regex(pattern)](std::string_view text) { return regex.matches(text); };
  } else {
    const std::string what = read.text("pattern.String");
    if (what.empty()) read.refuse("splits at nothing");
    find = [regex = Regex(escaped_for_regex(what))](std::string_view text) { return regex.matches(text); };
  }
  return [=](std::vector<TextPiece>& pieces) { split(pieces, find, behavior, invert); };
}

SplitStep made(const TokenizerStep& step, StepReader& read) {
  const std::string& type = step.type;
  const auto by = [](Finder find, Behavior behavior) {
    return [=](std::vector<TextPiece>& pieces) { split(pieces, find, behavior); };
  };
  if (type == "ByteLevel") return byte_level(read);
  if (type == "Metaspace") return metaspace(read);
  if (type == "Split") return splitting(read);
  if (type == "WhitespaceSplit") return by(characters(is_space), Behavior::removed);
  if (type == "Whitespace")
    return [](std::vector<TextPiece>& pieces) {
      split(pieces, characters(is_space), Behavior::removed);
      split(pieces, characters(is_word_character), Behavior::contiguous);
    };
  if (type == "BertPreTokenizer")
    return [](std::vector<TextPiece>& pieces) {
      split(pieces, characters(is_space), Behavior::removed);
      split(pieces, characters(is_bert_punctuation), Behavior::isolated);
    };
  if (type == "Punctuation") return by(characters(is_bert_punctuation), behavior_from(read, "Isolated"));
  if (type == "Digits")
    return by(characters(is_number),
              read.flag("individual_digits", false) ? Behavior::isolated : Behavior::contiguous);
  if (type == "CharDelimiterSplit") {
    const std::string delimiter = read.text("delimiter");
    const Utf8Char c = decode_utf8(delimiter);
    if (c.length <= 0 || length_of(c) != delimiter.size()) read.refuse("the delimiter is not one character");
    return by(characters([p = c.code_point](char32_t one) { return one == p; }), Behavior::removed);
  }
  fail<ValueError>("weft does not know the pre-tokenizer ", type);
}

}  // namespace

std::optional<WordPattern> word_pattern_of_regex(std::string_view regex) {
  if (std::ranges::count(gpt2_patterns, regex) > 0) return WordPattern::gpt2;
  if (std::ranges::count(cl100k_patterns, regex) > 0) return WordPattern::cl100k;
  return {};
}

const char* regex_of(WordPattern pattern) {
  return (pattern == WordPattern::gpt2 ? gpt2_patterns : cl100k_patterns)[0];
}

SplitStep make_split(const TokenizerStep& step) {
  StepReader read(step, "pre-tokenizer");
  SplitStep all = made(step, read);
  read.finish();
  return all;
}

}  // namespace weft
