#include <weft/data/text/utf8.h>
#include <weft/data/tokenizers/decoders.h>
#include <weft/data/tokenizers/token_model.h>
#include <weft/data/tokenizers/token_trie.h>
#include <weft/data/tokenizers/unigram.h>

#include <algorithm>
#include <array>
#include <set>
#include <unordered_map>

namespace weft {
namespace {

using Ids = std::unordered_map<std::string, int32_t>;

size_t character_at(std::string_view text, size_t at) {
  const Utf8Char c = decode_utf8(text.substr(at, 4));
  return c.length > 0 ? static_cast<size_t>(c.length) : 1;
}

/// Ids by token, of those that a word may become.
Ids ids_of(const TokenModelParts& parts, const std::vector<int64_t>& hidden) {
  Ids ids;
  const std::set<int64_t> not_these(hidden.begin(), hidden.end());
  for (size_t id = 0; id < parts.tokens.size(); ++id)
    if (!not_these.contains(static_cast<int64_t>(id)))
      if (const auto [at, fresh] = ids.emplace(parts.tokens[id], static_cast<int32_t>(id)); !fresh)
        fail<ValueError>("the tokens ", at->second, " and ", id, " are both '", parts.tokens[id], "'");
  return ids;
}

/// -1 for a name that is empty.
int32_t unknown_in(StepReader& read, const TokenModelParts& parts) {
  const std::string name = read.text("unk_token", "");
  if (name.empty()) return -1;
  const auto found = std::ranges::find(parts.tokens, name);
  if (found == parts.tokens.end()) read.refuse("the unk_token '", name, "' is not in the vocabulary");
  return static_cast<int32_t>(found - parts.tokens.begin());
}

using Bytes = std::array<int32_t, 256>;

/// The ids of <0x00> to <0xFF>, all -1 unless all are there.
Bytes byte_ids(const std::vector<std::string>& tokens) {
  Bytes ids;
  ids.fill(-1);
  size_t known = 0;
  for (size_t id = 0; id < tokens.size(); ++id)
    if (const int byte = byte_of_token(tokens[id]); byte >= 0 && ids[static_cast<size_t>(byte)] < 0) {
      ids[static_cast<size_t>(byte)] = static_cast<int32_t>(id);
      ++known;
    }
  if (known < ids.size()) ids.fill(-1);
  return ids;
}

class Bpe : public TokenModel {
 public:
  Bpe(const TokenModelParts& parts, const std::vector<int64_t>& hidden, StepReader& read)
      : ids_(ids_of(parts, hidden)),
        merges_(parts.merges),
        unknown_(unknown_in(read, parts)),
        fuses_(read.flag("fuse_unk", false)),
        falls_back_(read.flag("byte_fallback", false)),
        ignores_merges_(read.flag("ignore_merges", false)),
        prefix_(read.text("continuing_subword_prefix", "")),
        suffix_(read.text("end_of_word_suffix", "")),
        symbols_(parts.tokens.size(), 1) {
    if (falls_back_) bytes_ = byte_ids(parts.tokens);
    for (size_t id = 0; id < symbols_.size(); ++id)
      if (static_cast<int32_t>(id) != unknown_ && (!falls_back_ || byte_of_token(parts.tokens[id]) < 0))
        symbols_[id] = symbols_in(parts.tokens[id]);
    const auto size = static_cast<int64_t>(parts.tokens.size());
    for (size_t rank = 0; rank < parts.merges.size(); ++rank) {
      const auto [left, right, result] = parts.merges[rank];
      if (std::max({left, right, result}) >= size)
        read.refuse("merge ", rank, " names the token ", std::max({left, right, result}), " of ", size);
    }
  }

  void append(std::string_view word, std::vector<PlacedToken>& to) const override {
    if (ignores_merges_)
      if (const auto found = ids_.find(std::string(word)); found != ids_.end()) {
        to.push_back({found->second, 0, word.size()});
        return;
      }
    std::vector<int32_t> tokens;
    std::vector<size_t> ends;
    bool was_unknown = false;
    for (size_t at = 0; at < word.size();) {
      const size_t end = at + character_at(word, at);
      const bool unknown = !append_symbol(word, at, end, was_unknown, tokens, ends);
      was_unknown = unknown;
      at = end;
    }
    // A token that is missing must not be looked for among merges.
    for (size_t begin = 0; begin < tokens.size();) {
      size_t end = begin;
      while (end < tokens.size() && tokens[end] >= 0) ++end;
      append_merged({tokens.begin() + static_cast<std::ptrdiff_t>(begin),
                     tokens.begin() + static_cast<std::ptrdiff_t>(end)},
                    begin, ends, to);
      if (end < tokens.size()) to.push_back({-1, end == 0 ? 0 : ends[end - 1], ends[end]});
      begin = end + 1;
    }
  }

 private:
  size_t symbols_in(std::string_view token) const {
    if (!prefix_.empty() && token.starts_with(prefix_)) token.remove_prefix(prefix_.size());
    if (!suffix_.empty() && token.ends_with(suffix_)) token.remove_suffix(suffix_.size());
    size_t count = 0;
    for (size_t at = 0; at < token.size(); at += character_at(token, at)) ++count;
    return std::max<size_t>(count, 1);
  }

