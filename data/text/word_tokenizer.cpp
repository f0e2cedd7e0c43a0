#include <weft/data/text/utf8.h>
#include <weft/data/text/word_tokenizer.h>

#include <algorithm>
#include <set>

namespace weft {
namespace {

constexpr std::string_view marks = ".,:;!?";

bool is_mark(char c) { return marks.find(c) != std::string_view::npos; }
bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }
// Bytes of characters beyond ASCII are letters.
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<uint8_t>(c) >= 0x80;
}

const std::vector<std::string>& special_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all = {"<pad>", "<s>", "</s>", "<unk>", "<mask>", "<cls>", "<sep>"};
    for (int64_t i = 0; i < WordTokenizer::sentinels; ++i) all.push_back(str("<extra_id_", i, ">"));
    return all;
  }();
  return names;
}

/// The special token that `text` begins with: its id, or -1.
int64_t special_at(std::string_view text) {
  if (!text.starts_with('<')) return -1;
  const auto found =
      std::ranges::find_if(special_names(), [&](const std::string& name) { return text.starts_with(name); });
  return found == special_names().end() ? -1 : found - special_names().begin();
}

/// Bytes of the piece that `text`, which begins with no space, begins with.
size_t piece_length(std::string_view text) {
  if (!is_letter(text[0])) return 1;
  return static_cast<size_t>(std::ranges::find_if_not(text, is_letter) - text.begin());
}

/// Calls each(begin, piece, special id or -1) for the pieces of the text, until it returns false.
template <class Each>
void each_piece(std::string_view text, Each each) {
  bool space = true;
  for (size_t at = 0; at < text.size();) {
    if (is_space(text[at])) {
      space = true;
      ++at;
      continue;
    }
    const std::string_view rest = text.substr(at);
    const int64_t special = special_at(rest);
    const size_t length =
        special >= 0 ? special_names()[static_cast<size_t>(special)].size() : piece_length(rest);
    const bool spaced = space && !is_mark(rest[0]);
    if (!each(at, (spaced ? " " : "") + std::string(rest.substr(0, length)), special)) return;
    space = false;
    at += length;
  }
}

/// Bytes of the text before the first that are not UTF-8.
size_t utf8_length(std::string_view text) {
  size_t at = 0;
  for (int length = 1; at < text.size() && length > 0; at += static_cast<size_t>(std::max(length, 0)))
    length = decode_utf8(text.substr(at)).length;
  return at;
}

void check_piece(const std::string& piece) {
  const bool spaced = piece.starts_with(' ');
  const std::string_view rest = std::string_view(piece).substr(spaced ? 1 : 0);
  const bool whole = !rest.empty() && !is_space(rest[0]) && piece_length(rest) == rest.size();
  if (!whole || (spaced && is_mark(rest[0])))
    fail<ValueError>("WordTokenizer: '", piece, "' is not one piece of text");
  characters_of(piece);  // throws when it is not UTF-8
}

}  // namespace

WordTokenizer::WordTokenizer(std::vector<std::string> pieces, Options options)
    : pieces_(std::move(pieces)), unknown_(options.unknown) {
  int64_t id = first_word;
  for (const std::string& piece : pieces_) {
    check_piece(piece);
    if (!ids_.emplace(piece, id++).second) fail<ValueError>("WordTokenizer: '", piece, "' comes twice");
  }
}

WordTokenizer WordTokenizer::of(std::string_view text, Options options) {
  characters_of(text);  // throws when it is not UTF-8
  std::set<std::string> pieces;
  each_piece(text, [&](size_t, const std::string& piece, int64_t special) {
    if (special < 0) pieces.insert(piece);
    return true;
  });
  return WordTokenizer({pieces.begin(), pieces.end()}, options);
}

size_t WordTokenizer::append_ids(std::string_view text, std::vector<int64_t>& ids) const {
  size_t covered = text.size();
  each_piece(text, [&](size_t at, const std::string& piece, int64_t special) {
    const std::string_view written = text.substr(at, piece_length(text.substr(at)));
    if (const size_t good = utf8_length(written); good < written.size()) return covered = at + good, false;
    const auto found = ids_.find(piece);
    if (special < 0 && found == ids_.end() && !unknown_) return covered = at, false;
    ids.push_back(special >= 0 ? special : found != ids_.end() ? found->second : unknown);
    return true;
  });
  return covered;
}

const std::string* WordTokenizer::first_unknown(const WordTokenizer& other) const {
  const auto found =
      std::ranges::find_if(other.pieces_, [&](const std::string& piece) { return !ids_.contains(piece); });
  return found == other.pieces_.end() ? nullptr : &*found;
}

std::string WordTokenizer::describe_unknown(std::string_view text, size_t at) const {
  return str("word '", text.substr(at, piece_length(text.substr(at))), "'");
}

std::string WordTokenizer::decode(int64_t id) const {
  if (id < 0 || id >= vocab_size()) fail<ValueError>("decode: id ", id, " is not in [0, ", vocab_size(), ")");
  return is_special(id) ? " " + special_names()[static_cast<size_t>(id)]
                        : pieces_[static_cast<size_t>(id - first_word)];
}

std::string WordTokenizer::decode(std::span<const int64_t> ids) const {
  std::string text = Tokenizer::decode(ids);
  if (text.starts_with(' ')) text.erase(0, 1);
  return text;
}

int64_t WordTokenizer::count_characters(std::span<const int64_t> ids) const {
  return static_cast<int64_t>(characters_of(decode(ids)).size());
}

std::map<std::string, int64_t> WordTokenizer::special_tokens() const {
  std::map<std::string, int64_t> all;
  for (int64_t id = 0; id < first_word; ++id) all.emplace(special_names()[static_cast<size_t>(id)], id);
  return all;
}

StateDict WordTokenizer::state_dict() const {
  StateDict state;
  state.set("kind", kind());
  std::string lines;
  for (const std::string& piece : pieces_) lines += piece + "\n";
  state.set("pieces", std::move(lines));
  state.set("sentinels", sentinels);
  state.set("unknown", unknown_ ? 1 : 0);
  return state;
}

std::shared_ptr<const WordTokenizer> WordTokenizer::from_state(const StateDict& state) {
  const std::string& lines = state.text("pieces");
  if (state.integer("sentinels") != sentinels)
    fail<StateError>("tokenizer: ", state.integer("sentinels"), " sentinels, not ", sentinels);
  const int64_t unknown_too = state.integer("unknown");
  if (unknown_too != 0 && unknown_too != 1)
    fail<StateError>("tokenizer: unknown must be 0 or 1, not ", unknown_too);
  std::vector<std::string> pieces;
  for (size_t at = 0; at < lines.size();) {
    const size_t close = lines.find('\n', at);
    if (close == std::string::npos) fail<StateError>("tokenizer: the last of the pieces does not end");
    pieces.push_back(lines.substr(at, close - at));
    at = close + 1;
  }
  try {
    return std::make_shared<WordTokenizer>(std::move(pieces), Options{.unknown = unknown_too == 1});
  } catch (const ValueError& error) {
    fail<StateError>("tokenizer: ", error.what());
  }
}

}  // namespace weft
