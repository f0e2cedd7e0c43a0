// Functions of each element.
#pragma once

#include <weft/autograd/tensor.h>

namespace weft {

Tensor exp(const Tensor& x);
Tensor log(const Tensor& x);
Tensor sqrt(const Tensor& x);
Tensor square(const Tensor& x);
Tensor sin(const Tensor& x);
Tensor cos(const Tensor& x);
Tensor erf(const Tensor& x);
/// |x|; the gradient at 0 is 0.
Tensor abs(const Tensor& x);
Tensor tanh(const Tensor& x);
/// 1 / (1 + exp(-x)).
Tensor sigmoid(const Tensor& x);
/// max(x, 0); the gradient at 0 is 0.
Tensor relu(const Tensor& x);
/// x sigmoid(x) (Elfwing et al. 2017).
Tensor silu(const Tensor& x);

/// x Phi(x) (Hendrycks and Gimpel 2016), exact by erf, or with their tanh formula
/// x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2, which GPT-2 was trained with.
enum class Gelu { exact, tanh };
Tensor gelu(const Tensor& x, Gelu form = Gelu::exact);

/// min(max(x, low), high); the gradient passes where low <= x <= high. ValueError when low > high.
Tensor clamp(const Tensor& x, double low, double high);
/// condition ? a : b, all broadcast; `condition` is bool.
Tensor where(const Array& condition, const Tensor& a, const Tensor& b);
/// `value` where mask (bool, broadcast) is true, else x.
Tensor masked_fill(const Tensor& x, const Array& mask, double value);

}  // namespace weft
