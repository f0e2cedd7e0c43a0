#include <weft/data/text/bpe_merges.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <bit>
#include <queue>
#include <tuple>

namespace weft {
namespace {

uint64_t hash_of(uint64_t pair) {
  pair *= 0x9e3779b97f4a7c15;
  return pair ^ pair >> 32;
}

/// Up to here a word is looked through again after each merge.
constexpr size_t short_word = 64;

}  // namespace

BpeMerges::BpeMerges(std::span<const BpeMerge> merges) : slots_(std::bit_ceil(2 * merges.size() + 2)) {
  const size_t mask = slots_.size() - 1;
  for (size_t rank = 0; rank < merges.size(); ++rank) {
    const auto [left, right, result] = merges[rank];
    if (left < 0 || right < 0 || result < 0) fail<ValueError>("BPE: merge ", rank, " has an id below 0");
    const uint64_t pair = pair_of(left, right);
    size_t at = hash_of(pair) & mask;
    for (; slots_[at].found.rank >= 0; at = (at + 1) & mask)
      if (slots_[at].pair == pair)
        fail<ValueError>("BPE: merge ", rank, " is of the same pair as merge ", slots_[at].found.rank);
    slots_[at] = {pair, {static_cast<int32_t>(rank), result}};
  }
}

BpeMerges::Found BpeMerges::find(int32_t left, int32_t right) const {
  const size_t mask = slots_.size() - 1;
  const uint64_t pair = pair_of(left, right);
  for (size_t at = hash_of(pair) & mask;; at = (at + 1) & mask) {
    if (slots_[at].found.rank < 0) return {};
    if (slots_[at].pair == pair) return slots_[at].found;
  }
}

void BpeMerges::apply(std::vector<int32_t>& word) const {
  word.size() <= short_word ? apply_to_short(word) : apply_to_long(word);
}

void BpeMerges::apply_to_short(std::vector<int32_t>& word) const {
  Found pairs[short_word];
  size_t n = word.size();
  for (size_t i = 0; i + 1 < n; ++i) pairs[i] = find(word[i], word[i + 1]);
  while (n > 1) {
    size_t best = n;
    int32_t least = INT32_MAX;
    for (size_t i = 0; i + 1 < n; ++i)
      if (pairs[i].rank >= 0 && pairs[i].rank < least) {
        least = pairs[i].rank;
        best = i;
      }
    if (best == n) break;
    word[best] = pairs[best].result;
    std::copy(word.begin() + static_cast<std::ptrdiff_t>(best) + 2,
              word.begin() + static_cast<std::ptrdiff_t>(n),
              word.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    std::copy(pairs + best + 1, pairs + n - 1, pairs + best);
    --n;
    if (best > 0) pairs[best - 1] = find(word[best - 1], word[best]);
    if (best + 1 < n) pairs[best] = find(word[best], word[best + 1]);
  }
  word.resize(n);
}

void BpeMerges::apply_to_long(std::vector<int32_t>& word) const {
  constexpr size_t none = SIZE_MAX;
  const size_t n = word.size();
  std::vector<size_t> next(n), before(n);
  for (size_t i = 0; i < n; ++i) {
    next[i] = i + 1 < n ? i + 1 : none;
    before[i] = i > 0 ? i - 1 : none;
  }
  using Candidate = std::tuple<int32_t, size_t, int32_t, int32_t>;  // rank, place, and the two tokens then
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> queue;
  const auto offer = [&](size_t at) {
    if (at == none || next[at] == none) return;
    if (const Found found = find(word[at], word[next[at]]); found.rank >= 0)
      queue.emplace(found.rank, at, word[at], word[next[at]]);
  };
  for (size_t i = 0; i + 1 < n; ++i) offer(i);
  constexpr int32_t gone = -1;
  while (!queue.empty()) {
    const auto [rank, at, left, right] = queue.top();
    queue.pop();
    if (word[at] != left || next[at] == none || word[next[at]] != right) continue;
    const size_t merged = next[at];
    word[at] = find(left, right).result;
    word[merged] = gone;
    next[at] = next[merged];
    if (next[at] != none) before[next[at]] = at;
    offer(before[at]);
    offer(at);
  }
  std::erase(word, gone);
}

}  // namespace weft
