// Adam (Kingma and Ba 2015, algorithm 1) and AdamW (Loshchilov and Hutter 2019, algorithm 2), with bias
// correction:
//   m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2,
//   p -= lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps),
// where t counts the steps of this parameter. Slots: m, v.
#pragma once

#include <weft/lib/settings/settings.h>
#include <weft/optim/optimizer.h>

namespace weft {

struct AdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.0;  ///< added to the gradient: g += weight_decay p

  static const Settings<AdamOptions>& settings();
};

struct AdamWOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.01;  ///< apart from the gradient: p *= 1 - lr weight_decay

  static const Settings<AdamWOptions>& settings();
};

/// ValueError for options out of range, with their names.
class Adam : public Optimizer {
 public:
  explicit Adam(std::vector<NamedTensor> parameters, AdamOptions options = {})
      : Adam(std::vector<ParameterGroup>{{std::move(parameters)}}, options) {}
  explicit Adam(std::vector<ParameterGroup> groups, AdamOptions options = {});
  std::string name() const override { return "adam"; }

 protected:
  void update(const ParameterUpdate& update) override;
  bool is_by_element(const NamedTensor&) const override { return true; }

 private:
  const AdamOptions options_;
};

class AdamW : public Optimizer {
 public:
  explicit AdamW(std::vector<NamedTensor> parameters, AdamWOptions options = {})
      : AdamW(std::vector<ParameterGroup>{{std::move(parameters)}}, options) {}
  explicit AdamW(std::vector<ParameterGroup> groups, AdamWOptions options = {});
  std::string name() const override { return "adamw"; }

 protected:
  void update(const ParameterUpdate& update) override;
  bool is_by_element(const NamedTensor&) const override { return true; }

 private:
  const AdamWOptions options_;
};

/// AdamW's formula on one parameter, m and v being its slots from `first_slot` on: for optimizers that leave
/// some parameters to it.
void adamw_update(const ParameterUpdate& update, double beta1, double beta2, double eps, size_t first_slot);

}  // namespace weft
