#include <weft/autograd/attention.h>
#include <weft/lib/kernels/movement.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace weft {

namespace {

/// Copies x (B, T, C) into `room` (B, R, C) at token `at`.
void write_tokens(Array& room, const Array& x, int64_t at) {
  const size_t row = static_cast<size_t>(x.dim(2)) * size_of(x.dtype());
  const size_t tokens = static_cast<size_t>(x.dim(1)), capacity = static_cast<size_t>(room.dim(1));
  auto* const to = static_cast<std::byte*>(room.mutable_bytes());
  const auto* const from = static_cast<const std::byte*>(x.bytes());
  for (size_t b = 0; b < static_cast<size_t>(x.dim(0)); ++b) {
    std::memcpy(to + (b * capacity + static_cast<size_t>(at)) * row, from + b * tokens * row, tokens * row);
  }
}

}  // namespace

void KeyValueCache::append(const Array& k, const Array& v) {
  if (k.rank() != 3 || !(k.shape() == v.shape()) || k.dtype() != v.dtype()) {
    fail<ShapeError>("KeyValueCache: keys are ", k.shape(), " ", k.dtype(), ", values ", v.shape(), " ",
                     v.dtype(), ": needs (B, T, C) for both");
  }
  if (length_ > 0 && (k.dim(0) != keys_.dim(0) || k.dim(2) != keys_.dim(2) || k.dtype() != keys_.dtype())) {
    fail<ShapeError>("KeyValueCache: holds ", keys_.shape(), " ", keys_.dtype(),
                     ", which does not go on with ", k.shape(), " ", k.dtype());
  }
  const int64_t wanted = length_ + k.dim(1);
  const bool fits = keys_.defined() && keys_.shape() == Shape{k.dim(0), keys_.dim(1), k.dim(2)} &&
                    keys_.dtype() == k.dtype() && keys_.dim(1) >= wanted;
  if (!fits) {
    const Shape room{k.dim(0), std::max<int64_t>(wanted, std::max<int64_t>(32, 2 * length_)), k.dim(2)};
    Array more_keys = Array::zeros(room, k.dtype()), more_values = Array::zeros(room, k.dtype());
    if (length_ > 0) {
      write_tokens(more_keys, kernels::slice(keys_, 1, 0, length_), 0);
      write_tokens(more_values, kernels::slice(values_, 1, 0, length_), 0);
    }
    keys_ = more_keys;
    values_ = more_values;
  }
  write_tokens(keys_, k, length_);
  write_tokens(values_, v, length_);
  length_ = wanted;
}

}  // namespace weft
