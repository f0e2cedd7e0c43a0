#include <weft/lib/array/shape.h>
#include <weft/lib/base/join.h>

#include <algorithm>

namespace weft {

namespace {

std::string list(std::span<const int64_t> extents) {
  return str("(", joined(extents), extents.size() == 1 ? ",)" : ")");
}

}  // namespace

Shape::Shape(std::span<const int64_t> extents) {
  if (extents.size() > max_rank)
    fail<ShapeError>("shape ", list(extents), " has more than ", max_rank, " axes");
  rank_ = static_cast<int>(extents.size());
  std::copy(extents.begin(), extents.end(), extents_.begin());
  bool overflow = false, empty = false;
  for (const int64_t extent : extents) {
    if (extent < 0) fail<ShapeError>("shape ", list(extents), " has a negative extent");
    empty = empty || extent == 0;
    overflow = __builtin_mul_overflow(size_, std::max<int64_t>(extent, 1), &size_) || overflow;
  }
  // The bytes must fit as well, whatever the element type.
  if (overflow || size_ > INT64_MAX / 8)
    fail<ShapeError>("shape ", list(extents), " has more elements than memory can address");
  if (empty) size_ = 0;
}

int64_t Shape::dim(int axis) const { return extents_[static_cast<size_t>(normal_axis("dim", axis, rank_))]; }

Shape Shape::inserted(int axis, int64_t extent) const {
  const int place = normal_axis("insert axis", axis, rank_ + 1);
  std::array<int64_t, max_rank + 1> extents{};
  std::copy(begin(), begin() + place, extents.begin());
  extents[static_cast<size_t>(place)] = extent;
  std::copy(begin() + place, end(), extents.begin() + place + 1);
  return Shape(std::span<const int64_t>(extents.data(), static_cast<size_t>(rank_) + 1));
}

Shape Shape::with(int axis, int64_t extent) const {
  std::array<int64_t, max_rank> extents = extents_;
  extents[static_cast<size_t>(normal_axis("axis", axis, rank_))] = extent;
  return Shape(std::span<const int64_t>(extents.data(), static_cast<size_t>(rank_)));
}

Shape Shape::without(int axis) const {
  const int place = normal_axis("axis", axis, rank_);
  std::array<int64_t, max_rank> extents{};
  std::copy(begin(), begin() + place, extents.begin());
  std::copy(begin() + place + 1, end(), extents.begin() + place);
  return Shape(std::span<const int64_t>(extents.data(), static_cast<size_t>(rank_) - 1));
}

bool operator==(const Shape& a, const Shape& b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

std::string to_string(const Shape& shape) { return list({shape.begin(), shape.end()}); }

int normal_axis(const char* op, int axis, int rank) {
  if (axis < -rank || axis >= rank) {
    fail<ShapeError>(op, ": axis ", axis, " does not exist in an array of ", rank,
                     rank == 1 ? " axis" : " axes");
  }
  return axis < 0 ? axis + rank : axis;
}

Shape broadcast_shapes(const char* op, const Shape& a, const Shape& b) {
  const int rank = std::max(a.rank(), b.rank());
  std::array<int64_t, Shape::max_rank> extents{};
  for (int i = 1; i <= rank; ++i) {
    const int64_t x = i <= a.rank() ? a[a.rank() - i] : 1;
    const int64_t y = i <= b.rank() ? b[b.rank() - i] : 1;
    if (x != y && x != 1 && y != 1) {
      fail<ShapeError>(op, ": shapes do not broadcast: ", a, " and ", b, " differ at axis -", i);
    }
    extents[static_cast<size_t>(rank - i)] = x == 1 ? y : x;
  }
  return Shape(std::span<const int64_t>(extents.data(), static_cast<size_t>(rank)));
}

bool broadcasts_to(const Shape& from, const Shape& to) {
  if (from.rank() > to.rank()) return false;
  for (int i = 1; i <= from.rank(); ++i) {
    const int64_t extent = from[from.rank() - i];
    if (extent != 1 && extent != to[to.rank() - i]) return false;
  }
  return true;
}

Shape resolve_reshape(const Shape& from, std::span<const int64_t> wanted) {
  const auto unknown = std::find(wanted.begin(), wanted.end(), -1);
  if (unknown == wanted.end()) {
    const Shape to(wanted);
    if (to.size() != from.size()) {
      fail<ShapeError>("reshape: ", from, " has ", from.size(), " elements, ", to, " has ", to.size());
    }
    return to;
  }
  std::array<int64_t, Shape::max_rank> extents{};
  if (wanted.size() > Shape::max_rank) fail<ShapeError>("reshape: ", list(wanted), " has too many axes");
  std::copy(wanted.begin(), wanted.end(), extents.begin());
  extents[static_cast<size_t>(unknown - wanted.begin())] = 1;
  const int64_t known = Shape(std::span<const int64_t>(extents.data(), wanted.size())).size();
  if (known == 0 || from.size() % known != 0) {
    fail<ShapeError>("reshape: ", from, " with ", from.size(), " elements does not fit ", list(wanted));
  }
  extents[static_cast<size_t>(unknown - wanted.begin())] = from.size() / known;
  return Shape(std::span<const int64_t>(extents.data(), wanted.size()));
}

}  // namespace weft
