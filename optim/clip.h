// Measuring and limiting gradients.
#pragma once

#include <weft/autograd/named_tensor.h>

#include <vector>

namespace weft {

/// Square root of the sum of squares of all gradients, in double.
double grad_norm(const std::vector<NamedTensor>& parameters);
/// Multiplies all gradients by min(1, max_norm / (norm + 1e-6)) in place (Pascanu et al. 2013); returns the
/// norm before. ValueError unless max_norm > 0.
double clip_grad_norm(const std::vector<NamedTensor>& parameters, double max_norm);
/// Brings every element of every gradient into [-limit, limit]. ValueError unless limit > 0.
void clip_grad_value(const std::vector<NamedTensor>& parameters, double limit);
/// Name of the first parameter whose gradient holds a NaN or infinity; empty when none does.
std::string first_nonfinite_grad(const std::vector<NamedTensor>& parameters);

}  // namespace weft
