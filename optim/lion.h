// Lion (Chen et al. 2023, algorithm 2): the sign of a momentum, with decoupled weight decay:
//   p -= lr (sign(beta1 m + (1 - beta1) g) + weight_decay p),   m = beta2 m + (1 - beta2) g.
// Its rate is wanted 3 to 10 times below AdamW's, its weight decay as much above. Slot: m.
#pragma once

#include <weft/lib/settings/settings.h>
#include <weft/optim/optimizer.h>

namespace weft {

struct LionOptions {
  double lr = 1e-4;
  double beta1 = 0.9;
  double beta2 = 0.99;
  double weight_decay = 0.0;

  static const Settings<LionOptions>& settings();
};

/// ValueError for options out of range, with their names.
class Lion : public Optimizer {
 public:
  explicit Lion(std::vector<NamedTensor> parameters, LionOptions options = {})
      : Lion(std::vector<ParameterGroup>{{std::move(parameters)}}, options) {}
  explicit Lion(std::vector<ParameterGroup> groups, LionOptions options = {});
  std::string name() const override { return "lion"; }

 protected:
  void update(const ParameterUpdate& update) override;
  bool is_by_element(const NamedTensor&) const override { return true; }

 private:
  const LionOptions options_;
};

}  // namespace weft
