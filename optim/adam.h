// Adam (Kingma and Ba 2015, algorithm 1) and AdamW (Loshchilov and Hutter 2019, algorithm 2), with bias
// correction:
//   m = beta1 m + (1 - beta1) g,   v = beta2 v + (1 - beta2) g^2,
//   p -= lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps).
// Slots: m, v.
#pragma once

#include <weft/optim/optimizer.h>

namespace weft {

struct AdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.0;  ///< added to the gradient: g += weight_decay p
};

struct AdamWOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.01;  ///< apart from the gradient: p *= 1 - lr weight_decay
};

/// ValueError for options out of range, with their names.
class Adam : public Optimizer {
 public:
  explicit Adam(std::vector<NamedTensor> parameters, AdamOptions options = {})
      : Adam(Groups{{std::move(parameters), options}}) {}
  using Groups = std::vector<ParameterGroup<AdamOptions>>;
  explicit Adam(Groups groups);
  void set_lr(double lr) override;

 protected:
  void update(size_t group, int64_t t, Array& parameter, const Array& grad, double grad_scale,
              std::vector<Array>& slots) override;

 private:
  std::vector<AdamOptions> options_;
};

class AdamW : public Optimizer {
 public:
  explicit AdamW(std::vector<NamedTensor> parameters, AdamWOptions options = {})
      : AdamW(Groups{{std::move(parameters), options}}) {}
  using Groups = std::vector<ParameterGroup<AdamWOptions>>;
  explicit AdamW(Groups groups);
  void set_lr(double lr) override;

 protected:
  void update(size_t group, int64_t t, Array& parameter, const Array& grad, double grad_scale,
              std::vector<Array>& slots) override;

 private:
  std::vector<AdamWOptions> options_;
};

}  // namespace weft
