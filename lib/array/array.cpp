#include <weft/lib/array/array.h>
#include <weft/lib/isa/table_functions.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/profile/profile.h>

#include <algorithm>
#include <cmath>
#include <cstring>

namespace weft {

namespace {

constexpr int64_t tile = 1 << 14;

/// The number as T, whole numbers towards zero. ValueError when an integer cannot hold it, or it is NaN.
template <class T, class From>
T converted(From value) {
  if constexpr (std::is_same_v<From, BFloat16>) {
    return converted<T>(static_cast<float>(value));
  } else if constexpr (std::is_same_v<T, bool>) {
    return value != From{};
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<T>) {
    // 2^31 and 2^63 are exact in any floating type, the largest integers are not.
    constexpr From beyond = static_cast<From>(uint64_t{1} << (8 * sizeof(T) - 1));
    if (!(value >= -beyond && value < beyond)) fail<ValueError>("array: ", value, " is no ", dtype_of<T>());
    return static_cast<T>(value);
  } else {
    return static_cast<T>(value);
  }
}

template <class From, class To>
void convert(const From* from, To* to, int64_t count) {
  parallel_for(count, tile, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) to[i] = converted<To>(from[i]);
  });
}

void convert(const float* from, BFloat16* to, int64_t count) {
  const auto narrow = isa::table().elementwise.narrow;
  parallel_for(count, tile,
               [=](int64_t begin, int64_t end) { narrow(from + begin, &to[begin].bits, end - begin); });
}

void convert(const BFloat16* from, float* to, int64_t count) {
  const auto widen = isa::table().elementwise.widen;
  parallel_for(count, tile,
               [=](int64_t begin, int64_t end) { widen(&from[begin].bits, to + begin, end - begin); });
}

void copy_bytes(const void* from, void* to, size_t bytes) {
  parallel_for(static_cast<int64_t>(bytes), int64_t{1} << 19, [=](int64_t begin, int64_t end) {
    std::memcpy(static_cast<char*>(to) + begin, static_cast<const char*>(from) + begin,
                static_cast<size_t>(end - begin));
  });
}

}  // namespace

Array::Array(const Shape& shape, DType dtype)
    : buffer_(allocate(static_cast<size_t>(shape.size()) * size_of(dtype))), shape_(shape), dtype_(dtype) {}

Array Array::zeros(const Shape& shape, DType dtype) { return full(shape, 0.0, dtype); }
Array Array::ones(const Shape& shape, DType dtype) { return full(shape, 1.0, dtype); }

Array Array::full(const Shape& shape, double value, DType dtype) {
  Array a(shape, dtype);
  a.fill(value);
  return a;
}

Array Array::scalar(double value, DType dtype) { return full({}, value, dtype); }

Array Array::arange(int64_t n, DType dtype) {
  Array a({n}, dtype);
  visit_dtype(dtype, [&]<class T>(T) {
    T* values = a.mutable_data<T>();
    for (int64_t i = 0; i < n; ++i) values[i] = static_cast<T>(i);
  });
  return a;
}

template <class T>
Array Array::from(std::span<const T> values, const Shape& shape) {
  if (static_cast<int64_t>(values.size()) != shape.size()) {
    fail<ShapeError>("Array::from: ", values.size(), " values for the shape ", shape, " of ", shape.size());
  }
  Array a(shape, dtype_of<T>());
  if (!values.empty()) std::memcpy(a.buffer_->data, values.data(), values.size_bytes());
  return a;
}
template Array Array::from(std::span<const float>, const Shape&);
template Array Array::from(std::span<const double>, const Shape&);
template Array Array::from(std::span<const int32_t>, const Shape&);
template Array Array::from(std::span<const int64_t>, const Shape&);
template Array Array::from(std::span<const bool>, const Shape&);
template Array Array::from(std::span<const BFloat16>, const Shape&);

void Array::check_type(DType wanted) const {
  if (!buffer_) fail<StateError>("an array that was never given values is used");
  if (wanted != dtype_) fail<TypeError>("array of ", dtype_, " ", shape_, " is read as ", wanted);
}

