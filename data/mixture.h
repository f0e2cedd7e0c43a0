// Several datasets as one, each in its share.
#pragma once

#include <weft/data/dataset.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace weft {

/// Batches one under the other. Rows that are shorter than the longest are padded on the right, inputs with `pad_id` and
/// targets with Batch::ignored, and Batch::lengths then says how many count. ValueError for shapes that differ in more.
Batch stacked(const std::vector<Batch>& batches, int64_t pad_id = 0);

/// Samples come in rounds. A round has of each part as many as its weight says, in an order drawn from (seed, round); so
/// sample n of the run is a function of (seed, n), and its number in its part is known without those before it. Each part
/// goes through its own samples, epoch by epoch.
///
/// Whole weights are what a round has of each, after division by what divides all, as long as they add up to at most
/// 4,096; else a round has 1,000, divided by largest remainders, and at least one of each.
class MixtureDataset : public Dataset {
 public:
  struct Part {
    std::shared_ptr<const Dataset> dataset;
    double weight = 1;
  };
  /// ValueError without parts, for a part that is null, for a weight that is not finite and above 0, and for more than
  /// 1,000 parts.
  MixtureDataset(std::vector<Part> parts, uint64_t seed, int64_t pad_id = 0);

  /// Of all parts together.
  int64_t samples_per_epoch() const override;
  Batch batch(int64_t first, int64_t count) const override;
  std::vector<std::vector<SamplePlace>> places(int64_t first, int64_t count) const override;

  struct Choice {
    size_t part = 0;
    int64_t sample = 0;  ///< of that part
    bool operator==(const Choice&) const = default;
  };
  Choice choice(int64_t sample) const;
  /// Samples that a round has of each part.
  const std::vector<int64_t>& in_round() const { return in_round_; }

 private:
  std::vector<Part> parts_;
  std::vector<int64_t> in_round_;
  int64_t round_ = 0;
  uint64_t seed_;
  int64_t pad_id_;
};

}  // namespace weft
