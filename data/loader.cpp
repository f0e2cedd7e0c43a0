#include <weft/data/loader.h>
#include <weft/lib/base/error.h>

#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>

namespace weft {
namespace {

void check_position(const char* op, int64_t consumed) {
  if (consumed < 0) fail<ValueError>(op, ": samples consumed must be at least 0, not ", consumed);
}

}  // namespace

// The worker makes the batch at `wanted`, puts it into `ready` and waits until it is taken or another is
// wanted.
struct Loader::State {
  State(std::shared_ptr<const Dataset> source, int64_t size, int64_t first)
      : dataset(std::move(source)), batch_size(size), wanted(first), worker([this] { work(); }) {}
  ~State() {
    {
      const std::lock_guard lock(mutex);
      stop = true;
    }
    changed.notify_all();
    worker.join();
  }

  struct Made {
    int64_t first;
    int64_t count;
    Batch batch;
    std::exception_ptr error;
  };

  bool is_ready() const { return ready && ready->first == wanted; }

  void work() {
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [this] { return stop || !is_ready(); });
      if (stop) return;
      Made made{.first = wanted, .count = 0, .batch = {}, .error = nullptr};
      lock.unlock();
      try {
        made.count = dataset->next_batch(made.first, batch_size);
        made.batch = dataset->batch(made.first, made.count);
      } catch (...) {
        made.error = std::current_exception();
      }
      lock.lock();
      ready = std::move(made);
      changed.notify_all();
    }
  }

  void seek(int64_t consumed) {
    {
      const std::lock_guard lock(mutex);
      wanted = consumed;
      ready.reset();
    }
    changed.notify_all();
  }

  const std::shared_ptr<const Dataset> dataset;
  const int64_t batch_size;
  std::mutex mutex;
  std::condition_variable changed;
  int64_t wanted;
  std::optional<Made> ready;
  bool stop = false;
  std::thread worker;  // last: it uses all of the above
};

Loader::Loader(std::shared_ptr<const Dataset> dataset, int64_t batch_size, int64_t consumed) {
  if (!dataset) fail<ValueError>("Loader: no dataset");
  if (batch_size < 1) fail<ValueError>("Loader: batch_size must be at least 1, not ", batch_size);
  check_position("Loader", consumed);
  state_ = std::make_unique<State>(std::move(dataset), batch_size, consumed);
}

Loader::~Loader() = default;

Batch Loader::next() {
  Batch batch;
  {
    std::unique_lock lock(state_->mutex);
    state_->changed.wait(lock, [this] { return state_->is_ready(); });
    if (state_->ready->error) std::rethrow_exception(state_->ready->error);
    batch = std::move(state_->ready->batch);
    state_->wanted += state_->ready->count;
    state_->ready.reset();
  }
  state_->changed.notify_all();
  return batch;
}

// `wanted` is changed by the thread that uses the Loader only, so it reads it without the lock.
int64_t Loader::consumed() const { return state_->wanted; }
int64_t Loader::batch_size() const { return state_->batch_size; }
int64_t Loader::epoch() const { return consumed() / state_->dataset->samples_per_epoch(); }

void Loader::seek(int64_t consumed) {
  check_position("Loader::seek", consumed);
  state_->seek(consumed);
}

StateDict Loader::state_dict() const {
  StateDict state;
  state.set("consumed", consumed());
  return state;
}

void Loader::load_state_dict(const StateDict& state) {
  const int64_t consumed = state.integer("consumed");
  if (consumed < 0) fail<StateError>("loader: samples consumed must be at least 0, not ", consumed);
  if (state.size() != 1) {
    std::string names;
    for (const std::string& key : state.keys()) names += key == "consumed" ? "" : " " + key;
    fail<StateError>("loader: unexpected entries:", names);
  }
  seek(consumed);
}

}  // namespace weft
