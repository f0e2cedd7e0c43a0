// The mean loss over windows, without training.
#pragma once

#include <weft/data/dataset.h>
#include <weft/layers/models/model.h>
#include <weft/lib/processes/processes.h>

#include <cstdint>
#include <functional>
#include <string>

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

/// The losses of batches that one of several processes has computed, for all.
class SharedLosses {
 public:
  void add(const Loss& loss);
  /// Into `meter`, those of all processes by rank.
  void gather(Processes& processes, LossMeter& meter) const;

 private:
  std::string packed_;
};

/// Adds up the losses of all windows of `windows` (Samples or ScoredWindows), `batch_size` at a time;
/// the sum does not depend on batch_size. `each`, called before every batch with the number of windows done,
/// may throw to stop. Of several processes each computes a part, and all get the sum, the same as of one.
template <class Windows>
LossMeter evaluate(Model& model, const Windows& windows, int64_t batch_size,
                   const std::function<void(int64_t done)>& each = {}, Processes* processes = nullptr) {
  const Evaluating evaluating(model);
  LossMeter meter;
  if (processes == nullptr || processes->size() == 1) {
    for (int64_t first = 0; first < windows.size(); first += batch_size) {
      if (each) each(first);
      meter.add(model.loss(windows.batch(first, batch_size)));
    }
    return meter;
  }
  const int64_t batches = (windows.size() + batch_size - 1) / batch_size;
  const NumberRange mine = part_of(batches, processes->size(), processes->rank());
  SharedLosses losses;
  for (int64_t batch = mine.begin; batch < mine.end; ++batch) {
    if (each) each((batch - mine.begin) * batch_size * processes->size());
    losses.add(model.loss(windows.batch(batch * batch_size, batch_size)));
  }
  losses.gather(*processes, meter);
  return meter;
}

}  // namespace weft
