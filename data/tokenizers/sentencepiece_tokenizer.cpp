#include <weft/data/text/token_state.h>
#include <weft/data/text/utf8.h>
#include <weft/data/tokenizers/decoders.h>
#include <weft/data/tokenizers/sentencepiece_tokenizer.h>
#include <weft/data/tokenizers/space_mark_internal.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

namespace weft {
namespace {

/// A long text is cut where words begin: it takes memory by its length, and sums of many scores lose their last digits.
size_t unigram_part(std::string_view text) {
  constexpr size_t most = 1 << 16;
  if (text.size() <= most) return text.size();
  for (size_t at = text.find(space_mark, most); at != std::string_view::npos;
       at = text.find(space_mark, at + 1))
    if (!text.substr(0, at).ends_with(space_mark)) return at;
  return text.size();
}

}  // namespace

SentencePieceTokenizer::SentencePieceTokenizer(std::string model, Options options)
    : bytes_(std::move(model)), options_(options), model_(parse_sentencepiece(bytes_)) {
  using Algorithm = SentencePieceModel::Algorithm;
  if (model_.pieces.empty()) fail<ValueError>("is no model of SentencePiece: it has no pieces");
  if (model_.algorithm != Algorithm::unigram && model_.algorithm != Algorithm::bpe)
    fail<ValueError>("is a model of ", model_.algorithm == Algorithm::word ? "words" : "characters",
                     "; weft knows unigram and BPE models");
  if (model_.whitespace_as_suffix)
    fail<ValueError>("has spaces as suffixes (treat_whitespace_as_suffix), which weft does not know");
  if (model_.denormalizes) fail<ValueError>("has a denormalizer, which weft does not know");
  map_ = CharacterMap(model_.character_map);
  byte_ids_.fill(-1);
  std::set<std::string_view> texts;
  std::vector<std::string> tokens;
  std::vector<double> scores;
  std::vector<Unigram::Use> use;
  std::vector<ScoreBpe::Piece> pieces;
  for (size_t id = 0; id < model_.pieces.size(); ++id) {
    const auto& [text, score, kind] = model_.pieces[id];
    const auto number = static_cast<int64_t>(id);
    if (text.empty()) fail<ValueError>("piece ", id, " is empty");
    if (!texts.insert(text).second) fail<ValueError>("piece ", id, ", '", text, "', comes twice");
    if (!std::isfinite(score)) fail<ValueError>("piece ", id, ", '", text, "', has the score ", score);
    const bool normal = kind == Kind::normal, user = kind == Kind::user_defined,
               unused = kind == Kind::unused;
    tokens.push_back(text);
    scores.push_back(score);
    use.push_back(normal ? Unigram::Use::normal : user ? Unigram::Use::always : Unigram::Use::no);
    if (normal || user || unused) pieces.push_back({text, static_cast<int32_t>(id), score, unused, user});
    if (user) user_defined_.add(text, static_cast<int32_t>(id));
    if (kind == Kind::unknown) {
      if (unknown_ >= 0) fail<ValueError>("has two unknown pieces, ", unknown_, " and ", id);
      unknown_ = number;
    }
    if (kind != Kind::byte) continue;
    const int byte = byte_of_token(text);
    if (byte < 0) fail<ValueError>("piece ", id, ", '", text, "', is no byte");
    byte_ids_[static_cast<size_t>(byte)] = number;
  }
  if (unknown_ < 0) fail<ValueError>("has no unknown piece");
  if (model_.byte_fallback && std::ranges::count(byte_ids_, -1) > 0)
    fail<ValueError>("falls back on bytes, but not all 256 are among its pieces");
  if (model_.algorithm == Algorithm::unigram)
    unigram_.emplace(tokens, std::move(scores), Unigram::Options{.float_sums = true, .use = std::move(use)});
  else
    bpe_.emplace(pieces);
}

AlignedText SentencePieceTokenizer::normalized(std::string_view text, bool aligned) const {
  AlignedText made(text, 0, aligned);
  const std::string_view space = model_.escape_spaces ? space_mark : " ";
  Rewriting to(made);
  // The next characters, and what becomes of them.
  const auto prefix = [&]() -> CharacterMap::Found {
    const std::string_view rest = to.rest();
    if (const auto user = user_defined_.longest(rest); user.length > 0)
      return {user.length, rest.substr(0, user.length)};
    if (const auto mapped = map_.longest(rest)) return *mapped;
    const auto length = static_cast<size_t>(to.next().length);
    return {length, rest.substr(0, length)};
  };
  if (model_.remove_extra_spaces)
    while (!to.ended()) {
      const auto [length, by] = prefix();
      if (by != " ") break;
      to.replace(length, "");
    }
  if (to.ended()) {
    to.finish();
    return made;
  }
  if (model_.dummy_prefix) to.replace(0, space);
  bool was_space = model_.remove_extra_spaces;
  while (!to.ended()) {
    auto [length, by] = prefix();
    while (was_space && by.starts_with(' ')) by.remove_prefix(1);
    std::string put;
    for (const char byte : by) byte == ' ' ? put += space : put += byte;
    if (!by.empty()) was_space = by.ends_with(' ');
    put == to.rest().substr(0, length) && length == put.size() ? to.keep(length) : to.replace(length, put);
    if (!model_.remove_extra_spaces) was_space = false;
  }
  to.finish();
  if (model_.remove_extra_spaces) {
    std::string_view all = made.text();
    while (all.ends_with(space)) all.remove_suffix(space.size());
    if (all.size() < made.text().size()) made = made.part(0, all.size());
  }
  return made;
}

Encoding SentencePieceTokenizer::run(std::string_view text, bool aligned) const {
  Encoding all;
  const AlignedText made = normalized(text, aligned);
  std::vector<PlacedToken> tokens;
  if (bpe_) bpe_->append(made.text(), tokens);
  for (size_t at = 0; unigram_ && at < made.text().size();) {
    const size_t length = unigram_part(std::string_view(made.text()).substr(at)), before = tokens.size();
    unigram_->append(std::string_view(made.text()).substr(at, length), tokens);
    for (size_t i = before; i < tokens.size(); ++i) {
      tokens[i].begin += at;
      tokens[i].end += at;
    }
    at += length;
  }
  const auto put = [&](int64_t id, size_t begin, size_t end) {
    all.ids.push_back(id);
    if (aligned) all.spans.push_back(made.origin(begin, end));
  };
  for (size_t i = 0; i < tokens.size(); ++i) {
    auto [id, begin, end] = tokens[i];
    if (id >= 0) {
      put(id, begin, end);
    } else if (model_.byte_fallback) {
      for (size_t at = begin; at < end; ++at)
        put(byte_ids_[static_cast<uint8_t>(made.text()[at])], at, at + 1);
    } else {
      while (i + 1 < tokens.size() && tokens[i + 1].id < 0) end = tokens[++i].end;
      put(unknown_, begin, end);
    }
  }
  return all;
}

size_t SentencePieceTokenizer::append_ids(std::string_view text, std::vector<int64_t>& ids) const {
  size_t valid = 0;
  while (valid < text.size()) {
    const Utf8Char c = decode_utf8(text.substr(valid, 4));
    if (c.length <= 0) break;
    valid += static_cast<size_t>(c.length);
  }
  const Encoding found = run(text.substr(0, valid), false);
  ids.insert(ids.end(), found.ids.begin(), found.ids.end());
  return valid;
}

Encoding SentencePieceTokenizer::encode_with_spans(std::string_view text) const {
  encode(text);  // throws for what is not UTF-8
  return run(text, true);
}

int64_t SentencePieceTokenizer::control(const std::string& piece) const {
  for (size_t id = 0; id < model_.pieces.size(); ++id)
    if (model_.pieces[id].kind == Kind::control && model_.pieces[id].text == piece)
      return static_cast<int64_t>(id);
  return -1;
}

std::vector<int64_t> SentencePieceTokenizer::encode_special(std::string_view text,
                                                            const AroundText& around) const {
  if (around.second) fail<ValueError>("tokenizer ", kind(), ": knows no pairs of texts");
  const int64_t begin = control(model_.begin_piece), end = control(model_.end_piece);
  const bool begins = around.begin.value_or(options_.add_begin.value_or(begin >= 0));
  const bool ends = around.end.value_or(options_.add_end.value_or(begin < 0 && end >= 0));
  if ((begins && begin < 0) || (ends && end < 0))
    fail<ValueError>("tokenizer ", kind(), ": has no token that ", begins && begin < 0 ? "begins" : "ends",
                     " a text");
  std::vector<int64_t> ids;
  if (begins) ids.push_back(begin);
  append_ids(text, ids);
  if (ends) ids.push_back(end);
  encode(text);  // throws for what is not UTF-8
  return ids;
}

std::string SentencePieceTokenizer::written(int64_t id) const {
  if (id < 0 || id >= vocab_size()) fail<ValueError>("decode: id ", id, " is not in [0, ", vocab_size(), ")");
  const auto& [text, score, kind] = model_.pieces[static_cast<size_t>(id)];
  if (kind == Kind::control) return {};
  if (kind == Kind::unknown) return model_.unknown_surface;
  if (kind == Kind::byte) return std::string(1, static_cast<char>(byte_of_token(text)));
  return text;
}

std::string SentencePieceTokenizer::decode(int64_t id) const {
  std::string text = written(id);
  if (model_.pieces[static_cast<size_t>(id)].kind == Kind::byte) return text;
  for (size_t at = text.find(space_mark); at != std::string::npos; at = text.find(space_mark, at + 1))
    text.replace(at, space_mark.size(), " ");
  return text;
}

bool SentencePieceTokenizer::leaves_beginning(int64_t id) const {
  const std::string piece = written(id);
  return piece.empty() || (piece == space_mark && model_.remove_extra_spaces);
}

std::string SentencePieceTokenizer::decode(std::span<const int64_t> ids) const {
  std::string text;
  bool begins = model_.dummy_prefix || model_.remove_extra_spaces;
  for (const int64_t id : ids) {
    const std::string piece = decode(id);
    const bool drops = begins && written(id).starts_with(space_mark);
    text.append(piece, drops ? 1 : 0);
    begins = begins && leaves_beginning(id);
  }
  return text;
}

int64_t SentencePieceTokenizer::count_characters(std::span<const int64_t> ids) const {
  int64_t characters = 0;
  for (const int64_t id : ids)
    characters += std::ranges::count_if(decode(id), [](char byte) { return (byte & 0xC0) != 0x80; });
  return characters;
}

std::map<std::string, int64_t> SentencePieceTokenizer::special_tokens() const {
  std::map<std::string, int64_t> all;
  for (size_t id = 0; id < model_.pieces.size(); ++id)
    if (const auto& piece = model_.pieces[id]; piece.kind == Kind::control || piece.kind == Kind::unknown)
      all[piece.text] = static_cast<int64_t>(id);
  return all;
}

// Four bytes a number, and how many of the last count.
StateDict SentencePieceTokenizer::state_dict() const {
  StateDict state;
  std::vector<int32_t> numbers((bytes_.size() + 3) / 4);
  std::memcpy(numbers.data(), bytes_.data(), bytes_.size());
  state.set("kind", kind());
  state.set("model", Array::from(numbers, {static_cast<int64_t>(numbers.size())}));
  state.set("bytes", static_cast<int64_t>(bytes_.size()));
  if (options_.add_begin) state.set("add_begin", *options_.add_begin ? 1 : 0);
  if (options_.add_end) state.set("add_end", *options_.add_end ? 1 : 0);
  return state;
}

std::shared_ptr<const Tokenizer> SentencePieceTokenizer::from_state(const StateDict& state) {
  const auto numbers = whole_numbers(state, "model");
  const int64_t size = state.integer("bytes");
  if (size < 0 || (static_cast<uint64_t>(size) + 3) / 4 != numbers.size())
    fail<StateError>("tokenizer: ", numbers.size(), " numbers do not hold ", size, " bytes");
  std::string bytes(static_cast<size_t>(size), '\0');
  std::memcpy(bytes.data(), numbers.data(), bytes.size());
  Options options;
  if (state.contains("add_begin")) options.add_begin = state.integer("add_begin") != 0;
  if (state.contains("add_end")) options.add_end = state.integer("add_end") != 0;
  try {
    return std::make_shared<SentencePieceTokenizer>(std::move(bytes), options);
  } catch (const ValueError& error) {
    fail<StateError>("tokenizer: the model of SentencePiece ", error.what());
  }
}

}  // namespace weft
