#include <weft/lib/base/error.h>
#include <weft/lib/machine/loop_trace.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <queue>
#include <utility>

namespace weft {

namespace {

thread_local LoopTrace* of_this_thread = nullptr;

/// Threads take tiles of their own part from its front, then of the others' parts from their ends, as a Team's do.
double seconds_of(const std::vector<float>& tiles, int threads) {
  struct Part {
    size_t first, end;
  };
  const size_t count = tiles.size(), sharing = static_cast<size_t>(threads);
  std::vector<Part> parts;
  for (size_t t = 0; t < sharing; ++t) parts.push_back({count * t / sharing, count * (t + 1) / sharing});
  using Free = std::pair<double, size_t>;  // when, which thread
  std::priority_queue<Free, std::vector<Free>, std::greater<>> free;
  for (size_t t = 0; t < sharing; ++t) free.push({0, t});
  double last = 0;
  for (size_t left = count; left > 0; --left) {
    const auto [when, thread] = free.top();
    free.pop();
    size_t from = thread;
    while (parts[from].first == parts[from].end) from = (from + 1) % sharing;
    const size_t tile = from == thread ? parts[from].first++ : --parts[from].end;
    const double end = when + static_cast<double>(tiles[tile]);
    last = std::max(last, end);
    free.push({end, thread});
  }
  return last;
}

}  // namespace

double LoopTimes::seconds(int threads) const {
  if (threads < 1) fail<ValueError>("LoopTimes: ", threads, " threads");
  double total = 0;
  for (const std::vector<float>& tiles : loops_) total += seconds_of(tiles, threads);
  return total;
}

int64_t LoopTimes::shared_loops() const {
  return std::count_if(loops_.begin(), loops_.end(), [](const auto& tiles) { return tiles.size() > 1; });
}

void LoopTimes::keep_shorter(const LoopTimes& again) {
  const auto as_long = [](const auto& a, const auto& b) { return a.size() == b.size(); };
  if (!std::ranges::equal(loops_, again.loops_, as_long))
    fail<ValueError>("LoopTimes: these are not the same loops: ", loops_.size(), " and ", again.loops_.size(),
                     " of them, or of other numbers of tiles");
  for (size_t i = 0; i < loops_.size(); ++i)
    std::ranges::transform(loops_[i], again.loops_[i], loops_[i].begin(),
                           [](float a, float b) { return std::min(a, b); });
}

void LoopTimes::add(std::vector<float> tiles) { loops_.push_back(std::move(tiles)); }

LoopTrace::LoopTrace(LoopTimes& times) : times_(times) {
  if (of_this_thread) fail<StateError>("LoopTrace: this thread has one already");
  of_this_thread = this;
}
LoopTrace::~LoopTrace() { of_this_thread = nullptr; }

LoopTrace* LoopTrace::current() { return of_this_thread; }

void LoopTrace::run(int64_t tiles, void (*body)(void*, int64_t), void* context) {
  using Clock = std::chrono::steady_clock;
  std::vector<float> seconds;
  seconds.reserve(static_cast<size_t>(tiles));
  Clock::time_point before = Clock::now();
  for (int64_t i = 0; i < tiles; ++i) {
    body(context, i);
    const Clock::time_point now = Clock::now();
    seconds.push_back(std::chrono::duration<float>(now - before).count());
    before = now;
  }
  times_.add(std::move(seconds));
}

}  // namespace weft
