#include <weft/data/text/byte_level.h>
#include <weft/data/tokenizers/character_map.h>
#include <weft/data/tokenizers/normalizers.h>
#include <weft/data/tokenizers/regex.h>
#include <weft/data/tokenizers/unicode.h>

#include <memory>

namespace weft {
namespace {

void normalize(AlignedText& text, NormalForm form) {
  Rewriting to(text);
  while (!to.ended()) {
    const std::string_view rest = to.rest();
    // Up to a character that nothing before it alters.
    size_t end = length_of(to.next());
    while (end < rest.size()) {
      const Utf8Char c = decode_utf8(rest.substr(end, 4));
      if (c.length <= 0 || !joins_to_previous(c.code_point)) break;
      end += length_of(c);
    }
    if (end == 1) {
      to.keep(1);
      continue;
    }
    const std::string_view part = rest.substr(0, end);
    const std::string made = normalized(part, form);
    made == part ? to.keep(end) : to.replace(end, made);
  }
  to.finish();
}

template <class Dropped>
void drop(AlignedText& text, const Dropped& dropped) {
  Rewriting to(text);
  while (!to.ended()) {
    const Utf8Char c = to.next();
    dropped(c.code_point) ? to.replace(length_of(c), "") : to.keep(length_of(c));
  }
  to.finish();
}

void to_lower(AlignedText& text) {
  Rewriting to(text);
  while (!to.ended()) {
    const Utf8Char c = to.next();
    const std::string low = lower_case(c.code_point);
    to.rest().starts_with(low) && low.size() == length_of(c) ? to.keep(low.size())
                                                             : to.replace(length_of(c), low);
  }
  to.finish();
}

/// Without characters of control; spaces of all kinds become one kind.
void clean(AlignedText& text) {
  drop(text, [](char32_t c) {
    const bool blank = c == '\t' || c == '\n' || c == '\r';
    return c == 0 || c == 0xfffd || (!blank && is_control(c));
  });
  Rewriting to(text);
  while (!to.ended()) {
    const Utf8Char c = to.next();
    is_space(c.code_point) && c.code_point != ' ' ? to.replace(length_of(c), " ") : to.keep(length_of(c));
  }
  to.finish();
}

void part_ideographs(AlignedText& text) {
  Rewriting to(text);
  while (!to.ended()) {
    const Utf8Char c = to.next();
    const bool apart = is_ideograph(c.code_point);
    if (apart) to.replace(0, " ");
    to.keep(length_of(c));
    if (apart) to.replace(0, " ");
  }
  to.finish();
}

void strip(AlignedText& text, bool left, bool right) {
  size_t begin = 0, end = text.text().size();
  const std::string_view all = text.text();
  while (left && begin < end) {
    const Utf8Char c = decode_utf8(all.substr(begin));
    if (c.length <= 0 || !is_space(c.code_point)) break;
    begin += length_of(c);
  }
  while (right && end > begin) {
    size_t from = end - 1;
    while (from > begin && (all[from] & 0xC0) == 0x80) --from;
    const Utf8Char c = decode_utf8(all.substr(from));
    if (c.length <= 0 || !is_space(c.code_point)) break;
    end = from;
  }
  if (begin > 0 || end < all.size()) text = text.part(begin, end);
}

/// SentencePiece's rules of machine translation.
void nmt(AlignedText& text) {
  drop(text, [](char32_t c) {
    return (c >= 1 && c <= 8) || c == 0xb || (c >= 0xe && c <= 0x1f) || c == 0x7f || c == 0x8f || c == 0x9f;
  });
  Rewriting to(text);
  while (!to.ended()) {
    const Utf8Char c = to.next();
    const char32_t p = c.code_point;
    const bool space = p == 9 || p == 0xa || p == 0xc || p == 0xd || p == 0x1680 ||
                       (p >= 0x200b && p <= 0x200f) || p == 0x2028 || p == 0x2029 || p == 0x2581 ||
                       p == 0xfeff || p == 0xfffd;
    space ? to.replace(length_of(c), " ") : to.keep(length_of(c));
  }
  to.finish();
}

/// As Hugging Face reads the table: of a short grapheme the first sequence that is in it, else by characters.
void map_characters(AlignedText& text, const CharacterMap& map) {
  constexpr size_t short_grapheme = 6;
  Rewriting to(text);
  while (!to.ended()) {
    const std::string_view grapheme = to.rest().substr(0, first_grapheme(to.rest()));
    if (grapheme.size() < short_grapheme)
      if (const auto found = map.shortest(grapheme)) {
        to.replace(grapheme.size(), found->by);
        continue;
      }
    for (size_t end = to.at() + grapheme.size(); to.at() < end;) {
      const size_t length = length_of(to.next());
      const auto found = map.shortest(to.rest().substr(0, length));
      found ? to.replace(length, found->by) : to.keep(length);
    }
  }
  to.finish();
}

TextStep replacing(StepReader& read) {
  const std::string by = read.text("content");
  if (read.has("pattern.Regex")) {
    const Regex regex(read.text("pattern.Regex"));
    return [=](AlignedText& text) {
      const auto all = regex.matches(text.text());
      Rewriting to(text);
      for (const auto [begin, end] : all) {
        to.keep(begin - to.at());
        to.replace(end - begin, by);
      }
      to.finish();
    };
  }
  const std::string what = read.text("pattern.String");
  if (what.empty()) read.refuse("replaces nothing");
  return [=](AlignedText& text) {
    Rewriting to(text);
    for (size_t found; (found = to.rest().find(what)) != std::string_view::npos;) {
      to.keep(found);
      to.replace(what.size(), by);
    }
    to.finish();
  };
}

TextStep bert(StepReader& read) {
  const bool cleans = read.flag("clean_text", true), parts = read.flag("handle_chinese_chars", true),
             low = read.flag("lowercase", true), strips = read.flag("strip_accents", low);
  return [=](AlignedText& text) {
    if (cleans) clean(text);
    if (parts) part_ideographs(text);
    if (strips) {
      normalize(text, NormalForm::nfd);
      drop(text, is_nonspacing_mark);
    }
    if (low) to_lower(text);
  };
}

TextStep made(const TokenizerStep& step, StepReader& read) {
  const std::string& type = step.type;
  const auto form = [](NormalForm f) { return [f](AlignedText& text) { normalize(text, f); }; };
  if (type == "NFC") return form(NormalForm::nfc);
  if (type == "NFD") return form(NormalForm::nfd);
  if (type == "NFKC") return form(NormalForm::nfkc);
  if (type == "NFKD") return form(NormalForm::nfkd);
  if (type == "Lowercase") return to_lower;
  if (type == "Nmt") return nmt;
  if (type == "StripAccents") return [](AlignedText& text) { drop(text, is_nonspacing_mark); };
  if (type == "BertNormalizer") return bert(read);
  if (type == "Replace") return replacing(read);
  if (type == "Strip") {
    const bool left = read.flag("strip_left", true), right = read.flag("strip_right", true);
    return [=](AlignedText& text) { strip(text, left, right); };
  }
  if (type == "Prepend") {
    const std::string what = read.text("prepend");
    return [=](AlignedText& text) {
      if (text.text().empty()) return;
      Rewriting to(text);
      to.replace(0, what);
      to.finish();
    };
  }
  if (type == "ByteLevel")
    return [](AlignedText& text) {
      Rewriting to(text);
      while (!to.ended()) to.replace(1, byte_level_character(static_cast<unsigned char>(to.rest()[0])));
      to.finish();
    };
  if (type == "Precompiled") {
    const auto map = std::make_shared<CharacterMap>(from_base64(read.text("precompiled_charsmap", "")));
    return [=](AlignedText& text) { map_characters(text, *map); };
  }
  fail<ValueError>("weft does not know the normalizer ", type);
}

}  // namespace

TextStep make_normalizer(const TokenizerStep& step) {
  StepReader read(step, "normalizer");
  TextStep all = made(step, read);
  read.finish();
  return all;
}

}  // namespace weft
