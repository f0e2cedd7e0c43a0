// The training step that is measured: forward, loss, backward, clip to 1, AdamW (beta 0.9, 0.99, decay 0.1);
// no dropout, no bias.
#pragma once

#include <weft/autograd/autocast.h>
#include <weft/optim/adam.h>
#include <weft/optim/train_step.h>

#include <optional>

#include "models.h"

namespace bench {

class TrainingStep {
 public:
  /// Without the optimizer: forward, loss and backward only.
  explicit TrainingStep(const Model& m, bool with_optimizer = true, weft::DType dtype = weft::float32)
      : random_({.seed = 1}),
        dtype_(dtype),
        model_(m.config),
        inputs_(some_ids(m, 1)),
        targets_(some_ids(m, 2)) {
    if (with_optimizer)
      optimizer_.emplace(weft::parameter_groups(model_.parameters()),
                         weft::AdamWOptions{.beta2 = 0.99, .weight_decay = 0.1});
  }

  /// One step on the same batch; its loss.
  double operator()() {
    if (optimizer_) {
      weft::TrainStep step(*optimizer_, {.seed = 1});
      step.backward(inputs_.dim(0), [&] { return forward(); });
      const double loss = step.loss();
      step.finish({.lr = 1e-3, .max_norm = 1.0});
      return loss;
    }
    const weft::Loss loss = forward();
    loss.sum.backward();
    model_.zero_grad();
    return loss.mean().item();
  }

 private:
  weft::Loss forward() const {
    const weft::Autocast computing(dtype_);
    return model_.loss({inputs_, targets_});
  }

  /// Ids without a pattern that the model could learn in a few steps.
  static weft::Array some_ids(const Model& m, uint64_t stream) {
    weft::Array ids({m.batch, m.tokens}, weft::int64);
    int64_t* const values = ids.mutable_data<int64_t>();
    for (int64_t i = 0; i < ids.size(); ++i)
      values[i] =
          static_cast<int64_t>(weft::integer_at(weft::random_key(1, stream), 0, static_cast<uint64_t>(i),
                                                static_cast<uint64_t>(m.config.vocab_size)));
    return ids;
  }

  weft::RandomScope random_;
  weft::DType dtype_;
  weft::GPT model_;
  std::optional<weft::AdamW> optimizer_;
  weft::Array inputs_, targets_;
};

/// Steps that take a few seconds.
inline int default_steps(const Model& m) { return m.name == "nano" ? 200 : m.name == "baby" ? 10 : 8; }

}  // namespace bench
