// Into how much work products are cut.
#pragma once

#include <cstdint>

namespace weft::kernels {

/// Multiply-adds worth a tile of its own: a few microseconds.
inline constexpr int64_t tile_work = int64_t{1} << 18;

/// a / b rounded up, and a rounded up to a multiple of b.
constexpr int64_t up(int64_t a, int64_t b) { return (a + b - 1) / b; }
constexpr int64_t round_up(int64_t a, int64_t b) { return up(a, b) * b; }

}  // namespace weft::kernels
