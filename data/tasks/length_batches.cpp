#include <weft/data/tasks/length_batches.h>
#include <weft/lib/array/random.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <numeric>

namespace weft {

LengthBatches::LengthBatches(std::shared_ptr<const IndexedTask> task, int64_t rows, int64_t tokens,
                             uint64_t seed, int64_t pool)
    : task_(std::move(task)), rows_(rows), tokens_(tokens), pool_(pool), seed_(seed) {
  if (rows < 1 || pool < 1 || tokens < 0)
    fail<ValueError>("LengthBatches: needs at least one row and a pool, and tokens of at least 0, not ", rows,
                     ", ", pool, ", ", tokens);
  // Whole batches, so that only the last of an epoch has fewer rows.
  pool_ = std::max(rows_, pool_ / rows_ * rows_);
}

std::shared_ptr<const LengthBatches::Pool> LengthBatches::made(int64_t first, int64_t count) const {
  struct One {
    uint64_t index;
    IndexedTask::Lengths size;
  };
  std::vector<One> all;
  for (int64_t n = first; n < first + count; ++n) {
    const uint64_t index = task_->index_of(n);
    all.push_back({index, task_->lengths(index)});
  }
  // Equal ones stay in the order in which they were drawn.
  std::ranges::stable_sort(all, [](const One& a, const One& b) {
    return std::pair(a.size.input, a.size.target) < std::pair(b.size.input, b.size.target);
  });
  std::vector<std::pair<size_t, size_t>> batches;
  for (size_t begin = 0; begin < all.size();) {
    size_t end = begin;
    int64_t longest_input = 0, longest_target = 0;
    for (; end < all.size(); ++end) {
      longest_input = std::max(longest_input, all[end].size.input);
      longest_target = std::max(longest_target, all[end].size.target);
      const auto rows = static_cast<int64_t>(end - begin + 1);
      if (end > begin && (tokens_ > 0 ? rows * (longest_input + longest_target) > tokens_ : rows > rows_))
        break;
    }
    batches.emplace_back(begin, end);
    begin = end;
  }
  auto pool = std::make_shared<Pool>();
  pool->first = first;
  const RandomKey key = random_key(seed_, stream_id("data.batches"), static_cast<uint64_t>(first));
  for (size_t i = 0; i < batches.size(); ++i) {
    const auto [begin, end] = batches[permuted(key, i, batches.size())];
    for (size_t at = begin; at < end; ++at) {
      pool->order.push_back(all[at].index);
      pool->lengths.push_back(all[at].size);
    }
    pool->ends.push_back(static_cast<int64_t>(pool->order.size()));
  }
  return pool;
}

std::shared_ptr<const LengthBatches::Pool> LengthBatches::pool_of(int64_t n) const {
  const int64_t epoch = samples_per_epoch(), in_epoch = n % epoch;
  const int64_t first = n - in_epoch % pool_;
  const std::lock_guard lock(mutex_);
  if (!last_ || last_->first != first) last_ = made(first, std::min(pool_, epoch - (first % epoch)));
  return last_;
}

std::vector<uint64_t> LengthBatches::indices(int64_t first, int64_t count) const {
  check_samples("LengthBatches", first, count);
  std::vector<uint64_t> all;
  for (int64_t n = first; n < first + count;) {
    const std::shared_ptr<const Pool> pool = pool_of(n);
    const auto end = std::min<int64_t>(first + count, pool->first + std::ssize(pool->order));
    for (; n < end; ++n) all.push_back(pool->order[static_cast<size_t>(n - pool->first)]);
  }
  return all;
}

Batch LengthBatches::batch(int64_t first, int64_t count) const {
  std::vector<IndexedTask::Drawn> samples;
  for (const uint64_t index : indices(first, count))
    samples.push_back({index, static_cast<uint64_t>((first + std::ssize(samples)) / samples_per_epoch())});
  return task_->batch_of(samples);
}

std::vector<std::vector<SamplePlace>> LengthBatches::places(int64_t first, int64_t count) const {
  std::vector<std::vector<SamplePlace>> all;
  for (const uint64_t index : indices(first, count)) all.push_back(task_->places_at(index));
  return all;
}

int64_t LengthBatches::next_batch(int64_t first, int64_t wanted) const {
  const std::shared_ptr<const Pool> pool = pool_of(first);
  const int64_t at = first - pool->first, rest = *std::ranges::upper_bound(pool->ends, at) - at;
  return tokens_ > 0 ? rest : std::min(rest, wanted);
}

double LengthBatches::padding() const {
  const std::shared_ptr<const Pool> pool = pool_of(0);
  double all = 0, real = 0;
  int64_t begin = 0;
  for (const int64_t end : pool->ends) {
    int64_t input = 0, target = 0;
    for (int64_t i = begin; i < end; ++i) {
      const IndexedTask::Lengths& one = pool->lengths[static_cast<size_t>(i)];
      input = std::max(input, one.input);
      target = std::max(target, one.target);
      real += static_cast<double>(one.input + one.target);
    }
    all += static_cast<double>((end - begin) * (input + target));
    begin = end;
  }
  return all > 0 ? 1 - real / all : 0;
}

int64_t LengthBatches::rows_of_longest(int64_t longest_input, int64_t longest_target) const {
  const std::shared_ptr<const Pool> pool = pool_of(0);
  int64_t rows = 1, begin = 0;
  const auto need = [&](int64_t tokens, int64_t longest) {
    if (longest > 0) rows = std::max(rows, (tokens + longest - 1) / longest);
  };
  for (const int64_t end : pool->ends) {
    int64_t input = 0, target = 0;
    for (int64_t i = begin; i < end; ++i) {
      input = std::max(input, pool->lengths[static_cast<size_t>(i)].input);
      target = std::max(target, pool->lengths[static_cast<size_t>(i)].target);
    }
    need((end - begin) * input, longest_input);
    need((end - begin) * target, longest_target);
    begin = end;
  }
  return rows;
}

}  // namespace weft
