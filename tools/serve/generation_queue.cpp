#include <weft/lib/base/error.h>
#include <weft/tools/serve/generation_queue.h>

#include <algorithm>
#include <utility>

namespace weft::tools {
namespace {

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

GenerationQueue::GenerationQueue(const GenerativeModel& model, Options options)
    : model_(model), options_(options) {
  if (options.rows < 1 || options.waiting < 0 || options.most_read < 1)
    fail<ValueError>("GenerationQueue: ", options.rows, " rows, ", options.waiting, " waiting, ",
                     options.most_read, " tokens read at a time");
  thread_ = std::thread([this] { work(); });
}

GenerationQueue::~GenerationQueue() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

bool GenerationQueue::add(const std::vector<std::shared_ptr<GenerationJob>>& jobs) {
  {
    const std::lock_guard lock(mutex_);
    const int64_t room = options_.rows - numbers_.running + options_.waiting;
    if (std::ssize(waiting_) + std::ssize(jobs) > room) return false;
    for (const std::shared_ptr<GenerationJob>& job : jobs) waiting_.push_back({job, Clock::now()});
  }
  changed_.notify_one();
  return true;
}

GenerationQueue::Numbers GenerationQueue::numbers() const {
  const std::lock_guard lock(mutex_);
  Numbers now = numbers_;
  now.waiting = std::ssize(waiting_);
  return now;
}

double GenerationQueue::expected_wait() const {
  const Numbers now = numbers();
  if (now.ended == 0) return 1;
  // One of the rows becomes free so often.
  const double each =
      now.running_seconds / static_cast<double>(now.ended * std::max<int64_t>(1, now.running));
  return each * static_cast<double>(1 + now.waiting / 2);
}

void GenerationQueue::work() {
  while (wait_for_work()) {
    try {
      drop_cancelled();
      begin_jobs();
      step();
    } catch (...) {
      fail_all(std::current_exception());
    }
    const std::lock_guard lock(mutex_);
    numbers_.running = std::ssize(running_);
  }
}

bool GenerationQueue::wait_for_work() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return ending_ || !waiting_.empty() || !running_.empty(); });
  return !ending_;
}

void GenerationQueue::drop_cancelled() {
  std::vector<uint64_t> gone;
  for (const auto& [name, one] : running_)
    if (one.job->cancelled) gone.push_back(name);
  for (const uint64_t name : gone) {
    texts_->remove(name);
    running_.erase(name);
  }
  const std::lock_guard lock(mutex_);
  const size_t left = std::erase_if(waiting_, [](const Waiting& one) { return one.job->cancelled.load(); });
  numbers_.cancelled += std::ssize(gone) + static_cast<int64_t>(left);
}

void GenerationQueue::begin_jobs() {
  for (bool worked = false; std::ssize(running_) < options_.rows;) {
    Waiting next;
    {
      const std::lock_guard lock(mutex_);
      if (waiting_.empty() || (worked && waiting_.front().job->before)) return;
      next = std::move(waiting_.front());
      waiting_.pop_front();
      if (next.job->cancelled) {
        ++numbers_.cancelled;
        continue;
      }
      numbers_.waited_seconds += seconds_since(next.since);
      numbers_.running = std::ssize(running_) + 1;
    }
    GenerationJob& job = *next.job;
    std::exception_ptr error;
    try {
      if (job.before) {
        worked = true;
        job.before();
      }
      if (job.tokens > 0) {
        if (!texts_) texts_.emplace(model_);
        const uint64_t name = texts_->add(std::move(job.text));
        running_.emplace(name, Running{next.job, Clock::now(), job.tokens});
        continue;
      }
    } catch (...) {
      error = std::current_exception();
    }
    job.on_end(error);
    const std::lock_guard lock(mutex_);
    ++(error ? numbers_.failed : numbers_.ended);
  }
}

void GenerationQueue::step() {
  if (running_.empty()) return;
  const Clock::time_point begin = Clock::now();
  int64_t written = 0;
  std::vector<std::pair<uint64_t, std::exception_ptr>> ended;
  texts_->step(
      [&](const ContinuousGeneration::Drawn& drawn) {
        Running& one = running_.at(drawn.name);
        ++written;
        if (!drawn.error && one.job->on_token(drawn.token, drawn.logits) && --one.left > 0) return true;
        ended.emplace_back(drawn.name, drawn.error);
        return false;
      },
      options_.most_read);
  for (const auto& [name, error] : ended) end(name, error);
  const std::lock_guard lock(mutex_);
  ++numbers_.steps;
  numbers_.written += written;
  numbers_.busy_seconds += seconds_since(begin);
}

void GenerationQueue::end(uint64_t name, const std::exception_ptr& error) {
  const auto at = running_.find(name);
  const Running one = std::move(at->second);
  running_.erase(at);
  one.job->on_end(error);
  const std::lock_guard lock(mutex_);
  ++(error ? numbers_.failed : numbers_.ended);
  if (!error) numbers_.running_seconds += seconds_since(one.since);
}

/// What went wrong is nobody's text: the memory is full, say. What waits may begin on a clean table.
void GenerationQueue::fail_all(const std::exception_ptr& error) {
  texts_.reset();
  while (!running_.empty()) {
    try {
      end(running_.begin()->first, error);
    } catch (...) {
      // There is no memory even to say so; the others are told.
    }
  }
}

}  // namespace weft::tools
