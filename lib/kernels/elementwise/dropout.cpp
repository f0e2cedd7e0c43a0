#include <weft/lib/array/random.h>
#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/elementwise/dropout.h>
#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/lib/kernels/floats.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/profile/profile.h>

#include <algorithm>
#include <type_traits>

namespace weft::kernels {

namespace {

using Dropout = isa::ElementwiseFunctions::Dropout;

void run(const Dropout& drop, const float* x, float* y, int64_t n) {
  isa::table().elementwise.dropout(drop, x, y, n);
}

void run(const Dropout& drop, const double* x, double* y, int64_t n, double factor) {
  for (int64_t i = 0; i < n; i += 4) {
    const uint64_t block = (drop.first + static_cast<uint64_t>(i)) / 4;
    const auto words = philox({drop.key_low, drop.key_high}, drop.sample, block);
    for (int64_t j = i; j < std::min(n, i + 4); ++j)
      y[j] = words[static_cast<size_t>(j - i)] >= drop.threshold ? x[j] * factor : 0;
  }
}

/// p 2^32 rounded up: words are whole.
uint64_t threshold_of(double p) {
  const double exact = p * 0x1p32;
  const auto down = static_cast<uint64_t>(exact);
  return down + (static_cast<double>(down) < exact ? 1 : 0);
}

double factor_of(double p) { return p < 1 ? 1 / (1 - p) : 0; }

}  // namespace

isa::ElementwiseFunctions::Dropout vector_dropout(double p, RandomKey key) {
  return {key.low, key.high, 0, 0, threshold_of(p), static_cast<float>(factor_of(p))};
}

Array dropout(const Array& x, double p_drop, RandomKey key, uint64_t first_sample) {
  if (!(p_drop >= 0 && p_drop <= 1)) fail<ValueError>("dropout: p must be in [0, 1], not ", p_drop);
  Array y(x.shape(), x.dtype());
  const KernelScope profile("dropout", 0, x, y);
  if (x.size() == 0) return y;
  const int64_t samples = x.rank() == 0 ? 1 : x.dim(0);
  const int64_t places = x.size() / std::max<int64_t>(1, samples);
  const double factor = factor_of(p_drop);
  const Dropout whole = vector_dropout(p_drop, key);
  // Tiles of whole blocks of 64 places, within one sample or over several small ones.
  constexpr int64_t tile = 1 << 14;
  const int64_t tiles_a_sample = std::max<int64_t>(1, (places + tile - 1) / tile);
  const int64_t samples_a_tile = std::max<int64_t>(1, tile / std::max<int64_t>(1, places));
  const auto for_tiles = [&](auto f) {
    parallel_for(samples * tiles_a_sample, samples_a_tile, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t sample = i / tiles_a_sample, first = i % tiles_a_sample * tile;
        Dropout drop = whole;
        drop.sample = first_sample + static_cast<uint64_t>(sample);
        drop.first = static_cast<uint64_t>(first);
        f(drop, sample * places + first, std::min(tile, places - first));
      }
    });
  };
  if (x.dtype() == bfloat16) {
    const FloatReader from(x);
    const FloatWriter to(y);
    for_tiles([&](Dropout drop, int64_t at, int64_t n) {
      alignas(64) float room[narrow_piece];
      for (int64_t done = 0; done < n; done += narrow_piece, drop.first += narrow_piece) {
        const int64_t some = std::min(narrow_piece, n - done);
        run(drop, from.at(at + done, some, room), room, some);
        to.put(at + done, some, room);
      }
    });
    return y;
  }
  visit_floating("dropout", x.dtype(), [&]<class T>(T) {
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    for_tiles([&](const Dropout& drop, int64_t at, int64_t n) {
      if constexpr (std::is_same_v<T, float>) {
        run(drop, from + at, to + at, n);
      } else {
        run(drop, from + at, to + at, n, factor);
      }
    });
  });
  return y;
}

}  // namespace weft::kernels
