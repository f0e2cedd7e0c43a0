// Batches of samples that are about equally long, so that little of them is padding.
#pragma once

#include <weft/data/tasks/indexed_task.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace weft {

/// The samples of a task in another order: within pools of up to `pool` samples of one epoch, which are drawn as without
/// it, samples are sorted by length and cut into batches, and these are put in an order drawn from (seed, pool). So which
/// samples an update reads is a function of (seed, number) alone, and each is used once in every epoch.
///
/// A batch has `rows` samples, which may be read in parts (micro-batches); with `tokens` above 0 instead as many as keep
/// rows x (longest input + longest target) at most `tokens`, but at least one, whatever is wanted. Positions of a run are
/// counted in samples: next_batch() says how many there are, of those wanted, from one to the end of its batch.
class LengthBatches : public Dataset {
 public:
  /// ValueError when rows or pool is below 1 or tokens below 0.
  LengthBatches(std::shared_ptr<const IndexedTask> task, int64_t rows, int64_t tokens, uint64_t seed,
                int64_t pool = 1 << 15);

  const std::shared_ptr<const IndexedTask>& task() const { return task_; }
  int64_t samples_per_epoch() const override { return task_->samples_per_epoch(); }
  Batch batch(int64_t first, int64_t count) const override;
  int64_t next_batch(int64_t first, int64_t wanted) const override;
  std::vector<std::vector<SamplePlace>> places(int64_t first, int64_t count) const override;
  std::vector<uint64_t> indices(int64_t first, int64_t count) const;

  /// Over the first pool: the share of all tokens of the batches, inputs and targets, that is padding.
  double padding() const;
  /// So many rows of the longest input and target, of which one is at least 1, hold as many of both as any batch of the
  /// first pool: for planning memory.
  int64_t rows_of_longest(int64_t longest_input, int64_t longest_target) const;

 private:
  struct Pool {
    int64_t first = -1;  ///< number of the run of its first sample
    std::vector<uint64_t> order;
    std::vector<int64_t> ends;                  ///< of the batches, in `order`
    std::vector<IndexedTask::Lengths> lengths;  ///< as `order`
  };
  /// The pool that sample n belongs to.
  std::shared_ptr<const Pool> pool_of(int64_t n) const;
  std::shared_ptr<const Pool> made(int64_t first, int64_t count) const;

  std::shared_ptr<const IndexedTask> task_;
  int64_t rows_, tokens_, pool_;
  uint64_t seed_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const Pool> last_;
};

}  // namespace weft
