// The mean loss over windows, without training.
#pragma once

#include <weft/data/dataset.h>
#include <weft/layers/models/model.h>

#include <cstdint>
#include <functional>

namespace weft {

/// The model in evaluation while it lives, then as it was; nothing is recorded meanwhile.
class Evaluating {
 public:
  [[nodiscard]] explicit Evaluating(Model& model) : model_(model), training_(model.training()) {
    model_.eval();
  }
  ~Evaluating() { model_.train(training_); }
  Evaluating(const Evaluating&) = delete;
  Evaluating& operator=(const Evaluating&) = delete;

 private:
  Model& model_;
  bool training_;
  NoGrad no_grad_;
};

/// Adds up the losses of all windows of `windows` (Samples or ScoredWindows), `batch_size` at a time;
/// the sum does not depend on batch_size. `each`, called before every batch with the number of windows done,
/// may throw to stop.
template <class Windows>
LossMeter evaluate(Model& model, const Windows& windows, int64_t batch_size,
                   const std::function<void(int64_t done)>& each = {}) {
  const Evaluating evaluating(model);
  LossMeter meter;
  for (int64_t first = 0; first < windows.size(); first += batch_size) {
    if (each) each(first);
    const Batch batch = windows.batch(first, batch_size);
    meter.add(model.loss(batch));
  }
  return meter;
}

}  // namespace weft
