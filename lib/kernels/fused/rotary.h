// Rotary position embeddings (Su et al. 2021, equation 15), in the layout of Llama: column i of the first
// half of a head and column i of its second half are the plane that turns with frequency base^(-2i / D).
#pragma once

#include <weft/lib/array/array.h>

#include <cstdint>
#include <span>

namespace weft::kernels {

/// The turns of places offset .. offset + tokens - 1, (tokens, D): the cosines of place base^(-2i / D) for
/// i < D / 2, then the sines; angles in double, then rounded to `dtype`. ValueError unless D is even and not
/// negative, the base positive and finite, and the offset not negative.
Array rotary_table(int64_t tokens, int64_t D, double base, int64_t offset, DType dtype);
/// The same for rows that begin at offsets of their own: (B, tokens, D).
Array rotary_table(int64_t tokens, int64_t D, double base, std::span<const int64_t> offsets, DType dtype);

/// x (B, T, H D) of the type of table (T, D) or (B, T, D): y1 = x1 cos - x2 sin, y2 = x2 cos + x1 sin for the
/// halves of each head; `inverse` turns by the negative angles, which is also the gradient. ShapeError or
/// TypeError when they do not fit.
Array rotary(const Array& x, const Array& table, bool inverse);

}  // namespace weft::kernels