  /// False for a character that is not known.
  bool append_symbol(std::string_view word, size_t at, size_t end, bool was_unknown,
                     std::vector<int32_t>& tokens, std::vector<size_t>& ends) const {
    std::string symbol(word.substr(at, end - at));
    if (at > 0) symbol.insert(0, prefix_);
    if (end == word.size()) symbol += suffix_;
    if (const auto found = ids_.find(symbol); found != ids_.end()) {
      tokens.push_back(found->second);
      ends.push_back(end);
      return true;
    }
    if (falls_back_ && bytes_[0] >= 0) {
      for (size_t i = at; i < end; ++i) {
        tokens.push_back(bytes_[static_cast<uint8_t>(word[i])]);
        ends.push_back(i + 1);
      }
      return true;
    }
    if (unknown_ >= 0 && fuses_ && was_unknown) {
      ends.back() = end;
      return false;
    }
    tokens.push_back(unknown_);
    ends.push_back(end);
    return false;
  }

  void append_merged(std::vector<int32_t> tokens, size_t first, const std::vector<size_t>& ends,
                     std::vector<PlacedToken>& to) const {
    merges_.apply(tokens);
    size_t symbol = first;
    for (const int32_t id : tokens) {
      const size_t begin = symbol == 0 ? 0 : ends[symbol - 1];
      symbol = std::min(symbol + symbols_[static_cast<size_t>(id)], ends.size());
      to.push_back({id, begin, ends[symbol - 1]});
    }
  }

  Ids ids_;
  BpeMerges merges_;
  int32_t unknown_;
  bool fuses_, falls_back_, ignores_merges_;
  std::string prefix_, suffix_;
  Bytes bytes_{};
  std::vector<size_t> symbols_;  ///< by id, of how many it is merged
};

class WordPiece : public TokenModel {
 public:
  WordPiece(const TokenModelParts& parts, const std::vector<int64_t>& hidden, StepReader& read)
      : unknown_(unknown_in(read, parts)),
        prefix_(read.text("continuing_subword_prefix", "##")),
        most_(read.number("max_input_chars_per_word", 100)) {
    if (unknown_ < 0) read.refuse("has no unk_token");
    for (const auto& [token, id] : ids_of(parts, hidden)) {
      first_.add(token, id);
      if (token.starts_with(prefix_)) further_.add(token.substr(prefix_.size()), id);
    }
  }

  void append(std::string_view word, std::vector<PlacedToken>& to) const override {
    int64_t characters = 0;
    for (size_t at = 0; at < word.size(); at += character_at(word, at)) ++characters;
    const size_t before = to.size();
    for (size_t at = 0; at < word.size();) {
      const auto [length, id] = (at == 0 ? first_ : further_).longest(word.substr(at));
      if (characters > most_ || length == 0) {
        to.resize(before);
        to.push_back({unknown_, 0, word.size()});
        return;
      }
      to.push_back({id, at, at + length});
      at += length;
    }
  }

 private:
  int32_t unknown_;
  std::string prefix_;
  int64_t most_;
  TokenTrie first_, further_;
};

class WordLevel : public TokenModel {
 public:
  WordLevel(const TokenModelParts& parts, const std::vector<int64_t>& hidden, StepReader& read)
      : ids_(ids_of(parts, hidden)), unknown_(unknown_in(read, parts)) {}

  void append(std::string_view word, std::vector<PlacedToken>& to) const override {
    const auto found = ids_.find(std::string(word));
    to.push_back({found != ids_.end() ? found->second : unknown_, 0, word.size()});
  }

 private:
  Ids ids_;
  int32_t unknown_;
};

class UnigramModel : public TokenModel {
 public:
  UnigramModel(const TokenModelParts& parts, const std::vector<int64_t>& hidden, StepReader& read)
      : unigram_(parts.tokens, parts.scores, {.use = use_of(parts, hidden)}),
        unknown_(static_cast<int32_t>(read.number("unk_id", -1))) {
    if (unknown_ >= static_cast<int64_t>(parts.tokens.size()))
      read.refuse("unk_id is ", unknown_, ", of ", parts.tokens.size());
    if (read.flag("byte_fallback", false))
      bytes_ = byte_ids(parts.tokens);
    else
      bytes_.fill(-1);
  }

  void append(std::string_view word, std::vector<PlacedToken>& to) const override {
    std::vector<PlacedToken> found;
    unigram_.append(word, found);
    for (size_t i = 0; i < found.size(); ++i) {
      PlacedToken token = found[i];
      if (token.id >= 0) {
        to.push_back(token);
        continue;
      }
      while (i + 1 < found.size() && found[i + 1].id < 0) token.end = found[++i].end;
      if (bytes_[0] < 0) {
        to.push_back({unknown_, token.begin, token.end});
        continue;
      }
      for (size_t at = token.begin; at < token.end; ++at)
        to.push_back({bytes_[static_cast<uint8_t>(word[at])], at, at + 1});
    }
  }

 private:
  static std::vector<Unigram::Use> use_of(const TokenModelParts& parts, const std::vector<int64_t>& hidden) {
    std::vector<Unigram::Use> use(parts.tokens.size(), Unigram::Use::normal);
    for (const int64_t id : hidden) use[static_cast<size_t>(id)] = Unigram::Use::no;
    return use;
  }

  Unigram unigram_;
  int32_t unknown_;
  Bytes bytes_{};
};

}  // namespace

std::unique_ptr<const TokenModel> make_token_model(const TokenModelParts& parts,
                                                   const std::vector<int64_t>& hidden) {
  StepReader read(parts.settings, "model");
  std::unique_ptr<const TokenModel> model;
  const std::string& type = parts.settings.type;
  if (type == "BPE") model = std::make_unique<Bpe>(parts, hidden, read);
  if (type == "WordPiece") model = std::make_unique<WordPiece>(parts, hidden, read);
  if (type == "WordLevel") model = std::make_unique<WordLevel>(parts, hidden, read);
  if (type == "Unigram") model = std::make_unique<UnigramModel>(parts, hidden, read);
  if (!model) fail<ValueError>("weft does not know the model ", type);
  read.finish();
  return model;
}

}  // namespace weft
