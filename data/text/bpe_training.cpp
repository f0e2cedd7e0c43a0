#include <weft/data/text/bpe_training.h>
#include <weft/data/text/byte_level.h>
#include <weft/lib/base/error.h>
#include <weft/lib/machine/parallel.h>

#include <algorithm>
#include <queue>
#include <utility>

namespace weft {
namespace {

constexpr int64_t bytes = 256;

/// The bytes in the order of their ids in GPT-2's vocabulary: that of the characters that it writes them with.
std::vector<std::string> byte_tokens() {
  std::vector<std::string> tokens;
  for (int byte = 0; byte < bytes; ++byte) tokens.emplace_back(1, static_cast<char>(byte));
  std::ranges::sort(tokens, {}, [](const std::string& token) {
    return byte_level_character(static_cast<unsigned char>(token[0]));
  });
  return tokens;
}

struct Word {
  std::vector<int32_t> tokens;
  int64_t count;
};

struct Pair {
  int64_t count = 0;
  std::vector<uint32_t> words;  ///< in which it was found, in rising order; it may be gone from some
};

struct Candidate {
  int64_t count;
  uint64_t pair;
  /// Whether it comes later.
  bool operator<(const Candidate& other) const {
    return count != other.count ? count < other.count : pair > other.pair;
  }
};

}  // namespace

BpeTraining::BpeTraining(BpeTrainingOptions options) : options_(std::move(options)) {
  const int64_t least = bytes + static_cast<int64_t>(options_.special.size());
  if (options_.vocab_size < least || options_.vocab_size > INT32_MAX)
    fail<ValueError>("BPE: vocab_size = ", options_.vocab_size, " is not between ", least, " (", bytes,
                     " bytes and ", options_.special.size(), " special tokens) and ", INT32_MAX);
  if (options_.min_frequency < 1)
    fail<ValueError>("BPE: min_frequency = ", options_.min_frequency, " is below 1");
}

/// In parts that end where words do, by all threads.
void BpeTraining::count(std::string_view text) {
  constexpr size_t part = 1 << 16;
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    // A cut that is safe within the part, else within more and more of the text.
    size_t cut = text.size();
    for (size_t within = part; within < text.size(); within *= 2)
      if (const size_t found = safe_cut(text.substr(0, within))) {
        cut = found;
        break;
      }
    parts.push_back(text.substr(0, cut));
    text.remove_prefix(cut);
  }
  using Views = std::unordered_map<std::string_view, int64_t>;
  std::vector<Views> found(static_cast<size_t>(num_threads()));
  parallel_for(static_cast<int64_t>(parts.size()), 1, [&](int64_t begin, int64_t end) {
    Views& mine = found[static_cast<size_t>(thread_index())];
    for (int64_t i = begin; i < end; ++i)
      for (std::string_view rest = parts[static_cast<size_t>(i)]; !rest.empty();) {
        const size_t length = first_word(options_.pattern, rest);
        ++mine[rest.substr(0, length)];
        rest.remove_prefix(length);
      }
  });
  for (const Views& views : found)
    for (const auto& [word, times] : views) {
      const auto [place, fresh] = counts_.try_emplace(std::string(word), 0);
      place->second += times;
      if (fresh) word_bytes_ += word.size();
    }
  forget_rare();
}

void BpeTraining::forget_rare() {
  constexpr size_t most_words = size_t{2} << 20, most_bytes = size_t{256} << 20;
  if (counts_.size() <= most_words && word_bytes_ <= most_bytes) return;
  for (int64_t times = 1; counts_.size() > most_words / 2 || word_bytes_ > most_bytes / 2; times *= 2)
    std::erase_if(counts_, [&](const auto& one) {
      if (one.second > times) return false;
      word_bytes_ -= one.first.size();
      return true;
    });
}

void BpeTraining::add(std::string_view piece) {
  // Windows end where the text says, and not the pieces: so it also says what is forgotten.
  constexpr size_t enough = size_t{4} << 20, most = size_t{64} << 20;
  rest_ += piece;
  size_t done = 0;
  while (rest_.size() - done >= seen_ + enough) {
    const std::string_view window = std::string_view(rest_).substr(done, seen_ + enough);
    // What was looked through is not looked through again, but for the character before.
    const size_t from = seen_ - std::min<size_t>(seen_, 4), found = safe_cut(window.substr(from));
    const size_t cut = found > 0 ? from + found : window.size() >= most ? window.size() : 0;
    count(window.substr(0, cut));
    done += cut;
    seen_ = cut > 0 ? 0 : window.size();
  }
  rest_.erase(0, done);
}

