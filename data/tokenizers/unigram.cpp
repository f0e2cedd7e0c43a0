#include <weft/data/text/utf8.h>
#include <weft/data/tokenizers/unigram.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace weft {

Unigram::Unigram(const std::vector<std::string>& tokens, std::vector<double> scores, Options options)
    : scores_(std::move(scores)), options_(std::move(options)) {
  if (scores_.size() != tokens.size())
    fail<ValueError>("Unigram: ", scores_.size(), " scores for ", tokens.size(), " tokens");
  if (options_.use.empty()) options_.use.assign(tokens.size(), Use::normal);
  double least = std::numeric_limits<float>::max(), most = std::numeric_limits<float>::lowest();
  for (size_t id = 0; id < tokens.size(); ++id) {
    if (!std::isfinite(scores_[id]))
      fail<ValueError>("Unigram: the score of token ", id, " is ", scores_[id]);
    if (options_.use[id] == Use::normal) {
      least = std::min(least, scores_[id]);
      most = std::max(most, scores_[id]);
    }
    if (options_.use[id] != Use::no && !tokens[id].empty()) trie_.add(tokens[id], static_cast<int32_t>(id));
  }
  constexpr double penalty = 10;
  best_ = most;
  unknown_ = options_.float_sums ? static_cast<double>(static_cast<float>(least) - 10.0F) : least - penalty;
}

void Unigram::append(std::string_view text, std::vector<PlacedToken>& to) const {
  struct Best {
    double sum = 0;
    size_t from = SIZE_MAX;
    int32_t id = -1;
  };
  std::vector<Best> best(text.size() + 1);
  for (size_t at = 0; at < text.size();) {
    const double here = best[at].sum;
    const Utf8Char c = decode_utf8(text.substr(at, 4));
    const size_t character = c.length > 0 ? static_cast<size_t>(c.length) : 1;
    const auto offer = [&](size_t end, double score, int32_t id) {
      Best& there = best[end];
      const double exact = here + score;
      const double sum = options_.float_sums ? static_cast<double>(static_cast<float>(exact)) : exact;
      if (there.from == SIZE_MAX || sum > there.sum) there = {sum, at, id};
    };
    bool alone = false;
    int32_t node = TokenTrie::root;
    for (size_t end = at; end < text.size();) {
      node = trie_.next(node, text[end++]);
      if (node == TokenTrie::none) break;
      const int32_t id = trie_.value(node);
      if (id == TokenTrie::none) continue;
      const auto place = static_cast<size_t>(id);
      const double always =
          static_cast<double>(static_cast<float>(end - at) * static_cast<float>(best_)) - 0.1;
      offer(end, options_.use[place] == Use::always ? always : scores_[place], id);
      alone = alone || end - at == character;
    }
    if (!alone) offer(at + character, unknown_, -1);
    at += character;
  }
  const auto begin = static_cast<std::ptrdiff_t>(to.size());
  for (size_t end = text.size(); end > 0; end = best[end].from)
    to.push_back({best[end].id, best[end].from, end});
  std::reverse(to.begin() + begin, to.end());
}

}  // namespace weft
