// What a small model comes to, before it is trained: bench/SCALING.md has the runs that the numbers are fitted to, and how
// far off they are.
#pragma once

namespace weft {

/// The loss of a decoder of the kind `best` on prose, in bits a byte of text that it has not seen:
///   E + A / N^a + B / D^b
/// (Hoffmann et al. 2022, equation 2, in bytes for tokens). N, in millions, are the parameters that each token is multiplied
/// with; D, in millions, are bytes of text that are new to it. Text that comes again is worth less each time: of U bytes read
/// E times, D = U + U R (1 - exp(-(E - 1) / R)) (Muennighoff et al. 2023, equation 5).
struct ScalingLaw {
  double E, A, a, B, b;
  double R;

  /// N and D in ones, not millions. `distinct`: U, the bytes that there are.
  double bits_per_byte(double parameters, double read, double distinct) const;
  /// Fitted to runs on the books (bench/scaling), but for R, which is that of Muennighoff et al.
  static const ScalingLaw& of_books();
};

}  // namespace weft
