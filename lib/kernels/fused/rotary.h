// Rotary position embeddings (Su et al. 2021, equation 15), in the layout of Llama: column i of the first
// half of a head and column i of its second half are the plane that turns with frequency base^(-2i / D).
#pragma once

#include <weft/lib/array/array.h>

#include <cstdint>
#include <span>
#include <vector>

namespace weft::kernels {

/// How fast the planes turn: f_i = base^(-2i / D) radians a place, slowed down by `scaling` for contexts longer than
/// those that a model was trained with.
///   linear  f_i / factor (Chen et al. 2023, position interpolation)
///   llama3  with the wave length w = 2 pi / f_i and n = original_context / w, the turns in the original context:
///           f_i for n > high_freq_factor, f_i / factor for n < low_freq_factor, and between the two
///           (1 - m) f_i / factor + m f_i with m = (n - low_freq_factor) / (high_freq_factor - low_freq_factor)
///           (Llama 3.1, as transformers computes it)
struct RotaryFrequencies {
  enum class Scaling { none, linear, llama3 };

  double base = 10000.0;
  Scaling scaling = Scaling::none;
  double factor = 1.0;
  double low_freq_factor = 1.0, high_freq_factor = 4.0;
  double original_context = 8192.0;

  RotaryFrequencies() = default;
  RotaryFrequencies(double of_base) : base(of_base) {}  // NOLINT: a base alone says it
  /// f_i for i < D / 2. ValueError unless D is even and not negative, the base positive and finite, the factors and
  /// the context too, and low_freq_factor below high_freq_factor.
  std::vector<double> of(int64_t D) const;
};

/// The turns of places offset .. offset + tokens - 1, (tokens, D): the cosines of place f_i for i < D / 2, then the
/// sines; angles in double, then rounded to `dtype`. ValueError as of RotaryFrequencies, and for an offset that is
/// negative.
Array rotary_table(int64_t tokens, int64_t D, const RotaryFrequencies& frequencies, int64_t offset,
                   DType dtype);
/// The same for rows that begin at offsets of their own: (B, tokens, D).
Array rotary_table(int64_t tokens, int64_t D, const RotaryFrequencies& frequencies,
                   std::span<const int64_t> offsets, DType dtype);

/// x (B, T, H D) of the type of table, or bfloat16 of one in float32, (T, D) or (B, T, D): y1 = x1 cos - x2 sin, y2 = x2 cos + x1 sin for the
/// halves of each head; `inverse` turns by the negative angles, which is also the gradient. With places, int64 (B, T),
/// token t of row b is turned by row places[b, t] of the table (N, D). ShapeError or TypeError when they do not fit,
/// ValueError for a place that the table lacks.
Array rotary(const Array& x, const Array& table, bool inverse, const Array& places = {});

}  // namespace weft::kernels
