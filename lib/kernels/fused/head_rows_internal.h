// Where attention's kernels, which compute in floats, find and leave the rows of a head.
#pragma once

#include <weft/lib/array/documents.h>
#include <weft/lib/isa/table_functions.h>
#include <weft/lib/kernels/fused/attention.h>

#include <cstdint>
#include <type_traits>

namespace weft::kernels {

/// Those of one sample and head, from token `first` on.
inline isa::ConstRows rows(HeadView<const float> x, int64_t b, int64_t h, int64_t first = 0) {
  return {x.data + b * x.batch + h * x.head + first * x.token, x.token};
}
inline isa::Rows rows(HeadView<float> x, int64_t b, int64_t h, int64_t first = 0) {
  return {x.data + b * x.batch + h * x.head + first * x.token, x.token};
}

/// Floats of one head's rows: of float32 where they lie; of bfloat16 in rooms one after the other, of which what was
/// written is rounded by put().
class Rooms {
 public:
  Rooms(float* at, int64_t D) : next_(at), D_(D) {}
  /// For so many rows; none for float32.
  template <class T>
  static int64_t floats(int64_t rows, int64_t D) {
    return std::is_same_v<T, float> ? 0 : rows * D;
  }

  isa::ConstRows read(HeadView<const float> x, const Document& of, int64_t h, int64_t, int64_t, int64_t) {
    return rows(x, of.row, h, of.first);
  }
  /// The tokens [begin, end) of `tokens` are there.
  isa::ConstRows read(HeadView<const BFloat16> x, const Document& of, int64_t h, int64_t tokens,
                      int64_t begin, int64_t end) {
    float* const room = take(tokens);
    const BFloat16* const from = of_head(x, of, h);
    for (int64_t t = begin; t < end; ++t)
      isa::table().elementwise.widen(&from[t * x.token].bits, room + t * D_, D_);
    return {room, D_};
  }
  isa::Rows place(HeadView<float> x, const Document& of, int64_t h, int64_t) {
    return rows(x, of.row, h, of.first);
  }
  isa::Rows place(HeadView<BFloat16>, const Document&, int64_t, int64_t tokens) { return {take(tokens), D_}; }
  void put(HeadView<float>, const Document&, int64_t, isa::Rows, int64_t, int64_t) {}
  void put(HeadView<BFloat16> x, const Document& of, int64_t h, isa::Rows from, int64_t begin, int64_t end) {
    BFloat16* const to = of_head(x, of, h);
    for (int64_t t = begin; t < end; ++t)
      isa::table().elementwise.narrow(from.data + t * from.token, &to[t * x.token].bits, D_);
  }

 private:
  template <class T>
  static T* of_head(HeadView<T> x, const Document& of, int64_t h) {
    return x.data + of.row * x.batch + h * x.head + of.first * x.token;
  }
  float* take(int64_t tokens) {
    float* const room = next_;
    next_ += tokens * D_;
    return room;
  }

  float* next_;
  int64_t D_;
};

}  // namespace weft::kernels
