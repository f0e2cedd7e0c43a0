#include <weft/data/text/bpe_tokenizer.h>
#include <weft/data/text/token_state.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <set>
#include <utility>

namespace weft {
namespace {

/// What words became lately: one entry a place, so that looking one up costs one line of memory. Words and results that
/// do not fit are not kept.
class WordCache {
 public:
  static constexpr size_t places = 1 << 14;

  struct Entry {
    uint64_t owner = 0;
    uint8_t bytes = 0, count = 0;
    char word[22] = {};
    int32_t ids[8] = {};
  };

  Entry* place_of(std::string_view word) {
    if (word.size() > sizeof Entry::word) return nullptr;
    uint64_t hash = 0xcbf29ce484222325;
    size_t at = 0;
    for (; at + 8 <= word.size(); at += 8) {
      uint64_t part;
      std::memcpy(&part, word.data() + at, 8);
      hash = (hash ^ part) * 0x9e3779b97f4a7c15;
      hash ^= hash >> 29;
    }
    uint64_t rest = word.size();
    for (; at < word.size(); ++at) rest = rest << 8 | static_cast<uint8_t>(word[at]);
    hash = (hash ^ rest) * 0x9e3779b97f4a7c15;
    return &entries_[(hash ^ hash >> 32) % places];
  }

 private:
  std::vector<Entry> entries_ = std::vector<Entry>(places);
};

uint64_t next_number() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

}  // namespace

BpeTokenizer::BpeTokenizer(Parts parts)
    : parts_(std::move(parts)), merges_(parts_.merges), number_(next_number()) {
  const auto size = static_cast<int64_t>(parts_.tokens.size());
  for (size_t rank = 0; rank < parts_.merges.size(); ++rank) {
    const auto [left, right, result] = parts_.merges[rank];
    if (std::max({left, right, result}) >= size)
      fail<ValueError>("BPE: merge ", rank, " names the token ", std::max({left, right, result}), " of ",
                       size);
    const auto text = [&](int32_t id) -> const std::string& {
      return parts_.tokens[static_cast<size_t>(id)];
    };
    if (text(left) + text(right) != text(result))
      fail<ValueError>("BPE: merge ", rank, " of the tokens ", left, " and ", right,
                       " does not make the token ", result);
  }
  byte_ids_.fill(-1);
  std::set<int64_t> special;
  for (const auto& [name, id] : parts_.special) {
    if (id < 0 || id >= size) fail<ValueError>("BPE: the special token '", name, "' is ", id, ", of ", size);
    if (parts_.tokens[static_cast<size_t>(id)] != name)
      fail<ValueError>("BPE: the special token '", name, "' has the id of '",
                       parts_.tokens[static_cast<size_t>(id)], "'");
    special.insert(id);
  }
  for (int64_t id = 0; id < size; ++id) {
    if (special.contains(id)) continue;
    const std::string& bytes = parts_.tokens[static_cast<size_t>(id)];
    if (!whole_.emplace(bytes, static_cast<int32_t>(id)).second)
      fail<ValueError>("BPE: the tokens ", whole_.at(bytes), " and ", id, " have the same bytes");
    if (bytes.size() == 1) byte_ids_[static_cast<uint8_t>(bytes[0])] = static_cast<int32_t>(id);
  }
  for (size_t byte = 0; byte < byte_ids_.size(); ++byte)
    if (byte_ids_[byte] < 0) fail<ValueError>("BPE: the byte ", byte, " has no token of its own");
  if (!parts_.ignore_merges) whole_.clear();
}

void BpeTokenizer::append_word(std::string_view word, std::vector<int64_t>& ids) const {
  if (parts_.ignore_merges)
    if (const auto found = whole_.find(word); found != whole_.end()) {
      ids.push_back(found->second);
      return;
    }
  thread_local std::vector<int32_t> tokens;
  tokens.clear();
  for (const char byte : word) tokens.push_back(byte_ids_[static_cast<uint8_t>(byte)]);
  merges_.apply(tokens);
  ids.insert(ids.end(), tokens.begin(), tokens.end());
}

size_t BpeTokenizer::append_ids(std::string_view text, std::vector<int64_t>& ids) const {
  thread_local WordCache cache;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view word = rest.substr(0, first_word(parts_.pattern, rest));
    rest.remove_prefix(word.size());
    WordCache::Entry* const entry = cache.place_of(word);
    if (entry && entry->owner == number_ && entry->bytes == word.size() &&
        std::memcmp(entry->word, word.data(), word.size()) == 0) {
      ids.insert(ids.end(), entry->ids, entry->ids + entry->count);
      continue;
    }
    const size_t before = ids.size();
    append_word(word, ids);
    const size_t count = ids.size() - before;
    if (!entry || count > std::size(entry->ids)) continue;
    entry->owner = number_;
    entry->bytes = static_cast<uint8_t>(word.size());
    entry->count = static_cast<uint8_t>(count);
    std::memcpy(entry->word, word.data(), word.size());
    for (size_t i = 0; i < count; ++i) entry->ids[i] = static_cast<int32_t>(ids[before + i]);
  }
  return text.size();
}

std::string BpeTokenizer::decode(int64_t id) const {
  if (id < 0 || id >= vocab_size()) fail<ValueError>("decode: id ", id, " is not in [0, ", vocab_size(), ")");
  return parts_.tokens[static_cast<size_t>(id)];
}

int64_t BpeTokenizer::count_characters(std::span<const int64_t> ids) const {
  int64_t characters = 0;
  for (const int64_t id : ids)
    characters += std::ranges::count_if(decode(id), [](char byte) { return (byte & 0xC0) != 0x80; });
  return characters;
}

StateDict BpeTokenizer::state_dict() const {
  StateDict state;
  std::vector<int32_t> merges;
  for (const BpeMerge& m : parts_.merges) merges.insert(merges.end(), {m.left, m.right, m.result});
  state.set("kind", kind());
  state.set("pattern", name_of(parts_.pattern));
  state.set("ignore_merges", parts_.ignore_merges ? 1 : 0);
  set_tokens(state, parts_.tokens);
  state.set("merges", Array::from(merges, {static_cast<int64_t>(parts_.merges.size()), 3}));
  std::vector<int32_t> special;
  for (const auto& [name, id] : parts_.special) special.push_back(static_cast<int32_t>(id));
  state.set("special", Array::from(special, {static_cast<int64_t>(special.size())}));
  return state;
}

std::shared_ptr<const Tokenizer> BpeTokenizer::from_state(const StateDict& state) {
  Parts parts{.pattern = word_pattern_from(state.text("pattern")), .tokens = tokens_of(state), .merges = {}};
  parts.ignore_merges = state.integer("ignore_merges") != 0;
  const auto merges = whole_numbers(state, "merges");
  if (merges.size() % 3 != 0)
    fail<StateError>("tokenizer: ", merges.size(), " numbers of merges, not three for each");
  for (size_t i = 0; i < merges.size(); i += 3)
    parts.merges.push_back({merges[i], merges[i + 1], merges[i + 2]});
  for (const int32_t id : whole_numbers(state, "special")) {
    if (id < 0 || static_cast<size_t>(id) >= parts.tokens.size())
      fail<StateError>("tokenizer: a special token is ", id, ", of ", parts.tokens.size());
    parts.special[parts.tokens[static_cast<size_t>(id)]] = id;
  }
  try {
    return std::make_shared<BpeTokenizer>(std::move(parts));
  } catch (const ValueError& error) {
    fail<StateError>("tokenizer: ", error.what());
  }
}

}  // namespace weft
