// Rotary position embeddings.
#pragma once

#include <weft/autograd/tensor.h>
#include <weft/lib/kernels/fused/rotary.h>

#include <span>

namespace weft {

using kernels::RotaryFrequencies;

/// Turns queries or keys by their places (Su et al. 2021), so that their products depend on the distance of
/// the places alone. x (B, T, H D) with the heads side by side, D even; token t stands at place p = offset +
/// t, and for i < D / 2, with a = p base^(-2i / D), in each head
///   y[i] = x[i] cos a - x[D/2 + i] sin a,   y[D/2 + i] = x[D/2 + i] cos a + x[i] sin a:
/// Llama's layout as transformers has it, where halves are turned rather than neighbours. The offset is the
/// length of the cache in decoding; a token has the same bits there as in a whole pass. float32 or float64;
/// angles are computed in double. ShapeError unless `heads` cuts x into heads of an even width; ValueError
/// for a base that is not positive, and for a negative offset. The frequencies may be scaled
/// (RotaryFrequencies in lib/kernels/fused/rotary.h); a number is their base.
Tensor rotary(const Tensor& x, int64_t heads, const RotaryFrequencies& frequencies = 10000.0,
              int64_t offset = 0);
/// Rows that begin at offsets of their own, one a row (ShapeError otherwise).
Tensor rotary(const Tensor& x, int64_t heads, const RotaryFrequencies& frequencies,
              std::span<const int64_t> offsets);
/// Token t of row b stands at places[b, t], int64 (B, T): those of documents that share rows.
Tensor rotary(const Tensor& x, int64_t heads, const RotaryFrequencies& frequencies, const Array& places);

}  // namespace weft
