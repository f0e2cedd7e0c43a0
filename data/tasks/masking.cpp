#include <weft/data/tasks/masking.h>
#include <weft/lib/base/error.h>

#include <algorithm>

namespace weft {
namespace {

// Half up; lengths of texts are far below 2^53.
int64_t rounded(double value) { return static_cast<int64_t>(value + 0.5); }

void check_options(const MaskingOptions& options) {
  if (options.first_word < 0 || options.first_word >= options.vocab_size)
    fail<ValueError>("mask_tokens: no words in [first_word, vocab_size) = [", options.first_word, ", ",
                     options.vocab_size, ")");
  if (options.mask_id < 0) fail<ValueError>("mask_tokens: mask_id ", options.mask_id, " is below 0");
  if (std::ssize(options.special) >= options.vocab_size - options.first_word ||
      !std::ranges::is_sorted(options.special))
    fail<ValueError>("mask_tokens: the special ids must be in rising order and leave a word");
  if (!(options.share > 0 && options.share <= 1))
    fail<ValueError>("mask_tokens: share must be above 0 and at most 1, not ", options.share);
}

/// Lengths of `parts` runs, at least one long each, that make up `size`, each way to cut as likely.
std::vector<int64_t> cut(int64_t size, int64_t parts, Draws& draws) {
  std::vector<int64_t> lengths;
  int64_t begin = 0;
  for (const int64_t place : draws.subset(size - 1, parts - 1)) {
    lengths.push_back(place + 1 - begin);
    begin = place + 1;
  }
  lengths.push_back(size - begin);
  return lengths;
}

}  // namespace

std::vector<int64_t> mask_tokens(std::span<int64_t> ids, const MaskingOptions& options, Draws& draws) {
  check_options(options);
  std::vector<size_t> words;
  for (size_t place = 0; place < ids.size(); ++place)
    if (ids[place] >= options.first_word && !std::ranges::binary_search(options.special, ids[place]))
      words.push_back(place);
  std::vector<int64_t> targets(ids.size(), Batch::ignored);
  const auto count = static_cast<int64_t>(words.size());
  if (count == 0) return targets;
  const int64_t wanted = std::clamp<int64_t>(rounded(options.share * static_cast<double>(count)), 1, count);
  for (const int64_t chosen : draws.subset(count, wanted)) {
    const size_t place = words[static_cast<size_t>(chosen)];
    targets[place] = ids[place];
    const double what = draws.uniform();
    if (what < 0.8)
      ids[place] = options.mask_id;
    else if (what < 0.9)
      do {
        ids[place] = draws.between(options.first_word, options.vocab_size - 1);
      } while (std::ranges::binary_search(options.special, ids[place]));
  }
  return targets;
}

MaskedDataset::MaskedDataset(std::shared_ptr<const Dataset> texts, const MaskingOptions& options,
                             uint64_t seed)
    : texts_(std::move(texts)), options_(options), seed_(seed) {
  check_options(options_);
}

Batch MaskedDataset::batch(int64_t first, int64_t count) const {
  Batch batch = texts_->batch(first, count);
  const int64_t width = batch.inputs.dim(1);
  batch.inputs = batch.inputs.copy();
  batch.targets = Array::full(batch.inputs.shape(), double{Batch::ignored}, int64);
  int64_t* inputs = batch.inputs.mutable_data<int64_t>();
  int64_t* targets = batch.targets.mutable_data<int64_t>();
  const RandomKey key = random_key(seed_, stream_id("data.masks"));
  for (int64_t row = 0; row < count; ++row) {
    Draws draws(key, static_cast<uint64_t>(first + row));
    const int64_t length = batch.lengths.empty() ? width : batch.lengths[static_cast<size_t>(row)];
    const std::vector<int64_t> wanted =
        mask_tokens({inputs + row * width, static_cast<size_t>(length)}, options_, draws);
    std::ranges::copy(wanted, targets + row * width);
  }
  return batch;
}

WordDropoutDataset::WordDropoutDataset(std::shared_ptr<const Dataset> texts, int64_t mask_id, double share,
                                       std::vector<int64_t> special, uint64_t seed)
    : texts_(std::move(texts)), mask_id_(mask_id), share_(share), special_(std::move(special)), seed_(seed) {
  if (mask_id < 0) fail<ValueError>("WordDropoutDataset: mask_id ", mask_id, " is below 0");
  if (!(share >= 0 && share < 1))
    fail<ValueError>("WordDropoutDataset: share must be in [0, 1), not ", share);
}

Batch WordDropoutDataset::batch(int64_t first, int64_t count) const {
  Batch batch = texts_->batch(first, count);
  const int64_t width = batch.inputs.dim(1);
  batch.inputs = batch.inputs.copy();
  int64_t* ids = batch.inputs.mutable_data<int64_t>();
  const RandomKey key = random_key(seed_, stream_id("data.word_dropout"));
  for (int64_t row = 0; row < count; ++row, ids += width) {
    const int64_t length = batch.lengths.empty() ? width : batch.lengths[static_cast<size_t>(row)];
    for (int64_t t = 0; t < length; ++t)
      if (uniform_at(key, static_cast<uint64_t>(first + row), static_cast<uint64_t>(t)) < share_ &&
          !std::ranges::binary_search(special_, ids[t]))
        ids[t] = mask_id_;
  }
  return batch;
}

SpanCounts count_spans(int64_t tokens, const SpanOptions& options) {
  if (tokens < 2) fail<ValueError>("corrupt_spans: needs at least 2 tokens, found ", tokens);
  if (!(options.share > 0 && options.share < 1) || !(options.mean_length >= 1))
    fail<ValueError>("corrupt_spans: share must be in (0, 1) and mean_length at least 1, not ", options.share,
                     " and ", options.mean_length);
  SpanCounts counts;
  counts.hidden = std::clamp<int64_t>(rounded(options.share * static_cast<double>(tokens)), 1, tokens - 1);
  counts.spans = std::clamp<int64_t>(rounded(static_cast<double>(counts.hidden) / options.mean_length), 1,
                                     std::min(counts.hidden, tokens - counts.hidden));
  if (counts.spans + 1 > options.sentinels)
    fail<ValueError>("corrupt_spans: ", counts.spans, " spans of ", tokens, " tokens need ", counts.spans + 1,
                     " sentinels, there are ", options.sentinels);
  return counts;
}

CorruptedSpans corrupt_spans(std::span<const int64_t> ids, const SpanOptions& options, Draws& draws) {
  const auto count = static_cast<int64_t>(ids.size());
  const auto [hidden, spans] = count_spans(count, options);
  // Kept runs stand before every span and behind the last, where one may be empty: hence one token more to
  // cut.
  const std::vector<int64_t> taken = cut(hidden, spans, draws),
                             kept = cut(count - hidden + 1, spans + 1, draws);
  CorruptedSpans made;
  auto at = ids.begin();
  for (int64_t span = 0; span < spans; ++span) {
    const int64_t stay = kept[static_cast<size_t>(span)], go = taken[static_cast<size_t>(span)];
    made.input.insert(made.input.end(), at, at + stay);
    made.input.push_back(options.first_sentinel + span);
    made.target.push_back(options.first_sentinel + span);
    made.target.insert(made.target.end(), at + stay, at + stay + go);
    at += stay + go;
  }
  made.input.insert(made.input.end(), at, ids.end());
  made.target.push_back(options.first_sentinel + spans);
  return made;
}

}  // namespace weft
