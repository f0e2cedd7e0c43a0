// GradientShards: the gradient of an update summed over its shards (lib/processes/shards.h), and over the processes that
// compute them: the same bits however many these are. Data-parallel training takes three more words than a loop of one
// process:
//
//   Processes& processes = Processes::joined();
//   GradientShards shards(optimizer.parameters(), 8, processes);
//   Loader loader(dataset, batch_size, shards.share());
//   for (...) {
//     TrainStep step(optimizer, {.seed = seed, .step = k, .shards = &shards});
//     for (const UpdatePiece& piece : loader.update()) step.backward(model, loader.next(), piece);
//     step.finish({.lr = lr});
//   }
//
// While the last shard of a process is differentiated, gradients that are whole go on their way to the others in packs of
// about 4 MB, in the order in which the first process was through with them in the first update. Each process adds a part of them and gives the sum to all, so that it sends 2 (P - 1) / P of the gradient, the
// least there is; a process whose shards are several subtrees of the tree, as with three processes, sends each of them.
#pragma once

#include <weft/autograd/named_tensor.h>
#include <weft/autograd/ops/loss.h>
#include <weft/lib/processes/processes.h>

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

namespace weft {

class GradientShards {
 public:
  /// ValueError unless `shards` is a power of two and there is one for each process.
  GradientShards(std::vector<NamedTensor> parameters, int64_t shards, Processes& processes);
  GradientShards(const GradientShards&) = delete;
  GradientShards& operator=(const GradientShards&) = delete;

  /// What a Loader hands out here of updates of so many micro-batches.
  UpdateShare share(int64_t batches = 1) const;
  Processes& processes() const { return processes_; }

  /// Forgets what an update that failed has left. The steps of a TrainStep, which calls them:
  void begin();
  BackwardOptions backward_options(const UpdatePiece& piece);
  void end_piece(const UpdatePiece& piece, const Loss& loss);

  struct Total {
    double loss = 0;                      ///< sum over all rows
    int64_t rows = 0;                     ///< of the loss, of all shards
    std::vector<std::string> notes = {};  ///< of each process, by rank
  };
  /// Puts the sums in the place of the gradients, and gives those of the loss; `note` travels along.
  Total finish(const std::string& note = {});

  /// Bytes that are held beside arrays while gradients are on their way.
  int64_t staging_bytes() const;

 private:
  struct Partial {
    Subtree subtree;
    Array sum;  ///< undefined where nobody gave it a gradient
  };
  /// A stretch of a parameter's gradient.
  struct Segment {
    size_t parameter;
    int64_t begin, count;
  };
  struct Pack {
    DType dtype = float32;
    int64_t count = 0;
    std::vector<Segment> segments = {};
  };

  /// Parameters in the order in which backward is through with them, as far as that is known.
  void make_packs(const std::vector<size_t>& order);
  /// The gradient of a parameter in one shard is whole.
  void push(size_t parameter, int64_t shard, Array gradient);
  Array taken(size_t parameter);
  void end_shard(int64_t shard);
  /// Sends packs whose gradients are there, in their order.
  void send_packs();
  void send(const Pack& pack);

  std::vector<NamedTensor> parameters_;
  const int64_t shards_;
  Processes& processes_;
  const NumberRange mine_;
  std::unordered_map<const void*, size_t> numbers_;  ///< of parameters, by their state
  std::vector<Pack> packs_;
  std::vector<size_t> order_;  ///< of the parameters in the first update
  bool is_first_update_ = true;

  // Of the update that is under way.
  std::vector<std::vector<Partial>> partials_;  ///< by parameter
  std::vector<bool> done_;                      ///< whose gradient is whole here, by parameter
  size_t sent_ = 0;                             ///< packs
  int64_t next_ = 0;                            ///< shard that is to end next
  LossMeter meter_;                             ///< of that shard
  struct ShardLoss {
    double sum = 0;
    int64_t rows = 0;
  };
  std::vector<ShardLoss> losses_;  ///< of shards that have ended
};

}  // namespace weft
