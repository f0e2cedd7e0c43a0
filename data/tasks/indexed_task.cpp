#include <weft/data/tasks/indexed_task.h>

#include <algorithm>

namespace weft {

std::vector<SamplePlace> IndexedTask::places_at(uint64_t) const { return {}; }

Batch IndexedTask::batch(int64_t first, int64_t count) const {
  check_samples(name().c_str(), first, count);
  std::vector<Drawn> samples;
  for (int64_t n = first; n < first + count; ++n)
    samples.push_back({sample_of(n), static_cast<uint64_t>(n / samples_per_epoch())});
  return batch_of(samples);
}

std::vector<std::vector<SamplePlace>> IndexedTask::places(int64_t first, int64_t count) const {
  check_samples(name().c_str(), first, count);
  std::vector<std::vector<SamplePlace>> all;
  for (int64_t n = first; n < first + count; ++n) all.push_back(places_at(sample_of(n)));
  return all;
}

Samples evaluated_by_length(const std::shared_ptr<const IndexedTask>& task, int64_t size, int64_t wanted) {
  const int64_t count = wanted > 0 ? std::min(wanted, size) : size;
  auto samples = std::make_shared<std::vector<IndexedTask::Drawn>>();
  for (int64_t i = 0; i < count; ++i) samples->push_back({static_cast<uint64_t>(i * size / count), 0});
  std::ranges::stable_sort(*samples, {}, [&](const auto& one) { return task->lengths(one.index).input; });
  return {count, [task, samples](int64_t first, int64_t number) {
            const auto all = std::span<const IndexedTask::Drawn>(*samples);
            return task->batch_of(
                all.subspan(static_cast<size_t>(first),
                            static_cast<size_t>(std::min<int64_t>(number, std::ssize(*samples) - first))));
          }};
}

}  // namespace weft
