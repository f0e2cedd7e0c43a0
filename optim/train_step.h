// TrainStep: one update, from the first micro-batch to the changed weights:
//
//   TrainStep step(optimizer, {.seed = 1337, .step = k});
//   for (int64_t micro = 0; micro < accumulation; ++micro) step.backward(model, loader.next());
//   const double norm = step.finish({.lr = 1e-3, .max_norm = 1.0});
//
// It counts what must be counted: samples, so that each micro-batch draws the random numbers (dropout) of its own part
// of the whole batch; and rows of the loss, by which the gradient of the sum is divided once. A batch cut into
// micro-batches gives the bits of the batch at once.
#pragma once

#include <weft/autograd/ops/loss.h>
#include <weft/lib/array/batch.h>
#include <weft/lib/array/random.h>
#include <weft/lib/profile/profile.h>
#include <weft/optim/gradient_shards.h>
#include <weft/optim/optimizer.h>

#include <cstdint>
#include <functional>
#include <utility>

namespace weft {

class TrainStep {
 public:
  struct Options {
    uint64_t seed = 0;  ///< of the run, for random layers
    int64_t step = 0;   ///< number of this update in the run
    /// Where the samples come in shards, over several processes perhaps; they then come as pieces.
    GradientShards* shards = nullptr;
  };
  /// StateError when a parameter has a gradient already, of a backward() outside of a step: it would be divided with the
  /// rest.
  TrainStep(Optimizer& optimizer, Options options);
  explicit TrainStep(Optimizer& optimizer) : TrainStep(optimizer, Options()) {}

  /// Forward and backward of `rows` further samples; loss() -> Loss is called within their RandomScope. NumericError
  /// when the loss is NaN or infinite.
  template <class LossOf>
  requires std::is_invocable_r_v<Loss, LossOf&> Loss backward(int64_t rows, LossOf&& loss) {
    return backward(whole(rows), loss);
  }
  /// The same of model.loss(batch).
  template <class M>
  Loss backward(M& model, const Batch& batch) {
    return backward(batch.inputs.dim(0), [&] { return model.loss(batch); });
  }
  /// The same of a piece of the update, as Loader::update() names them.
  template <class LossOf>
  requires std::is_invocable_r_v<Loss, LossOf&> Loss backward(const UpdatePiece& piece, LossOf&& loss) {
    const RandomScope random({.seed = options_.seed,
                              .step = static_cast<uint64_t>(options_.step),
                              .first_sample = static_cast<uint64_t>(piece.offset)});
    Loss part = [&] {
      const PhaseScope phase("forward");
      return loss();
    }();
    add(part, piece);
    return part;
  }
  template <class M>
  Loss backward(M& model, const Batch& batch, const UpdatePiece& piece) {
    return backward(piece, [&] { return model.loss(batch); });
  }

  /// Samples that were added here.
  int64_t samples() const { return samples_; }
  /// Rows of the loss (targets that count), and the mean loss, of all that was added here; after finish() those of the
  /// update, with what other processes added. ValueError of the mean when there is nothing.
  int64_t rows() const { return finished_ ? rows_ : meter_.count(); }
  double loss() const { return finished_ ? loss_ : meter_.mean(); }
  /// After finish(): what each process gave as FinishOptions::note, by rank.
  const std::vector<std::string>& notes() const { return notes_; }

  struct FinishOptions {
    double lr = 1e-3;
    double max_norm = 0.0;  ///< global norm that the averaged gradient is clipped to; 0: not
    std::string note = {};  ///< told all processes
    /// Called before the update, once the gradients are whole and known to be finite: each parameter's grad() times
    /// `scale` is the averaged gradient, not yet clipped.
    std::function<void(double scale)> on_gradients = nullptr;
  };
  /// Adds up the shards, divides, clips, updates, and forgets the gradients. Returns the norm of the averaged gradient before clipping.
  /// StateError when nothing was added, or no parameter has a gradient; NumericError, naming the first parameter, when the norm is NaN or infinite:
  /// nothing is updated then.
  double finish(const FinishOptions& options);

 private:
  UpdatePiece whole(int64_t rows) const;
  void add(const Loss& part, const UpdatePiece& piece);

  Optimizer& optimizer_;
  const Options options_;
  LossMeter meter_;
  int64_t samples_ = 0;
  bool finished_ = false;
  double loss_ = 0;
  int64_t rows_ = 0;
  std::vector<std::string> notes_;
};

}  // namespace weft
