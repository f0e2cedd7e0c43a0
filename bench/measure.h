// What the benchmarks share: a clock, what this machine can do at best, and a table that is also JSON.
#pragma once

#include <weft/lib/parallel.h>

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

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
/// use together.
double fma_peak();
/// GB/s at which all threads in use together read `bytes` again and again: of memory when no cache holds
/// them.
double read_bandwidth(int64_t bytes);

/// --threads, --seconds and --json, which every benchmark takes, and the machine measured just before the
/// work.
struct Setup {
  int threads = 0;
  double seconds = 0.3;  ///< for each figure
  bool json = false;
  double peak = 0, bandwidth = 0;

  /// Sets the threads and measures.
  void begin();
};

/// Rows of one benchmark; the keys of the first are the columns.
class Report {
 public:
  Report(std::string name, const Setup& setup);
  /// Prints the row at once, unless JSON is wanted.
  void add(const nlohmann::ordered_json& row);
  /// Prints the object when JSON is wanted.
  void finish() const;

 private:
  nlohmann::ordered_json all_;
  bool json_;
};

}  // namespace bench
