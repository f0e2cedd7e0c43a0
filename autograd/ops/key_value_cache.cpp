#include <weft/autograd/ops/key_value_cache.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace weft {

namespace {

/// Row b of `to` (B, R, C), from token `at` on, becomes the first `count` tokens of row `from_row` of `from`.
void copy_tokens(Array& to, int64_t b, int64_t at, const Array& from, int64_t from_row, int64_t count) {
  const auto bytes = [&](int64_t tokens) {
    return static_cast<size_t>(tokens * to.dim(2)) * size_of(to.dtype());
  };
  if (count == 0) return;
  std::memcpy(static_cast<std::byte*>(to.mutable_bytes()) + bytes(b * to.dim(1) + at),
              static_cast<const std::byte*>(from.bytes()) + bytes(from_row * from.dim(1)), bytes(count));
}

}  // namespace

void KeyValueCache::check(const Array& k, const Array& v, std::span<const int64_t> lengths) const {
  if (k.rank() != 3 || !(k.shape() == v.shape()) || k.dtype() != v.dtype()) {
    fail<ShapeError>("KeyValueCache: keys are ", k.shape(), " ", k.dtype(), ", values ", v.shape(), " ",
                     v.dtype(), ": needs (B, T, C) for both");
  }
  if (longest_ > 0 && (k.dim(0) != keys_.dim(0) || k.dim(2) != keys_.dim(2) || k.dtype() != keys_.dtype())) {
    fail<ShapeError>("KeyValueCache: holds ", keys_.shape(), " ", keys_.dtype(),
                     ", which does not go on with ", k.shape(), " ", k.dtype());
  }
  if (lengths.empty()) return;
  if (static_cast<int64_t>(lengths.size()) != k.dim(0))
    fail<ShapeError>("KeyValueCache: ", lengths.size(), " lengths for keys ", k.shape());
  for (size_t b = 0; b < lengths.size(); ++b) {
    if (lengths[b] < 0 || lengths[b] > k.dim(1))
      fail<ShapeError>("KeyValueCache: the length ", lengths[b], " of row ", b, " for keys ", k.shape());
  }
}

void KeyValueCache::append(const Array& k, const Array& v, std::span<const int64_t> lengths) {
  check(k, v, lengths);
  const int64_t B = k.dim(0);
  if (longest_ == 0) lengths_.assign(static_cast<size_t>(B), 0);
  const auto added = [&](int64_t b) { return lengths.empty() ? k.dim(1) : lengths[static_cast<size_t>(b)]; };
  int64_t wanted = 0;
  for (int64_t b = 0; b < B; ++b) wanted = std::max(wanted, lengths_[static_cast<size_t>(b)] + added(b));
  const bool fits = keys_.defined() && keys_.shape() == Shape{B, keys_.dim(1), k.dim(2)} &&
                    keys_.dtype() == k.dtype() && keys_.dim(1) >= wanted;
  if (!fits) {
    const Shape room{B, std::max<int64_t>(wanted, std::max<int64_t>(32, 2 * longest_)), k.dim(2)};
    Array more_keys = Array::zeros(room, k.dtype()), more_values = Array::zeros(room, k.dtype());
    for (int64_t b = 0; b < B; ++b) {
      copy_tokens(more_keys, b, 0, keys_, b, lengths_[static_cast<size_t>(b)]);
      copy_tokens(more_values, b, 0, values_, b, lengths_[static_cast<size_t>(b)]);
    }
    keys_ = more_keys;
    values_ = more_values;
  }
  for (int64_t b = 0; b < B; ++b) {
    int64_t& length = lengths_[static_cast<size_t>(b)];
    copy_tokens(keys_, b, length, k, b, added(b));
    copy_tokens(values_, b, length, v, b, added(b));
    length += added(b);
  }
  longest_ = wanted;
  same_length_ = std::equal(lengths_.begin() + (B > 0), lengths_.end(), lengths_.begin());
}

void KeyValueCache::select(std::span<const int64_t> rows) {
  const int64_t B = static_cast<int64_t>(lengths_.size());
  bool same = static_cast<int64_t>(rows.size()) == B;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] < 0 || rows[i] >= B)
      fail<ValueError>("KeyValueCache: there is no row ", rows[i], " among ", B);
    same = same && rows[i] == static_cast<int64_t>(i);
  }
  if (same) return;
  const Shape room{static_cast<int64_t>(rows.size()), keys_.dim(1), keys_.dim(2)};
  Array keys = Array::zeros(room, keys_.dtype()), values = Array::zeros(room, keys_.dtype());
  std::vector<int64_t> lengths;
  longest_ = 0;
  for (const int64_t row : rows) {
    const int64_t to = static_cast<int64_t>(lengths.size()), length = lengths_[static_cast<size_t>(row)];
    copy_tokens(keys, to, 0, keys_, row, length);
    copy_tokens(values, to, 0, values_, row, length);
    lengths.push_back(length);
    longest_ = std::max(longest_, length);
  }
  keys_ = keys;
  values_ = values;
  lengths_ = std::move(lengths);
  same_length_ = std::equal(lengths_.begin() + (lengths_.empty() ? 0 : 1), lengths_.end(), lengths_.begin());
}

void KeyValueCache::clear() {
  lengths_.clear();
  longest_ = 0;
  same_length_ = true;
}

}  // namespace weft