void BpeTraining::end_document() {
  count(rest_);
  rest_.clear();
  seen_ = 0;
}

BpeTokenizer BpeTraining::learn() {
  end_document();
  BpeTokenizer::Parts parts{.pattern = options_.pattern, .tokens = byte_tokens(), .merges = {}};
  int32_t byte_ids[bytes];
  for (int32_t id = 0; id < bytes; ++id)
    byte_ids[static_cast<uint8_t>(parts.tokens[static_cast<size_t>(id)][0])] = id;

  std::vector<Word> words;
  for (const auto& [text, count] : counts_) {
    if (text.size() < 2) continue;
    Word word{{}, count};
    for (const char byte : text) word.tokens.push_back(byte_ids[static_cast<uint8_t>(byte)]);
    words.push_back(std::move(word));
  }
  std::unordered_map<uint64_t, Pair> pairs;
  for (uint32_t w = 0; w < words.size(); ++w) {
    const Word& word = words[w];
    for (size_t i = 0; i + 1 < word.tokens.size(); ++i) {
      Pair& pair = pairs[pair_of(word.tokens[i], word.tokens[i + 1])];
      pair.count += word.count;
      if (pair.words.empty() || pair.words.back() != w) pair.words.push_back(w);
    }
  }
  std::priority_queue<Candidate> queue;
  for (const auto& [key, pair] : pairs) queue.push({pair.count, key});

  const int64_t most = options_.vocab_size - static_cast<int64_t>(options_.special.size());
  while (static_cast<int64_t>(parts.tokens.size()) < most && !queue.empty()) {
    const Candidate top = queue.top();
    queue.pop();
    Pair& found = pairs[top.pair];
    if (found.count != top.count) {  // it has become rarer since, and waits for its turn
      if (found.count > 0) queue.push({found.count, top.pair});
      continue;
    }
    if (top.count < options_.min_frequency) break;
    const auto left = static_cast<int32_t>(top.pair >> 32),
               right = static_cast<int32_t>(top.pair & UINT32_MAX);
    const auto made = static_cast<int32_t>(parts.tokens.size());
    parts.tokens.push_back(parts.tokens[static_cast<size_t>(left)] +
                           parts.tokens[static_cast<size_t>(right)]);
    parts.merges.push_back({left, right, made});

    const std::vector<uint32_t> where = std::exchange(found.words, {});
    found.count = 0;
    std::vector<uint64_t> fresh;
    const auto change = [&](int32_t a, int32_t b, int64_t by, uint32_t w) {
      const uint64_t key = pair_of(a, b);
      if (key == top.pair) return;
      Pair& pair = pairs[key];
      pair.count += by;
      if (by < 0) return;
      if (pair.words.empty() || pair.words.back() != w) pair.words.push_back(w);
      if (a == made || b == made) fresh.push_back(key);
    };
    for (const uint32_t w : where) {
      std::vector<int32_t>& tokens = words[w].tokens;
      const int64_t count = words[w].count;
      size_t to = 0;
      for (size_t i = 0; i < tokens.size(); ++i) {
        if (i + 1 >= tokens.size() || tokens[i] != left || tokens[i + 1] != right) {
          tokens[to++] = tokens[i];
          continue;
        }
        if (to > 0) {
          change(tokens[to - 1], left, -count, w);
          change(tokens[to - 1], made, count, w);
        }
        if (i + 2 < tokens.size()) {
          change(right, tokens[i + 2], -count, w);
          change(made, tokens[i + 2], count, w);
        }
        tokens[to++] = made;
        ++i;
      }
      tokens.resize(to);
    }
    std::ranges::sort(fresh);
    fresh.erase(std::unique(fresh.begin(), fresh.end()), fresh.end());
    for (const uint64_t key : fresh) queue.push({pairs[key].count, key});
  }
  for (const std::string& name : options_.special) {
    if (!parts.special.emplace(name, static_cast<int64_t>(parts.tokens.size())).second)
      fail<ValueError>("BPE: the special token '", name, "' is given twice");
    parts.tokens.push_back(name);
  }
  return BpeTokenizer(std::move(parts));
}

}  // namespace weft