void* Array::mutable_bytes() {
  if (!buffer_) fail<StateError>("an array that was never given values is used");
  buffer_->change();
  return buffer_->data;
}

double Array::item() const {
  if (!buffer_) fail<StateError>("item: the array was never given values");
  if (size() != 1) fail<ShapeError>("item: needs an array of one element, this one is ", shape_);
  return visit_dtype(dtype_, [&]<class T>(T) { return static_cast<double>(*data<T>()); });
}

double Array::at(std::initializer_list<int64_t> index) const {
  const Shape asked = Shape(std::span(index.begin(), index.size()));
  bool inside = asked.rank() == rank();
  int64_t offset = 0;
  for (int i = 0; inside && i < rank(); ++i) {
    inside = asked[i] < shape_[i];
    offset = offset * shape_[i] + asked[i];
  }
  if (!inside) fail<ShapeError>("at: the index ", asked, " lies outside the shape ", shape_);
  return visit_dtype(dtype_, [&]<class T>(T) { return static_cast<double>(data<T>()[offset]); });
}

Array Array::reshape(std::span<const int64_t> extents) const {
  Array a = *this;
  a.shape_ = resolve_reshape(shape_, extents);
  return a;
}

Array Array::stretch(int64_t begin, int64_t end) {
  const size_t first = static_cast<size_t>(begin) * size_of(dtype_);
  if (begin < 0 || begin > end || end > size() || first % 64 != 0)
    fail<ShapeError>("stretch: [", begin, ", ", end, ") is no part of ", shape_,
                     " that begins with a line of the cache");
  buffer_->change();
  Array part;
  part.buffer_ = std::make_shared<Buffer>(buffer_, first, static_cast<size_t>(end - begin) * size_of(dtype_));
  part.shape_ = Shape{end - begin};
  part.dtype_ = dtype_;
  return part;
}

Array Array::copy() const {
  if (!buffer_) return {};
  Array a(shape_, dtype_);
  const KernelScope profile("copy", 0, a, a);
  copy_bytes(buffer_->data, a.buffer_->data, nbytes());
  return a;
}

Array Array::to(DType dtype) const {
  if (dtype == dtype_) return *this;
  Array a(shape_, dtype);
  const KernelScope profile("convert", 0, *this, a);
  visit_dtype(dtype_, [&]<class From>(From) {
    visit_dtype(dtype,
                [&]<class To>(To) { convert(data<From>(), static_cast<To*>(a.buffer_->data), size()); });
  });
  return a;
}

void Array::copy_from(const Array& other) {
  if (!(other.shape_ == shape_))
    fail<ShapeError>("copy_from: the array is ", shape_, ", the other ", other.shape_);
  if (other.dtype_ != dtype_)
    fail<TypeError>("copy_from: the array is ", dtype_, ", the other ", other.dtype_);
  if (other.buffer_ == buffer_) return;
  copy_bytes(other.bytes(), mutable_bytes(), nbytes());
}

void Array::fill(double value) {
  const KernelScope profile("fill", 0, *this);
  visit_dtype(dtype_, [&]<class T>(T) {
    T* values = mutable_data<T>();
    const T typed = converted<T>(value);
    parallel_for(size(), tile, [=](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) values[i] = typed;
    });
  });
}

bool Array::identical(const Array& other) const {
  if (!defined() || !other.defined()) return defined() == other.defined();
  return shape_ == other.shape_ && dtype_ == other.dtype_ &&
         std::memcmp(bytes(), other.bytes(), nbytes()) == 0;
}

bool Array::all_finite() const {
  if (!is_floating(dtype_)) return true;
  if (dtype_ == bfloat16)
    return std::ranges::all_of(values<BFloat16>(),
                               [](BFloat16 x) { return std::isfinite(static_cast<float>(x)); });
  return visit_floating("all_finite", dtype_, [&]<class T>(T) {
    // x - x is 0 for finite x and NaN otherwise, and NaN stays in the sum.
    T sum = 0;
    for (const T x : values<T>()) sum += x - x;
    return sum == T{0};
  });
}

}  // namespace weft
