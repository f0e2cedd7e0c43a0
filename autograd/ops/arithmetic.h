// Arithmetic of two tensors, with broadcasting (lib/shape.h). Element types must be equal: TypeError
// otherwise.
#pragma once

#include <weft/autograd/tensor.h>

namespace weft {

Tensor add(const Tensor& a, const Tensor& b);
Tensor sub(const Tensor& a, const Tensor& b);
Tensor mul(const Tensor& a, const Tensor& b);
Tensor div(const Tensor& a, const Tensor& b);
/// a^b. The gradient for b is 0 where a is 0 and b at least 0, as in PyTorch.
Tensor pow(const Tensor& a, const Tensor& b);
Tensor pow(const Tensor& a, double exponent);
/// The larger (smaller) of both; NaN where either is. Where both are equal, each gets half of the gradient.
Tensor maximum(const Tensor& a, const Tensor& b);
Tensor minimum(const Tensor& a, const Tensor& b);

Tensor operator+(const Tensor& a, const Tensor& b);
Tensor operator-(const Tensor& a, const Tensor& b);
Tensor operator*(const Tensor& a, const Tensor& b);
Tensor operator/(const Tensor& a, const Tensor& b);
Tensor operator+(const Tensor& a, double b);
Tensor operator-(const Tensor& a, double b);
Tensor operator*(const Tensor& a, double b);
Tensor operator/(const Tensor& a, double b);
Tensor operator+(double a, const Tensor& b);
Tensor operator-(double a, const Tensor& b);
Tensor operator*(double a, const Tensor& b);
Tensor operator/(double a, const Tensor& b);
Tensor operator-(const Tensor& x);

/// Comparisons have no gradient: they give a bool array.
Array operator<(const Tensor& a, const Tensor& b);
Array operator<=(const Tensor& a, const Tensor& b);
Array operator>(const Tensor& a, const Tensor& b);
Array operator>=(const Tensor& a, const Tensor& b);
Array operator<(const Tensor& a, double b);
Array operator<=(const Tensor& a, double b);
Array operator>(const Tensor& a, double b);
Array operator>=(const Tensor& a, double b);

}  // namespace weft
