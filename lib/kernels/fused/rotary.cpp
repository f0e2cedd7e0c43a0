#include <weft/lib/base/math.h>
#include <weft/lib/kernels/checks.h>
#include <weft/lib/kernels/floats.h>
#include <weft/lib/kernels/fused/rotary.h>
#include <weft/lib/kernels/scratch.h>
#include <weft/lib/kernels/strides.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/profile/profile.h>

#include <cmath>
#include <numbers>
#include <vector>

namespace weft::kernels {

std::vector<double> RotaryFrequencies::of(int64_t D) const {
  if (D < 0 || D % 2 != 0) fail<ValueError>("rotary: the head width ", D, " is not even");
  const auto check = [](const char* name, double value) {
    if (!(value > 0) || std::isinf(value))
      fail<ValueError>("rotary: the ", name, " ", value, " is not positive and finite");
  };
  check("base", base), check("factor", factor), check("low_freq_factor", low_freq_factor);
  check("high_freq_factor", high_freq_factor), check("original_context", original_context);
  if (low_freq_factor >= high_freq_factor)
    fail<ValueError>("rotary: the low_freq_factor ", low_freq_factor, " is not below the high_freq_factor ",
                     high_freq_factor);
  std::vector<double> all;
  for (int64_t i = 0; i < D / 2; ++i) {
    const double f = math::pow(base, -2.0 * static_cast<double>(i) / static_cast<double>(D));
    const double slow = f / factor, turns = original_context * f / (2.0 * std::numbers::pi);
    const double share = (turns - low_freq_factor) / (high_freq_factor - low_freq_factor);
    if (scaling == Scaling::none || (scaling == Scaling::llama3 && share > 1)) {
      all.push_back(f);
    } else if (scaling == Scaling::linear || share < 0) {
      all.push_back(slow);
    } else {
      all.push_back((1 - share) * slow + share * f);
    }
  }
  return all;
}

Array rotary_table(int64_t tokens, int64_t D, const RotaryFrequencies& of, int64_t offset, DType dtype) {
  return rotary_table(tokens, D, of, std::span(&offset, 1), dtype).reshape({tokens, D});
}

Array rotary_table(int64_t tokens, int64_t D, const RotaryFrequencies& of, std::span<const int64_t> offsets,
                   DType dtype) {
  const std::vector<double> frequencies = of.of(D);
  for (const int64_t offset : offsets)
    if (offset < 0) fail<ValueError>("rotary: the offset ", offset, " is negative");
  const int64_t half = D / 2;
  const int64_t rows = static_cast<int64_t>(offsets.size());
  Array table({rows, tokens, D}, dtype);
  visit_floating("rotary", dtype, [&]<class T>(T) {
    T* const to = table.mutable_data<T>();
    constexpr int64_t work_of_angle = 16;
    parallel_for(rows * tokens, tile_of_items(work_of_angle * D), [&](int64_t begin, int64_t end) {
      for (int64_t at = begin; at < end; ++at) {
        const double place =
            static_cast<double>(offsets[static_cast<size_t>(at / tokens)]) + static_cast<double>(at % tokens);
        for (int64_t i = 0; i < half; ++i) {
          const double angle = place * frequencies[static_cast<size_t>(i)];
          to[at * D + i] = static_cast<T>(math::cos(angle));
          to[at * D + half + i] = static_cast<T>(math::sin(angle));
        }
      }
    });
  });
  return table;
}

namespace {

/// One head. Plain arithmetic, each step rounded: the same bits on every processor.
template <class T>
void turn(const T* x, const T* cosines, const T* sines, T sign, T* __restrict y, int64_t half) {
  for (int64_t i = 0; i < half; ++i) {
    const T sine = sign * sines[i];
    y[i] = x[i] * cosines[i] - x[half + i] * sine;
    y[half + i] = x[half + i] * cosines[i] + x[i] * sine;
  }
}

}  // namespace

Array rotary(const Array& x, const Array& table, bool inverse, const Array& places) {
  const bool narrow = x.dtype() == bfloat16 && table.dtype() == float32;
  if (!narrow) check_same_type("rotary", "x", x, "table", table);
  const bool by_row = table.rank() == 3, placed = places.defined();
  if (placed && (x.rank() != 3 || places.shape() != Shape{x.dim(0), x.dim(1)} || by_row))
    fail<ShapeError>("rotary: x is ", x.shape(), ", table ", table.shape(), ", places ", places.shape(),
                     ": needs (B, T, H D), (N, D) and (B, T)");
  if ((table.rank() != 2 && !by_row) || x.rank() != 3 || (!placed && x.dim(1) != table.dim(-2)) ||
      (by_row && x.dim(0) != table.dim(0)) || table.dim(-1) % 2 != 0 ||
      (table.dim(-1) == 0 ? x.dim(2) != 0 : x.dim(2) % table.dim(-1) != 0))
    fail<ShapeError>("rotary: x is ", x.shape(), ", table ", table.shape(),
                     ": needs (B, T, H D) and (T, D) or (B, T, D)");
  Array y(x.shape(), x.dtype());
  const int64_t* const place = placed ? places.data<int64_t>() : nullptr;
  for (int64_t i = 0; placed && i < places.size(); ++i)
    if (place[i] < 0 || place[i] >= table.dim(0))
      fail<ValueError>("rotary: the place ", place[i], " is not in a table ", table.shape());
  if (x.size() == 0) return y;
  const KernelScope profile("rotary", 3 * x.size(), x, table, y);
  const int64_t rows = x.dim(0) * x.dim(1), width = x.dim(2), D = table.dim(-1), half = D / 2;
  const int64_t turns_rows = by_row ? rows : x.dim(1);
  const auto turn_row = [=]<class T>(int64_t row, const T* turns, const T* from, T* to) {
    const T* const cosines = turns + (place ? place[row] : row % turns_rows) * D;
    for (int64_t c = 0; c < width; c += D)
      turn(from + c, cosines, cosines + half, inverse ? T{-1} : T{1}, to + c, half);
  };
  if (narrow) {
    const FloatReader from(x);
    const FloatWriter to(y);
    const Scratch scratch(2 * width);
    const float* const turns = table.data<float>();
    parallel_for(rows, tile_of_items(width), [&](int64_t begin, int64_t end) {
      float* const room = scratch.here();
      for (int64_t row = begin; row < end; ++row) {
        turn_row(row, turns, from.at(row * width, width, room), room + width);
        to.put(row * width, width, room + width);
      }
    });
    return y;
  }
  visit_floating("rotary", x.dtype(), [&]<class T>(T) {
    const T *from = x.data<T>(), *turns = table.data<T>();
    T* const to = y.mutable_data<T>();
    parallel_for(rows, tile_of_items(width), [=](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) turn_row(row, turns, from + row * width, to + row * width);
    });
  });
  return y;
}

}  // namespace weft::kernels
