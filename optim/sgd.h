// Stochastic gradient descent with momentum (PyTorch's form of Sutskever et al. 2013):
//   g += weight_decay p,  b = momentum b + g,  p -= lr (nesterov ? g + momentum b : b).
// Slot: momentum, unless that is 0.
#pragma once

#include <weft/lib/settings/settings.h>
#include <weft/optim/optimizer.h>

namespace weft {

struct SGDOptions {
  double lr = 1e-3;
  double momentum = 0.0;
  double weight_decay = 0.0;
  bool nesterov = false;  ///< needs momentum

  static const Settings<SGDOptions>& settings();
};

/// ValueError for options out of range, with their names.
class SGD : public Optimizer {
 public:
  explicit SGD(std::vector<NamedTensor> parameters, SGDOptions options = {})
      : SGD(std::vector<ParameterGroup>{{std::move(parameters)}}, options) {}
  explicit SGD(std::vector<ParameterGroup> groups, SGDOptions options = {});
  std::string name() const override { return "sgd"; }

 protected:
  void update(const ParameterUpdate& update) override;
  bool is_by_element(const NamedTensor&) const override { return true; }
  std::vector<std::optional<Shape>> slot_shapes(const NamedTensor& parameter) const override;

 private:
  const SGDOptions options_;
};

}  // namespace weft
