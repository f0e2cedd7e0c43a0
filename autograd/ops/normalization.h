// Softmax, layer norm and RMS norm.
#pragma once

#include <weft/autograd/tensor.h>

namespace weft {

/// exp(x_i - max) / sum_j exp(x_j - max) along `axis`, of x's shape. Where all of a row is -inf, zeros.
Tensor softmax(const Tensor& x, int axis = -1);
/// x - log sum exp(x) along `axis`, of x's shape, without forming the softmax.
Tensor log_softmax(const Tensor& x, int axis = -1);
/// x (..., C) -> (..., C): (x - mean) / sqrt(var + eps) weight + bias over the last axis, var without
/// Bessel's correction (Ba et al. 2016); weight and bias (C) or undefined.
Tensor layer_norm(const Tensor& x, const Tensor& weight = {}, const Tensor& bias = {}, double eps = 1e-5);
/// x (..., C) -> (..., C): x / sqrt(mean(x^2) + eps) weight over the last axis (Zhang and Sennrich 2019);
/// weight (C) or undefined. PyTorch's default eps is the rounding of the type; this one is that of Llama and
/// T5.
Tensor rms_norm(const Tensor& x, const Tensor& weight = {}, double eps = 1e-6);

}  // namespace weft
