// Adafactor (Shazeer and Stern 2018, algorithms 4 and 5), as torch.optim.Adafactor has it: the second moment
// of a matrix is kept as the means r of its rows and c of its columns. With t, the steps of
// this parameter, w = t^beta2_decay and rho = min(lr, 1 / sqrt(t)):
//   r += w (mean over columns of g^2 - r),   c += w (mean over rows of g^2 - c),   v = r c / mean(r),
//   u = g / sqrt(max(v, eps1^2)),   p *= 1 - lr weight_decay,
//   p -= max(eps2, rms(p)) rho u / max(1, rms(u) / d).
// Parameters of fewer than two axes keep v whole, v += w (g^2 - v); of more, the last two axes are the
// matrix. Slots: row (..., R, 1), column (..., 1, C), variance.
#pragma once

#include <weft/lib/settings/settings.h>
#include <weft/optim/optimizer.h>

namespace weft {

struct AdafactorOptions {
  double lr = 1e-2;
  double beta2_decay = -0.8;
  double eps1 = 0.0;  ///< 0: the distance of 1 to the next number of the parameter's type
  double eps2 = 1e-3;
  double d = 1.0;  ///< greatest root mean square of u, at least 1
  double weight_decay = 0.0;

  static const Settings<AdafactorOptions>& settings();
};

/// ValueError for options out of range, with their names.
class Adafactor : public Optimizer {
 public:
  explicit Adafactor(std::vector<NamedTensor> parameters, AdafactorOptions options = {})
      : Adafactor(std::vector<ParameterGroup>{{std::move(parameters)}}, options) {}
  explicit Adafactor(std::vector<ParameterGroup> groups, AdafactorOptions options = {});
  std::string name() const override { return "adafactor"; }

 protected:
  void update(const ParameterUpdate& update) override;
  std::vector<std::optional<Shape>> slot_shapes(const NamedTensor& parameter) const override;

 private:
  const AdafactorOptions options_;
};

}  // namespace weft
