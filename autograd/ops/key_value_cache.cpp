#include <weft/autograd/ops/key_value_cache.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <functional>
#include <utility>

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
  if (longest_ > 0 && (k.dim(0) != rows() || k.dim(2) != keys_.dim(2) || k.dtype() != keys_.dtype())) {
    fail<ShapeError>("KeyValueCache: holds ", keys_.shape().with(0, rows()), " ", keys_.dtype(),
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

/// For so many rows and tokens, with what there is.
void KeyValueCache::make_room(int64_t most_rows, int64_t tokens, int64_t width, DType dtype) {
  const Shape room{most_rows, tokens, width};
  Array more_keys = Array::zeros(room, dtype), more_values = Array::zeros(room, dtype);
  for (int64_t b = 0; b < rows(); ++b) {
    copy_tokens(more_keys, b, 0, keys_, b, lengths_[static_cast<size_t>(b)]);
    copy_tokens(more_values, b, 0, values_, b, lengths_[static_cast<size_t>(b)]);
  }
  keys_ = std::move(more_keys);
  values_ = std::move(more_values);
}

void KeyValueCache::measure() {
  longest_ = lengths_.empty() ? 0 : *std::ranges::max_element(lengths_);
  same_length_ = std::ranges::adjacent_find(lengths_, std::not_equal_to()) == lengths_.end();
}

void KeyValueCache::append(const Array& k, const Array& v, std::span<const int64_t> lengths) {
  check(k, v, lengths);
  const int64_t B = k.dim(0);
  if (longest_ == 0) lengths_.assign(static_cast<size_t>(B), 0);
  const auto added = [&](int64_t b) { return lengths.empty() ? k.dim(1) : lengths[static_cast<size_t>(b)]; };
  int64_t wanted = 0;
  for (int64_t b = 0; b < B; ++b) wanted = std::max(wanted, lengths_[static_cast<size_t>(b)] + added(b));
  const bool fits = keys_.defined() && keys_.dim(0) >= B && keys_.dim(1) >= wanted &&
                    keys_.dim(2) == k.dim(2) && keys_.dtype() == k.dtype();
  if (!fits)
    make_room(B, std::max<int64_t>(wanted, std::max<int64_t>(32, 2 * longest_)), k.dim(2), k.dtype());
  for (int64_t b = 0; b < B; ++b) {
    int64_t& length = lengths_[static_cast<size_t>(b)];
    copy_tokens(keys_, b, length, k, b, added(b));
    copy_tokens(values_, b, length, v, b, added(b));
    length += added(b);
  }
  measure();
}

void KeyValueCache::select(std::span<const int64_t> chosen) {
  const auto count = static_cast<int64_t>(chosen.size());
  std::vector<int64_t> lengths;
  std::vector<char> moved(static_cast<size_t>(std::max(count, rows())));  // whose place is another's then
  for (int64_t i = 0; i < count; ++i) {
    const int64_t row = chosen[static_cast<size_t>(i)];
    if (row < 0 || row >= rows()) fail<ValueError>("KeyValueCache: there is no row ", row, " among ", rows());
    lengths.push_back(lengths_[static_cast<size_t>(row)]);
    moved[static_cast<size_t>(i)] = row != i;
  }
  if (keys_.defined()) {
    const bool in_place = count <= keys_.dim(0) && std::ranges::none_of(chosen, [&](int64_t row) {
                            return moved[static_cast<size_t>(row)] != 0;
                          });
    const Array from_keys = keys_, from_values = values_;
    if (!in_place) {
      keys_ = Array::zeros(from_keys.shape().with(0, count), from_keys.dtype());
      values_ = Array::zeros(from_keys.shape().with(0, count), from_keys.dtype());
    }
    for (int64_t i = 0; i < count; ++i) {
      const int64_t row = chosen[static_cast<size_t>(i)], length = lengths[static_cast<size_t>(i)];
      if (in_place && row == i) continue;
      copy_tokens(keys_, i, 0, from_keys, row, length);
      copy_tokens(values_, i, 0, from_values, row, length);
    }
  }
  lengths_ = std::move(lengths);
  measure();
}

void KeyValueCache::join(const KeyValueCache& other) {
  if (other.lengths_.empty()) return;
  const int64_t before = rows(), count = before + other.rows();
  if (other.keys_.defined()) {
    const int64_t width = other.keys_.dim(2), tokens = std::max(longest_, other.longest_);
    const DType dtype = other.keys_.dtype();
    const bool same = keys_.defined() && keys_.dim(2) == width && keys_.dtype() == dtype;
    if (longest_ > 0 && !same)
      fail<ShapeError>("KeyValueCache: holds ", keys_.shape().with(0, before), " ", keys_.dtype(), ", which ",
                       other.keys_.shape().with(0, other.rows()), " ", dtype, " does not join");
    if (!same || keys_.dim(0) < count || keys_.dim(1) < tokens) {
      const int64_t grown = before + before / 2;  // for rows that come one by one
      make_room(std::max(count, grown), std::max(tokens, same ? keys_.dim(1) : other.keys_.dim(1)), width,
                dtype);
    }
    for (int64_t b = 0; b < other.rows(); ++b) {
      const int64_t length = other.lengths_[static_cast<size_t>(b)];
      copy_tokens(keys_, before + b, 0, other.keys_, b, length);
      copy_tokens(values_, before + b, 0, other.values_, b, length);
    }
  }
  const std::vector<int64_t> more = other.lengths_;  // which may be these
  lengths_.insert(lengths_.end(), more.begin(), more.end());
  measure();
}

void KeyValueCache::clear() {
  lengths_.clear();
  longest_ = 0;
  same_length_ = true;
}

}  // namespace weft
