// The gradient noise scale (McCandlish et al. 2018, arXiv 1812.06162): the number of samples in an update at which noise and
// gradient are equal. Far below it, twice the samples save half the updates; far above, they save nothing.
#pragma once

namespace weft {

/// From the norms of pairs of gradients, one of few samples and one of many, at the same weights. With |g_b|^2 the squared
/// norm of the mean gradient of b samples, of a part of the B samples or of others (appendix A.1):
///   |G|^2 ~ (B |g_B|^2 - b |g_b|^2) / (B - b),  tr S ~ (|g_b|^2 - |g_B|^2) / (1 / b - 1 / B)
/// are each unbiased and noisy, so that their means over pairs are divided: tr S / |G|^2.
class GradientNoiseScale {
 public:
  /// `memory`: a pair weighs so much of the next one; at least 0 and below 1 (ValueError).
  explicit GradientNoiseScale(double memory = 0.95);
  /// ValueError unless 0 < few < many.
  void add(double few, double norm_of_few, double many, double norm_of_many);
  /// In samples; 0 while chance makes either mean negative, and before the first pair.
  double value() const;

 private:
  double memory_, gradient_ = 0, noise_ = 0;
};

}  // namespace weft
