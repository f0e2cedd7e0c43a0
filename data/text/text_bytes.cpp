#include <weft/data/text/document_encoder.h>
#include <weft/data/text/text_bytes.h>
#include <weft/data/text/tokenize.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace weft {
namespace {

/// Adds up what lies in the range.
class Tally {
 public:
  Tally(const TokenRange& range, bool apart)
      : first_(range.begin), end_(range.begin + range.size), apart_(apart) {}

  void document() { begins_ = true; }
  void add(int64_t bytes) {
    const bool scored = at_ > first_ && at_ < end_ && !(apart_ && begins_);
    sum_ += scored ? bytes : 0;
    begins_ = false;
    ++at_;
  }
  bool done() const { return at_ >= end_; }
  int64_t sum() const { return sum_; }

 private:
  int64_t first_, end_, at_ = 0, sum_ = 0;
  bool apart_, begins_ = false;
};

}  // namespace

bool is_lossless(const Tokenizer& tokenizer) {
  const Tokenizer& own = unwrapped(tokenizer);
  const std::string_view kind = own.kind();
  const auto* const chars = dynamic_cast<const CharTokenizer*>(&own);
  return kind == "byte" || kind == "bpe" || (chars && !chars->has_unknown());
}

std::vector<int64_t> token_bytes(const Tokenizer& tokenizer, int64_t end_id) {
  std::vector<int64_t> bytes;
  for (int64_t id = 0; id < tokenizer.vocab_size(); ++id)
    bytes.push_back(id == end_id ? 0 : std::ssize(tokenizer.decode(id)));
  return bytes;
}

std::optional<int64_t> scored_bytes(const TextTokens& text, const TokenRange& range, bool apart) {
  const Tokenizer& tokenizer = text.tokenizer;
  if (is_lossless(tokenizer) && !apart) {
    const std::vector<int64_t> bytes = token_bytes(tokenizer, text.end_id);
    std::vector<int64_t> ids;
    int64_t sum = 0;
    for (int64_t at = 1; at < range.size; at += std::ssize(ids)) {
      ids.resize(static_cast<size_t>(std::min<int64_t>(1 << 16, range.size - at)));
      range.read(at, ids);
      for (const int64_t id : ids) sum += bytes[static_cast<size_t>(id)];
    }
    return sum;
  }
  DocumentReader reader(text.files, {.utf8 = wants_utf8(tokenizer), .wanted = text.wanted});
  ChunkReader chunks(reader, tokenizer);
  Tally tally(range, apart);
  int64_t waiting = 0;  // bytes of parts without a token
  for (auto chunk = chunks.next(); chunk && !tally.done(); chunk = chunks.next()) {
    if (chunk->begins) tally.document();
    Encoding found;
    try {
      found = tokenizer.encode_with_spans(chunk->text);
    } catch (const ValueError&) {
      return {};
    }
    if (found.spans.size() != found.ids.size()) return {};
    size_t before = 0;
    for (size_t i = 0; i < found.spans.size(); ++i) {
      const bool last = i + 1 == found.spans.size();
      const size_t end = last ? chunk->text.size() : std::max(before, found.spans[i].end);
      tally.add(waiting + static_cast<int64_t>(end - before));
      waiting = 0;
      before = end;
    }
    if (found.ids.empty()) waiting += std::ssize(chunk->text);
    if (chunk->ends && text.end_id >= 0) {
      tally.add(waiting);
      waiting = 0;
    }
  }
  return tally.sum();
}

}  // namespace weft
