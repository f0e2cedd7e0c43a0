// What the benchmarks share: a clock, what this machine can do at best, and a table that is also JSON.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <new>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace bench {

inline double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// The shortest of the runs of f that fit into `budget` seconds, at least three after one to warm up.
template <class F>
double best_seconds(double budget, F f) {
  f();
  double best = 1e300;
  const double start = seconds();
  for (int runs = 0; runs < 3 || seconds() - start < budget; ++runs) {
    const double before = seconds();
    f();
    best = std::min(best, seconds() - before);
  }
  return best;
}

/// GFLOP/s of fused multiply-adds in registers, in the widest vectors of this processor, on all threads in
/// use together: the best of `budget` seconds. 0 on a processor without AVX2.
double fma_peak(double budget);
/// GB/s at which all threads in use together read `bytes` again and again: of memory when no cache holds
/// them. The best of `budget` seconds, each sample `times` readings in a row, for a sample as long as that of
/// what it is compared with: caches and memory that are shared with others favour the short ones.
double read_bandwidth(int64_t bytes, double budget = 0.2, int64_t times = 1);

/// Memory as weft's own buffers lie: from a multiple of 64 bytes on.
template <class T>
struct AlignedAllocator {
  using value_type = T;
  static constexpr std::align_val_t alignment{64};
  T* allocate(size_t count) { return static_cast<T*>(::operator new(count * sizeof(T), alignment)); }
  void deallocate(T* p, size_t) { ::operator delete(p, alignment); }
  bool operator==(const AlignedAllocator&) const = default;
};
using Floats = std::vector<float, AlignedAllocator<float>>;

/// Values without a pattern, between -0.5 and 0.5.
Floats numbers(int64_t count);

/// --threads, --seconds and --json, which every benchmark takes, and the machine measured just before the
/// work.
struct Setup {
  int threads = 0;
  double seconds = 0.3;  ///< for each figure
  bool json = false;
  double peak = 0, bandwidth = 0;
};

/// Sets the threads, measures the machine in a process of its own, so that the memory this takes is not the
/// work's, and does the work. Returns the exit code: 1, with the reason on standard error, when the work
/// throws.
int run(Setup& setup, const std::function<void()>& work);

/// Rows of one benchmark; the keys of the first are the columns.
class Report {
 public:
  Report(std::string name, const Setup& setup);
  /// One more thing to know of all rows.
  void note(const std::string& key, const nlohmann::ordered_json& value);
  /// Prints the row at once, unless JSON is wanted.
  void add(const nlohmann::ordered_json& row);
  /// Prints the object when JSON is wanted: the rows under "rows", or a single result's keys beside the
  /// machine's.
  void finish() const;
  void finish_with_one(const nlohmann::ordered_json& result);

 private:
  nlohmann::ordered_json all_;
  bool json_;
};

}  // namespace bench
