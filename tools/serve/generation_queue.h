// Texts that wait for a model and are written by it, many at a time, in a thread of its own. It knows ids and no text, and
// nothing of who asked.
#pragma once

#include <weft/layers/models/decoding/continuous_generation.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

namespace weft::tools {

/// A text to be written. Its functions are called by the queue's thread, and must not wait; nor throw, unless told.
struct GenerationJob {
  ContinuousGeneration::Text text;
  int64_t tokens = 0;  ///< how many to add at most
  /// If given, what else the model is to do for it, first of all. It may throw, which ends the text. Between two of them
  /// those under way get a token.
  std::function<void()> before;
  /// Takes a token, with what the model said before it; false ends the text.
  std::function<bool(int64_t token, std::span<const float> logits)> on_token;
  /// Called once, and last, unless it was cancelled: with an error if it could not be written to its end.
  std::function<void(std::exception_ptr error)> on_end;
  std::atomic<bool> cancelled{false};  ///< once true it is written no further, and its row is free
};

class GenerationQueue {
 public:
  struct Options {
    int64_t rows = 64;        ///< texts that are written at a time
    int64_t waiting = 256;    ///< others that may wait
    int64_t most_read = 512;  ///< tokens of new prompts that are read between two tokens of those under way
  };
  /// Since the start, but for what is now.
  struct Numbers {
    int64_t running = 0, waiting = 0;  ///< now
    int64_t steps = 0, written = 0, ended = 0, cancelled = 0, failed = 0;
    double waited_seconds = 0;   ///< by texts, before they began
    double running_seconds = 0;  ///< by those that ended, since they began
    double busy_seconds = 0;
  };

  /// The model must outlive it. ValueError for options out of range.
  GenerationQueue(const GenerativeModel& model, Options options);
  /// Cancels what is left.
  ~GenerationQueue();
  GenerationQueue(const GenerationQueue&) = delete;
  GenerationQueue& operator=(const GenerationQueue&) = delete;

  /// Takes all of them, or, where more would wait than may, none, and is false. They have prompts that the model reads.
  bool add(const std::vector<std::shared_ptr<GenerationJob>>& jobs);
  Numbers numbers() const;
  const Options& options() const { return options_; }
  /// Seconds after which some of the waiting ones have begun, as far as that can be told.
  double expected_wait() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Waiting {
    std::shared_ptr<GenerationJob> job;
    Clock::time_point since;
  };
  struct Running {
    std::shared_ptr<GenerationJob> job;
    Clock::time_point since;
    int64_t left;  ///< tokens
  };

  void work();
  bool wait_for_work();
  void begin_jobs();
  void drop_cancelled();
  void step();
  void end(uint64_t name, const std::exception_ptr& error);
  void fail_all(const std::exception_ptr& error);

  const GenerativeModel& model_;
  const Options options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Waiting> waiting_;
  Numbers numbers_;
  bool ending_ = false;

  // The thread's own.
  std::optional<ContinuousGeneration> texts_;  ///< while there are some
  std::map<uint64_t, Running> running_;
  std::thread thread_;
};

}  // namespace weft::tools
