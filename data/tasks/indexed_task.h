// What the tasks whose samples differ in length have in common: samples by index, with lengths, put together at will.
#pragma once

#include <weft/data/tasks/task.h>
#include <weft/data/tasks/task_data.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace weft {

class IndexedTask : public TaskDataset {
 public:
  using TaskDataset::TaskDataset;

  /// How much a sample has to be read, and how much is asked for: tokens, or frames.
  struct Lengths {
    int64_t input = 0, target = 0;
  };
  virtual Lengths lengths(uint64_t index) const = 0;
  /// Where it was read; nothing for what was read nowhere.
  virtual std::vector<SamplePlace> places_at(uint64_t index) const;

  /// A sample as it is in an epoch.
  struct Drawn {
    uint64_t index = 0, epoch = 0;
  };
  /// These samples, in this order.
  virtual Batch batch_of(std::span<const Drawn> samples) const = 0;
  Batch batch(int64_t first, int64_t count) const override;
  std::vector<std::vector<SamplePlace>> places(int64_t first, int64_t count) const override;
  /// Which of the samples 0, 1, 2, ... number n of the run is.
  uint64_t index_of(int64_t n) const { return sample_of(n); }
};

/// Some of the samples that are kept from training, evenly spread and put in the order of their length; 0 for all.
Samples evaluated_by_length(const std::shared_ptr<const IndexedTask>& task, int64_t size, int64_t wanted);

}  // namespace weft
