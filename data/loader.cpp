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

// The worker makes the piece that is `wanted`, puts it into `ready` and waits until it is taken or another is wanted.
struct Loader::State {
  State(std::shared_ptr<const Dataset> source, int64_t size, UpdateShare parts, int64_t first)
      : dataset(std::move(source)),
        batch_size(size),
        share(std::move(parts)),
        wanted{first, 0},
        worker([this] { work(); }) {}
  ~State() {
    {
      const std::lock_guard lock(mutex);
      stop = true;
    }
    changed.notify_all();
    worker.join();
  }

  /// A piece: of the update that begins with that sample, number `piece`.
  struct Place {
    int64_t update = 0;
    size_t piece = 0;
    bool operator==(const Place&) const = default;
  };
  struct Update {
    int64_t samples = 0;
    std::vector<UpdatePiece> pieces;
  };
  struct Made {
    Place place;
    std::shared_ptr<const Update> update;
    Batch batch;  ///< empty of an update without pieces
    std::exception_ptr error;
  };

  bool is_ready() const { return ready && ready->place == wanted; }

  Update update_at(int64_t first) const {
    std::vector<int64_t> batches;
    Update made;
    for (int64_t i = 0; i < share.batches; ++i) {
      batches.push_back(dataset->next_batch(first + made.samples, batch_size));
      made.samples += batches.back();
    }
    made.pieces = pieces_of(first, batches, share);
    return made;
  }

  void work() {
    std::shared_ptr<const Update> update;
    int64_t updates_first = -1;
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [this] { return stop || !is_ready(); });
      if (stop) return;
      Made made{.place = wanted, .update = nullptr, .batch = {}, .error = nullptr};
      lock.unlock();
      try {
        if (!update || updates_first != made.place.update) {
          update = std::make_shared<const Update>(update_at(made.place.update));
          updates_first = made.place.update;
        }
        made.update = update;
        if (made.place.piece < update->pieces.size()) {
          const UpdatePiece& piece = update->pieces[made.place.piece];
          made.batch = dataset->batch(piece.first, piece.count);
        }
      } catch (...) {
        made.error = std::current_exception();
      }
      lock.lock();
      ready = std::move(made);
      changed.notify_all();
    }
  }

  /// Waits for what is wanted, with the lock held.
  Made& taken(std::unique_lock<std::mutex>& lock) {
    changed.wait(lock, [this] { return is_ready(); });
    if (ready->error) std::rethrow_exception(ready->error);
    return *ready;
  }

  /// Goes on behind what is ready.
  void go_on() {
    const Update& update = *ready->update;
    if (wanted.piece + 1 < update.pieces.size())
      ++wanted.piece;
    else
      wanted = {wanted.update + update.samples, 0};
    ready.reset();
    changed.notify_all();
  }

  void seek(int64_t consumed) {
    {
      const std::lock_guard lock(mutex);
      wanted = {consumed, 0};
      ready.reset();
    }
    changed.notify_all();
  }

  const std::shared_ptr<const Dataset> dataset;
  const int64_t batch_size;
  const UpdateShare share;
  std::mutex mutex;
  std::condition_variable changed;
  Place wanted;
  std::optional<Made> ready;
  bool stop = false;
  std::thread worker;  // last: it uses all of the above
};

Loader::Loader(std::shared_ptr<const Dataset> dataset, int64_t batch_size, UpdateShare share,
               int64_t consumed) {
  if (!dataset) fail<ValueError>("Loader: no dataset");
  if (batch_size < 1) fail<ValueError>("Loader: batch_size must be at least 1, not ", batch_size);
  if (share.batches < 1) fail<ValueError>("Loader: an update of ", share.batches, " micro-batches");
  check_position("Loader", consumed);
  state_ = std::make_unique<State>(std::move(dataset), batch_size, std::move(share), consumed);
}

Loader::~Loader() = default;

std::vector<UpdatePiece> Loader::update() {
  std::unique_lock lock(state_->mutex);
  if (state_->wanted.piece > 0)
    fail<StateError>("Loader: update() is called while an update is handed out, of which ",
                     state_->wanted.piece, " pieces are gone");
  std::vector<UpdatePiece> pieces = state_->taken(lock).update->pieces;
  if (pieces.empty()) state_->go_on();
  return pieces;
}

Batch Loader::next() {
  std::unique_lock lock(state_->mutex);
  while (state_->taken(lock).update->pieces.empty()) state_->go_on();
  Batch batch = std::move(state_->ready->batch);
  state_->go_on();
  return batch;
}

// `wanted` is changed by the thread that uses the Loader only, so it reads it without the lock.
int64_t Loader::consumed() const { return state_->wanted.update; }
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
