// Mask: who may attend to whom. True always means "may attend".
#pragma once

#include <weft/lib/array.h>

#include <cstdint>
#include <vector>

namespace weft {

/// Conditions on (sample b, head h, query t, key s), all of which must hold; an empty mask lets everything
/// through.
///   Mask::causal() & Mask::lengths({5, 3})
struct Mask {
  /// Query t may attend to keys 0 .. offset + t; the offset is the number of keys that lie before the first
  /// query.
  static Mask causal(int64_t offset = 0);
  /// The same with an offset for each sample. ValueError for none, or a negative one.
  static Mask causal(std::vector<int64_t> offsets);
  /// Sample b has lengths[b] keys; those after are padding on the right. ValueError for none, or a negative
  /// one.
  static Mask lengths(std::vector<int64_t> lengths);
  /// Any bool array that broadcasts to (B, H, T, S). TypeError when it is not bool.
  static Mask allowed(Array allowed);

  bool is_causal = false;
  int64_t causal_offset = 0;            ///< of all samples, unless
  std::vector<int64_t> causal_offsets;  ///< each has its own
  std::vector<int64_t> key_lengths;
  Array allow;

  bool empty() const { return !is_causal && key_lengths.empty() && !allow.defined(); }
  /// ShapeError that names `op` when the mask does not fit (B, H, T, S).
  void check(const char* op, int64_t B, int64_t H, int64_t T, int64_t S) const;
  /// All conditions as one bool array (B or 1, H or 1, T, S).
  Array dense(int64_t B, int64_t H, int64_t T, int64_t S) const;
};

/// Both must hold. ValueError when both are causal with different offsets, or both give lengths that differ.
Mask operator&(const Mask& a, const Mask& b);

}  // namespace weft
