// UpdateWatch: takes the statistics of one update while it is made. It changes no bit of it:
//
//   UpdateWatch watch(model, k);
//   TrainStep step(optimizer, {.seed = seed, .step = k});
//   step.backward(piece, [&] { return watch.loss([&] { return model.loss(batch); }); });
//   step.finish({.lr = lr, .on_gradients = [&](double scale) { watch.gradients(scale); }});
//   const UpdateStatistics found = watch.finish();
#pragma once

#include <weft/autograd/removable_handle.h>
#include <weft/layers/module.h>
#include <weft/train/watch/update_statistics.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace weft {

/// It reads the weights when it is made and keeps a copy of them until finish(). The model must outlive it.
class UpdateWatch {
 public:
  UpdateWatch(Module& model, int64_t step);
  ~UpdateWatch();
  UpdateWatch(const UpdateWatch&) = delete;
  UpdateWatch& operator=(const UpdateWatch&) = delete;

  /// What loss() gives. Of the first that is called so, what comes out of the layers is looked at: once, though backward
  /// may compute it anew (autograd/recompute.h). Of a layer that is called several times all results count as one.
  template <class LossOf>
  auto loss(LossOf&& loss) {
    const Looking looking(*this);
    return loss();
  }
  /// Looks at each parameter's gradient times `scale`.
  void gradients(double scale);
  /// Looks at what has become of the weights, and gives all of it.
  UpdateStatistics finish();

 private:
  struct Layer {
    std::string path;
    TensorStatistics found = {};
    bool called = false;
  };
  /// While it lives, results count.
  class Looking {
   public:
    explicit Looking(UpdateWatch& watch) : watch_(watch) { watch.looks_ = !watch.looked_; }
    ~Looking() { watch_.looks_ = false, watch_.looked_ = true; }
    Looking(const Looking&) = delete;
    Looking& operator=(const Looking&) = delete;

   private:
    UpdateWatch& watch_;
  };

  void hook(Module& module);
  void unhook();

  Module& model_;
  UpdateStatistics found_;
  std::vector<NamedTensor> parameters_;
  std::vector<Array> before_;                   ///< of each parameter
  std::vector<std::unique_ptr<Layer>> layers_;  ///< in the order of the tree
  std::vector<RemovableHandle> hooks_;
  bool looks_ = false, looked_ = false;
};

}  // namespace weft
