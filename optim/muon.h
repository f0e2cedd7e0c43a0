// Muon (Jordan et al. 2024; torch.optim.Muon): the momentum of a matrix, made nearly orthogonal by
// Newton-Schulz steps, and AdamW (adam.h) for all other parameters. For a matrix (R, C):
//   b += (1 - momentum) (g - b),   u = nesterov ? g + momentum (b - g) : b,   X = u / max(|u|, eps),
//   5 times: A = X X^T,  X = 3.4445 X + (-4.775 A + 2.0315 A^2) X     (of X^T where R > C),
//   p *= 1 - lr weight_decay,   p -= lr ratio X.
// PyTorch takes the steps in bfloat16; here they have the parameter's type. Slots: momentum, m, v.
#pragma once

#include <weft/lib/settings/settings.h>
#include <weft/optim/optimizer.h>

namespace weft {

struct MuonOptions {
  double lr = 1e-3;
  double weight_decay = 0.1;
  double momentum = 0.95;
  bool nesterov = true;
  double eps = 1e-7;
  int64_t ns_steps = 5;
  /// ratio 0.2 sqrt(max(R, C)), which moves a matrix as much as AdamW does at the same lr (Liu et al. 2025;
  /// PyTorch's adjust_lr_fn "match_rms_adamw"), so that one lr serves all; else sqrt(max(1, R / C)),
  /// PyTorch's default.
  bool match_rms_adamw = true;
  double beta1 = 0.9, beta2 = 0.999, adam_eps = 1e-8;  ///< of AdamW
  /// Patterns (parameter_groups.h) of the matrices that are left to AdamW, as embeddings and output layers
  /// should be. ValueError for one that is given and that no parameter has.
  std::vector<std::string> adamw = {"*embedding*", "*token*", "*head*"};

  static const Settings<MuonOptions>& settings();
};

/// ValueError for options out of range, with their names.
class Muon : public Optimizer {
 public:
  explicit Muon(std::vector<NamedTensor> parameters, MuonOptions options = {})
      : Muon(std::vector<ParameterGroup>{{std::move(parameters)}}, std::move(options)) {}
  explicit Muon(std::vector<ParameterGroup> groups, MuonOptions options = {});
  std::string name() const override { return "muon"; }

 protected:
  void update(const ParameterUpdate& update) override;
  /// Those that are left to AdamW.
  bool is_by_element(const NamedTensor& parameter) const override { return !slot_shapes(parameter)[0]; }
  std::vector<std::optional<Shape>> slot_shapes(const NamedTensor& parameter) const override;

 private:
  const MuonOptions options_;
};

/// Newton-Schulz: a matrix (R, C) whose singular values, all but the smallest, are brought near 1, between
/// 0.7 and 1.2; its singular vectors stay. `eps` bounds the norm that it is divided by first.
Array orthogonalized(const Array& matrix, int64_t steps = 5, double eps = 1e-7);

}  // namespace weft
