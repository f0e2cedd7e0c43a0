#include <weft/data/text/tokenizer.h>
#include <weft/data/text/utf8.h>

#include <algorithm>

namespace weft {
namespace {

constexpr size_t direct = 256;  // code points below it are looked up in a table

void check_id(int64_t id, int64_t vocab_size) {
  if (id < 0 || id >= vocab_size) fail<ValueError>("decode: id ", id, " is not in [0, ", vocab_size, ")");
}

}  // namespace

std::vector<int64_t> Tokenizer::encode(std::string_view text) const {
  std::vector<int64_t> ids;
  const size_t covered = append_ids(text, ids);
  if (covered == text.size()) return ids;
  if (decode_utf8(text.substr(covered)).length <= 0)
    fail<ValueError>("encode: not UTF-8 at byte ", covered, "; tokenizer=byte takes any bytes");
  const size_t position = characters_of(text.substr(0, covered)).size();
  fail<ValueError>("encode: ", describe_unknown(text, covered), " at position ", position,
                   " is not among the ", vocab_size(), " of the vocabulary");
}

std::string Tokenizer::describe_unknown(std::string_view text, size_t at) const {
  return str("character ", describe_character(decode_utf8(text.substr(at)).code_point));
}

std::string Tokenizer::decode(std::span<const int64_t> ids) const {
  std::string text;
  for (const int64_t id : ids) text += decode(id);
  return text;
}

Encoding Tokenizer::encode_with_spans(std::string_view text) const {
  Encoding all{encode(text), {}};
  size_t at = 0;
  for (const int64_t id : all.ids) {
    const std::string bytes = decode(id);
    if (text.substr(std::min(at, text.size()), bytes.size()) != bytes)
      fail<ValueError>("tokenizer ", kind(), ": token ", all.spans.size(),
                       " is not written as the text is; it cannot tell where its tokens come from");
    all.spans.push_back({at, at + bytes.size()});
    at += bytes.size();
  }
  return all;
}

std::vector<int64_t> Tokenizer::encode_special(std::string_view text, const AroundText& around) const {
  if (around.second) fail<ValueError>("tokenizer ", kind(), ": knows no pairs of texts");
  if (around.begin.value_or(false) || around.end.value_or(false))
    fail<ValueError>("tokenizer ", kind(), ": has no token that begins or ends a text");
  const std::map<std::string, int64_t> special = special_tokens();
  std::vector<int64_t> ids;
  size_t begin = 0, at = 0;
  const auto plain = [&](size_t end) {
    const std::vector<int64_t> more = encode(text.substr(begin, end - begin));
    ids.insert(ids.end(), more.begin(), more.end());
  };
  while (at < text.size()) {
    const auto* longest = static_cast<const std::pair<const std::string, int64_t>*>(nullptr);
    for (const auto& one : special)
      if (text.substr(at).starts_with(one.first) && (!longest || one.first.size() > longest->first.size()))
        longest = &one;
    if (!longest || longest->first.empty()) {
      ++at;
      continue;
    }
    plain(at);
    ids.push_back(longest->second);
    begin = at += longest->first.size();
  }
  plain(text.size());
  return ids;
}

std::shared_ptr<const Tokenizer> CharTokenizer::from_state(const StateDict& state) {
  const Array& stored = state.array("characters");
  if (stored.dtype() != int32 || stored.rank() != 1)
    fail<StateError>("tokenizer: characters must be int32 of one axis, not ", stored.dtype(), " ",
                     stored.shape());
  const std::span<const int32_t> values = stored.values<int32_t>();
  std::vector<char32_t> characters;
  for (const int32_t value : values) {
    const bool scalar = value >= 0 && value <= 0x10ffff && (value < 0xd800 || value >= 0xe000);
    if (!scalar) fail<StateError>("tokenizer: ", value, " is no code point");
    characters.push_back(static_cast<char32_t>(value));
  }
  const bool sorted =
      std::adjacent_find(values.begin(), values.end(), std::greater_equal<>()) == values.end();
  if (!sorted || values.empty())
    fail<StateError>("tokenizer: characters must be at least one, and in rising order");
  const int64_t unknown = state.integer("unknown");
  if (unknown != 0 && unknown != 1) fail<StateError>("tokenizer: unknown must be 0 or 1, not ", unknown);
  return std::make_shared<CharTokenizer>(std::move(characters),
                                         CharTokenizer::Options{.unknown = unknown == 1});
}

CharTokenizer::CharTokenizer(std::vector<char32_t> characters, Options options)
    : characters_(std::move(characters)), low_ids_(direct, -1), unknown_(options.unknown) {
  if (characters_.empty()) fail<ValueError>("CharTokenizer: the vocabulary is empty");
  std::sort(characters_.begin(), characters_.end());
  characters_.erase(std::unique(characters_.begin(), characters_.end()), characters_.end());
  for (const char32_t c : characters_) encode_utf8(c);  // throws when it is no character
  for (size_t id = 0; id < characters_.size() && characters_[id] < direct; ++id)
    low_ids_[characters_[id]] = static_cast<int32_t>(id);
}

CharTokenizer CharTokenizer::of(std::string_view text, Options options) {
  const std::u32string all = characters_of(text);
  return CharTokenizer({all.begin(), all.end()}, options);
}

int64_t CharTokenizer::vocab_size() const {
  return static_cast<int64_t>(characters_.size()) + (unknown_ ? 1 : 0);
}

int64_t CharTokenizer::id_of(char32_t character) const {
  if (character < direct) {
    const int32_t id = low_ids_[character];
    return id < 0 && unknown_ ? vocab_size() - 1 : id;
  }
  const auto place = std::lower_bound(characters_.begin(), characters_.end(), character);
  if (place != characters_.end() && *place == character) return place - characters_.begin();
  return unknown_ ? vocab_size() - 1 : -1;
}

size_t CharTokenizer::append_ids(std::string_view text, std::vector<int64_t>& ids) const {
  size_t at = 0;
  while (at < text.size()) {
    const Utf8Char c = decode_utf8(text.substr(at));
    const int64_t id = c.length > 0 ? id_of(c.code_point) : -1;
    if (id < 0) break;
    ids.push_back(id);
    at += static_cast<size_t>(c.length);
  }
  return at;
}

std::string CharTokenizer::decode(int64_t id) const {
  check_id(id, vocab_size());
  const auto place = static_cast<size_t>(id);
  return encode_utf8(place < characters_.size() ? characters_[place] : U'\uFFFD');
}

Encoding CharTokenizer::encode_with_spans(std::string_view text) const {
  Encoding all{encode(text), {}};
  size_t at = 0;
  for (size_t i = 0; i < all.ids.size(); ++i) {
    const size_t end = at + static_cast<size_t>(decode_utf8(text.substr(at)).length);
    all.spans.push_back({at, end});
    at = end;
  }
  return all;
}

StateDict CharTokenizer::state_dict() const {
  StateDict state;
  state.set("kind", kind());
  const std::vector<int32_t> values(characters_.begin(), characters_.end());
  state.set("characters", Array::from(values, {static_cast<int64_t>(values.size())}));
  state.set("unknown", unknown_ ? 1 : 0);
  return state;
}

size_t ByteTokenizer::append_ids(std::string_view text, std::vector<int64_t>& ids) const {
  for (const char byte : text) ids.push_back(static_cast<uint8_t>(byte));
  return text.size();
}

int64_t ByteTokenizer::count_characters(std::span<const int64_t> ids) const {
  // All bytes but 10xxxxxx, which go on with a character.
  return std::ranges::count_if(ids, [](int64_t byte) { return (byte & 0xC0) != 0x80; });
}

std::string ByteTokenizer::decode(int64_t id) const {
  check_id(id, vocab_size());
  return std::string(1, static_cast<char>(static_cast<uint8_t>(id)));
}

StateDict ByteTokenizer::state_dict() const {
  StateDict state;
  state.set("kind", kind());
  return state;
}

}  // namespace weft
