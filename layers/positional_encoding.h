// Positional encodings: what tells a transformer where a token stands.
#pragma once

#include <weft/autograd/ops.h>
#include <weft/layers/module.h>

#include <span>

namespace weft {

/// The table of Vaswani et al. 2017, section 3.5, (length, width): sin(t / 10000^(2i / C)) in column 2i, cos
/// in column 2i + 1. ValueError for an odd width.
Array sinusoidal_table(int64_t length, int64_t width);

/// x (B, T, C) + the first T rows of the table; ShapeError beyond `length`. Nothing is trained or saved.
class SinusoidalPositionalEncoding : public Module {
 public:
  SinusoidalPositionalEncoding(int64_t length, int64_t width) : table_(sinusoidal_table(length, width)) {}
  Tensor forward(const Tensor& x) const;
  Tensor operator()(const Tensor& x) const { return forward(x); }

 private:
  Array table_;
};

/// x (B, T, C) + trained rows for places offset .. offset + T - 1. Parameter: weight (length, width).
class LearnedPositionalEncoding : public Module {
 public:
  LearnedPositionalEncoding(int64_t length, int64_t width, const Init& weight_init = init::normal(0.0, 0.02))
      : weight(parameter("weight", {length, width}, weight_init)) {}
  /// ShapeError when the places reach beyond `length`.
  Tensor forward(const Tensor& x, int64_t offset = 0) const;
  /// Row b begins at place offsets[b]; its tokens after lengths[b] (empty: none) are padding, whatever they
  /// are given.
  Tensor forward(const Tensor& x, std::span<const int64_t> offsets, std::span<const int64_t> lengths) const;
  Tensor operator()(const Tensor& x) const { return forward(x); }

  Tensor weight;
};

}  // namespace weft
