// Samples by number. Which sample number n of a run is, is a function of (seed, n) alone, so that to resume
// is to seek: sample n belongs to epoch n / E and is that epoch's number n % E, E being the samples of an
// epoch.
#pragma once

#include <weft/data/text/tokens.h>
#include <weft/lib/array/batch.h>

#include <cstdint>
#include <vector>

namespace weft {

/// Where a sample, or one of its documents, was read: from its first token to its last, which is its last target; of a
/// record both are the record.
struct SamplePlace {
  TokenPlace first, last;
  bool operator==(const SamplePlace&) const = default;
};

/// A source of numbered samples. const members may be called from any thread.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual int64_t samples_per_epoch() const = 0;
  /// Samples [first, first + count) of the run; they may lie in several epochs.
  virtual Batch batch(int64_t first, int64_t count) const = 0;
  /// How many samples the batch has that begins at sample `first`, when so many are wanted: fewer or more where samples
  /// are put together by their length. At least 1.
  virtual int64_t next_batch(int64_t first, int64_t wanted) const {
    static_cast<void>(first);
    return wanted;
  }
  /// Where each of the samples was read; nothing for what was read nowhere, or where that is not known. It may take as
  /// long as to read the files.
  virtual std::vector<std::vector<SamplePlace>> places(int64_t first, int64_t count) const {
    static_cast<void>(first);
    return std::vector<std::vector<SamplePlace>>(static_cast<size_t>(count));
  }
};
/// Places of stretches of tokens, so many of them for each sample: `ends` are first and last of each, in a range.
std::vector<std::vector<SamplePlace>> places_of(const TokenRange& tokens, const std::vector<int64_t>& ends,
                                                const std::vector<size_t>& stretches);
/// For datasets: ValueError, naming `op`, unless samples [first, first + count) are a batch of some run.
void check_samples(const char* op, int64_t first, int64_t count);

/// Training windows of T tokens with the same row shifted by one as targets. In each epoch they lie T apart
/// on a grid whose offset is drawn from (seed, epoch), and each is used once, in an order drawn from (seed,
/// epoch).
///
/// n tokens hold, from every offset in [0, T), at least floor(n / T) - 1 windows of T + 1 tokens; so many are
/// used in every epoch. Below 2 T tokens it is one window, at an offset in [0, n - T).
class TokenDataset : public Dataset {
 public:
  /// ValueError when block_size is below 1 or fewer than block_size + 1 tokens are there, with both numbers.
  TokenDataset(TokenRange tokens, int64_t block_size, uint64_t seed);

  int64_t samples_per_epoch() const override { return windows_; }
  Batch batch(int64_t first, int64_t count) const override;
  std::vector<std::vector<SamplePlace>> places(int64_t first, int64_t count) const override;
  /// Where sample n begins in the range.
  int64_t window_begin(int64_t sample) const;
  int64_t block_size() const { return block_size_; }

 private:
  TokenRange tokens_;
  int64_t block_size_;
  int64_t windows_;
  int64_t offsets_;
  uint64_t seed_;
};

/// The same windows at every evaluation: `wanted` full windows of block_size, or all when that is 0 or more
/// than there are, evenly spread over those that lie one after another from the first token.
class EvalDataset {
 public:
  /// ValueError as TokenDataset.
  EvalDataset(TokenRange tokens, int64_t block_size, int64_t wanted = 0);
  int64_t size() const { return count_; }
  int64_t window_begin(int64_t index) const;
  /// Windows [first, min(first + count, size())).
  Batch batch(int64_t first, int64_t count) const;

 private:
  TokenRange tokens_;
  int64_t block_size_;
  int64_t windows_;
  int64_t count_;
};

/// Windows that together score every token but the first exactly once. Inputs are [begin, begin + length),
/// targets the same shifted by one, and the first `first_scored` targets are context only. With a stride S
/// below block_size windows overlap, and each token but the first block_size has at least block_size - S
/// tokens of context in front of it, plus the one it follows. All windows but the last are of block_size.
struct ScoredWindow {
  int64_t begin = 0;
  int64_t length = 0;
  int64_t first_scored = 0;
};
class ScoredWindows {
 public:
  /// stride 0 means block_size. ValueError unless 1 <= stride <= block_size and there are at least two
  /// tokens.
  ScoredWindows(TokenRange tokens, int64_t block_size, int64_t stride = 0);
  int64_t size() const { return count_; }
  int64_t block_size() const { return block_size_; }
  ScoredWindow operator[](int64_t index) const;
  /// Windows [first, min(first + count, size())), (B, T) with T the longest of them; Batch::ignored where
  /// nothing is scored, id 0 as input beyond a window's end.
  Batch batch(int64_t first, int64_t count) const;
  /// Tokens scored in all: all but one.
  int64_t scored() const { return tokens_.size - 1; }

 private:
  TokenRange tokens_;
  int64_t block_size_;
  int64_t stride_;
  int64_t count_;
};

}  // namespace weft
