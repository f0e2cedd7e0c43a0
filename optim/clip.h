// Measuring and limiting gradients.
#pragma once

#include <weft/autograd/named_tensor.h>

#include <vector>

namespace weft {

/// Square root of the sum of squares of all gradients, in double.
double grad_norm(const std::vector<NamedTensor>& parameters);
/// The same times `scale`, for an operation that is to go on with it: NumericError, beginning with `op` and naming the
/// first parameter whose gradient holds a NaN or infinity, when the norm is not finite.
double finite_grad_norm(const char* op, const std::vector<NamedTensor>& parameters, double scale = 1.0);
/// Multiplies all gradients by min(1, max_norm / (norm + 1e-6)) in place (Pascanu et al. 2013); returns the
/// norm before. ValueError unless max_norm > 0. NumericError, as from finite_grad_norm(), for gradients that are not
/// finite, which no factor mends (PyTorch's error_if_nonfinite=True): they stay as they are.
double clip_grad_norm(const std::vector<NamedTensor>& parameters, double max_norm);
/// Brings every element of every gradient into [-limit, limit], infinities too. ValueError unless limit > 0;
/// NumericError that names the first parameter whose gradient holds a NaN: all stay as they are.
void clip_grad_value(const std::vector<NamedTensor>& parameters, double limit);
/// Name of the first parameter whose gradient holds a NaN or infinity; empty when none does.
std::string first_nonfinite_grad(const std::vector<NamedTensor>& parameters);

}  // namespace weft
