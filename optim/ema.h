// Averages of the weights over training (Polyak and Juditsky 1992), decaying exponentially, as
// torch.optim.swa_utils.AveragedModel with get_ema_multi_avg_fn:
//   average += (1 - decay) (weight - average) after each step, beginning from the weights after the first.
#pragma once

#include <weft/autograd/named_tensor.h>
#include <weft/lib/array/state_dict.h>

#include <map>
#include <string>
#include <vector>

namespace weft {

class EMA {
 public:
  /// ValueError when a name occurs twice, and unless decay is in [0, 1].
  explicit EMA(std::vector<NamedTensor> parameters, double decay = 0.999);
  EMA(const EMA&) = delete;
  EMA& operator=(const EMA&) = delete;

  /// To be called after each step of the optimizer. The average of a parameter whose type has changed (Module::to) follows
  /// it. StateError while the weights are exchanged, and for a parameter that has another shape than its average.
  void update();
  int64_t updates() const { return updates_; }

  /// While it lives, the parameters hold the averages: to evaluate them, or to save them as the model.
  ///   { const EMA::Exchange averaged(ema);  evaluate(model); }
  /// Afterwards the weights have the bits that they had. Before the first update nothing is exchanged.
  /// StateError for a second one at once. Between backward and its step it must not begin: what backward has
  /// saved changes.
  class Exchange {
   public:
    [[nodiscard]] explicit Exchange(EMA& ema);
    ~Exchange();
    Exchange(const Exchange&) = delete;
    Exchange& operator=(const Exchange&) = delete;

   private:
    EMA& ema_;
  };

  /// "updates", and "average", a dict of arrays by parameter name. Copies: a snapshot to keep, and to come back to.
  StateDict state_dict() const;
  /// The same without copies: the averages themselves, which change with the next update. For writing a checkpoint on
  /// the spot.
  StateDict shared_state_dict() const;
  /// StateError, with the three lists of names, when the state does not fit the parameters; nothing is
  /// changed then.
  void load_state_dict(const StateDict& state);

 private:
  void exchange();
  void check_own() const;
  /// In the type that the parameter has now.
  Array& average_of(const NamedTensor& parameter);

  std::vector<NamedTensor> parameters_;
  const double decay_;
  std::map<std::string, Array> averages_;
  int64_t updates_ = 0;
  bool exchanged_ = false;
};

}  // namespace weft
