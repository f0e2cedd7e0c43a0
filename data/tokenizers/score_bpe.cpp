#include <weft/data/text/utf8.h>
#include <weft/data/tokenizers/score_bpe.h>
#include <weft/data/tokenizers/space_mark_internal.h>

#include <functional>
#include <map>
#include <queue>
#include <string>

namespace weft {
namespace {

/// Where the next word begins: at a mark behind something else. The size of the text for none.
size_t next_word(std::string_view text) {
  for (size_t at = text.find(space_mark, 1); at != std::string_view::npos;
       at = text.find(space_mark, at + space_mark.size()))
    if (!text.substr(0, at).ends_with(space_mark)) return at;
  return text.size();
}

}  // namespace

ScoreBpe::ScoreBpe(const std::vector<Piece>& pieces) {
  for (const Piece& piece : pieces) {
    if (piece.text.empty()) continue;
    trie_.add(piece.text, piece.id);
    crosses_ = crosses_ || next_word(piece.text) < piece.text.size();
    if (piece.whole) whole_.add(piece.text, piece.id);
    const auto place = static_cast<size_t>(piece.id);
    if (place >= found_.size()) found_.resize(place + 1);
    found_[place] = {piece.score, piece.unused};
  }
}

std::vector<ScoreBpe::Symbol> ScoreBpe::symbols_of(std::string_view text) const {
  std::vector<Symbol> symbols;
  for (size_t at = 0; at < text.size();) {
    size_t length = whole_.longest(text.substr(at)).length;
    const bool whole = length > 0;
    if (!whole) {
      const Utf8Char c = decode_utf8(text.substr(at, 4));
      length = c.length > 0 ? static_cast<size_t>(c.length) : 1;
    }
    const auto number = static_cast<int32_t>(symbols.size());
    symbols.push_back({at, at + length, number - 1, number + 1, whole});
    at += length;
  }
  if (!symbols.empty()) symbols.back().next = -1;
  return symbols;
}

// Where no piece crosses the beginning of a word, words are independent of each other, and short.
void ScoreBpe::append(std::string_view text, std::vector<PlacedToken>& to) const {
  for (size_t at = 0; at < text.size();) {
    const size_t length = crosses_ ? text.size() - at : next_word(text.substr(at));
    append_part(text.substr(at, length), at, to);
    at += length;
  }
}

void ScoreBpe::append_part(std::string_view text, size_t first, std::vector<PlacedToken>& to) const {
  struct Candidate {
    float score;
    int32_t left, right;
    size_t size;
    /// Whether it comes later.
    bool operator<(const Candidate& other) const {
      return score != other.score ? score < other.score : left > other.left;
    }
  };
  std::vector<Symbol> symbols = symbols_of(text);
  const auto symbol = [&](int32_t number) -> Symbol& { return symbols[static_cast<size_t>(number)]; };
  std::priority_queue<Candidate> queue;
  // A piece that is not used is made of two others, which come again in its place.
  std::map<std::string, size_t, std::less<>> cuts;
  const auto offer = [&](int32_t left, int32_t right) {
    if (left < 0 || right < 0 || symbol(left).whole || symbol(right).whole) return;
    const std::string_view both = text.substr(symbol(left).begin, symbol(right).end - symbol(left).begin);
    const int32_t id = trie_.find(both);
    if (id < 0) return;
    const Found& found = found_[static_cast<size_t>(id)];
    queue.push({found.score, left, right, both.size()});
    if (found.unused) cuts[std::string(both)] = symbol(left).end - symbol(left).begin;
  };
  for (size_t i = 1; i < symbols.size(); ++i) offer(static_cast<int32_t>(i) - 1, static_cast<int32_t>(i));
  while (!queue.empty()) {
    const Candidate top = queue.top();
    queue.pop();
    Symbol &left = symbol(top.left), &right = symbol(top.right);
    if (left.begin == left.end || right.begin == right.end || right.end - left.begin != top.size ||
        left.next != top.right)
      continue;
    left.end = right.end;
    left.next = right.next;
    if (right.next >= 0) symbol(right.next).before = top.left;
    right.end = right.begin;
    offer(left.before, top.left);
    offer(top.left, left.next);
  }
  const std::function<void(size_t, size_t)> put = [&](size_t begin, size_t end) {
    const std::string_view piece = text.substr(begin, end - begin);
    const int32_t id = trie_.find(piece);
    if (id >= 0 && found_[static_cast<size_t>(id)].unused)
      if (const auto cut = cuts.find(piece); cut != cuts.end()) {
        put(begin, begin + cut->second);
        put(begin + cut->second, end);
        return;
      }
    to.push_back({id, first + begin, first + end});
  };
  for (int32_t i = symbols.empty() ? -1 : 0; i >= 0; i = symbol(i).next) put(symbol(i).begin, symbol(i).end);
}

}  // namespace weft
