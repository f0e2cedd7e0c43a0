// Loader: batches of a dataset in the order of its samples, the next one prepared in the background.
#pragma once

#include <weft/data/dataset.h>
#include <weft/lib/array/state_dict.h>
#include <weft/lib/processes/shards.h>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace weft {

/// The position is the number of samples handed out, and all of the state. One thread may use a Loader at a
/// time.
///   Loader loader(dataset, 12);
///   Batch batch = loader.next();
///
/// Where updates are cut into shards (lib/processes/shards.h), it hands out the samples of those that are computed here:
///   Loader loader(dataset, 12, shards.share());
///   for (const UpdatePiece& piece : loader.update()) { const Batch batch = loader.next(); ... }
class Loader {
 public:
  /// ValueError when batch_size is below 1 or `consumed` below 0.
  Loader(std::shared_ptr<const Dataset> dataset, int64_t batch_size, int64_t consumed = 0)
      : Loader(std::move(dataset), batch_size, UpdateShare(), consumed) {}
  Loader(std::shared_ptr<const Dataset> dataset, int64_t batch_size, UpdateShare share, int64_t consumed = 0);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The pieces of the update that is next, as next() will give them: of each of its micro-batches, as
  /// Dataset::next_batch() makes them, what belongs to one of the shards of here. An update of which nothing does is
  /// passed. StateError when next() has begun it.
  std::vector<UpdatePiece> update();
  /// The samples of the next piece: without shards, and one micro-batch an update, [consumed(), consumed() + n), where n is
  /// Dataset::next_batch(), batch_size unless the dataset says otherwise. What the dataset throws comes out here, and in
  /// update(), again at every call until a seek; the position then stays.
  Batch next();

  /// Samples of the updates that were handed out.
  int64_t consumed() const;
  int64_t batch_size() const;
  int64_t epoch() const;  ///< of the next sample
  /// The next sample to hand out. Costs nothing that grows with the distance.
  void seek(int64_t consumed);

  /// {"consumed": n}.
  StateDict state_dict() const;
  /// StateError when "consumed" is missing or negative, or anything else is there; the position then stays.
  void load_state_dict(const StateDict& state);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// PyTorch's name.
using DataLoader = Loader;

}  // namespace weft
