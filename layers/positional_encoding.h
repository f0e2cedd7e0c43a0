// Positional encodings: what tells a transformer where a token stands.
#pragma once

#include <weft/autograd/ops.h>
#include <weft/layers/layer.h>

#include <span>

namespace weft {

/// The table of Vaswani et al. 2017, section 3.5, (length, width): sin(t / 10000^(2i / C)) in column 2i, cos
/// in column 2i + 1. ValueError for an odd width.
Array sinusoidal_table(int64_t length, int64_t width);

/// x (B, T, C) + rows of the table -> (B, T, C). Nothing is trained or saved.
class SinusoidalPositionalEncoding : public Layer<SinusoidalPositionalEncoding> {
 public:
  SinusoidalPositionalEncoding(int64_t length, int64_t width) : table_(sinusoidal_table(length, width)) {}
  /// The first T rows; ShapeError beyond `length`.
  Tensor forward(const Tensor& x) const;
  /// Row b begins at place offsets[b]; what would stand beyond the last place is padding, and is given the
  /// last. ShapeError unless one offset a row is given.
  Tensor forward(const Tensor& x, std::span<const int64_t> offsets) const;

 private:
  const Array table_;  // float64 (length, width)
};

/// x (B, T, C) + trained rows for places offset .. offset + T - 1. Parameter: weight (length, width).
class LearnedPositionalEncoding : public Layer<LearnedPositionalEncoding> {
 public:
  LearnedPositionalEncoding(int64_t length, int64_t width, const Init& weight_init = init::normal(0.0, 0.02))
      : weight(parameter("weight", {length, width}, weight_init)) {}
  /// ShapeError when the places reach beyond `length`.
  Tensor forward(const Tensor& x, int64_t offset = 0) const;
  /// Row b begins at place offsets[b]; its tokens after lengths[b] (empty: none) are padding, whatever they
  /// are given.
  Tensor forward(const Tensor& x, std::span<const int64_t> offsets, std::span<const int64_t> lengths) const;

  /// Token t of row b stands at places[b, t], int64 (B, T). ShapeError unless all have a place; an id beyond the
  /// last is refused as by embedding().
  Tensor forward(const Tensor& x, const Array& places) const;

  Parameter weight;
};

}  // namespace weft
