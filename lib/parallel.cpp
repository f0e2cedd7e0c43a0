#include <omp.h>
#include <sched.h>
#include <weft/lib/error.h>
#include <weft/lib/parallel.h>
#include <xmmintrin.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <fstream>
#include <string>

namespace weft {

namespace {

std::atomic<int> chosen_threads{0};
thread_local bool inside_loop = false;

/// CPUs granted by a cgroup's quota in `folder` or any folder above it, or 0 when there is none.
double cgroup_quota(const std::string& root, std::string folder, bool version_2) {
  double smallest = 0;
  while (true) {
    double quota = -1, period = 0;
    if (version_2) {
      std::ifstream file(root + folder + "/cpu.max");
      std::string first;
      if (file >> first >> period && first != "max") quota = std::atof(first.c_str());
    } else {
      std::ifstream(root + folder + "/cpu.cfs_quota_us") >> quota;
      std::ifstream(root + folder + "/cpu.cfs_period_us") >> period;
    }
    if (quota > 0 && period > 0 && (smallest == 0 || quota / period < smallest)) smallest = quota / period;
    if (folder.empty() || folder == "/") return smallest;
    folder.erase(folder.rfind('/'));
  }
}

int quota_cores() {
  double cores = 0;
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1),
                      folder = line.substr(second + 1);
    double quota = 0;
    if (controllers.empty()) {
      quota = cgroup_quota("/sys/fs/cgroup", folder, true);
    } else if (("," + controllers + ",").find(",cpu,") != std::string::npos) {
      quota = cgroup_quota("/sys/fs/cgroup/cpu", folder, false);
    }
    if (quota > 0 && (cores == 0 || quota < cores)) cores = quota;
  }
  return cores == 0 ? 0 : std::max(1, static_cast<int>(cores + 0.5));
}

/// Round to nearest, all exceptions masked, subnormal numbers kept.
class FloatMode {
 public:
  FloatMode() : before_(_mm_getcsr()) { _mm_setcsr(0x1F80); }
  ~FloatMode() { _mm_setcsr(before_); }
  FloatMode(const FloatMode&) = delete;
  FloatMode& operator=(const FloatMode&) = delete;

 private:
  unsigned before_;
};

} // namespace

int available_cores() {
  static const int cores = [] {
    cpu_set_t set;
    const int affinity = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : omp_get_num_procs();
    const int quota = quota_cores();
    return std::max(1, quota > 0 ? std::min(affinity, quota) : affinity);
  }();
  return cores;
}

int num_threads() {
  const int chosen = chosen_threads.load(std::memory_order_relaxed);
  return chosen > 0 ? chosen : available_cores();
}

void set_num_threads(int threads) {
  if (threads < 1 || threads > 1024) fail<ValueError>("threads: ", threads, " is not between 1 and 1024");
  chosen_threads.store(threads, std::memory_order_relaxed);
}

namespace detail {

void run_tiles(int64_t tiles, void (*run)(void*, int64_t), void* context) {
  const int team = static_cast<int>(std::min<int64_t>(tiles, num_threads()));
  if (team <= 1 || inside_loop) {
    const FloatMode mode;
    for (int64_t i = 0; i < tiles; ++i) run(context, i);
    return;
  }
  std::exception_ptr error;
  std::atomic<bool> failed{false};
#pragma omp parallel num_threads(team)
  {
    const FloatMode mode;
    inside_loop = true;
#pragma omp for schedule(dynamic, 1)
    for (int64_t i = 0; i < tiles; ++i) {
      if (failed.load(std::memory_order_relaxed)) continue;
      try {
        run(context, i);
      } catch (...) {
        if (!failed.exchange(true)) error = std::current_exception();
      }
    }
    inside_loop = false;
  }
  if (error) std::rethrow_exception(error);
}

} // namespace detail

} // namespace weft
