// Array: dense, row-major, contiguous values of one element type. Knows no gradient.
//
// Copying an Array shares its buffer, as in NumPy and PyTorch; copy() makes a second one. Reading is free;
// mutable_data() counts a change, so that backward can refuse values that were changed under it.
// Arrays of one buffer may be read from several threads; writing is for one at a time.
#pragma once

#include <weft/lib/array/dtype.h>
#include <weft/lib/array/shape.h>
#include <weft/lib/machine/memory.h>

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <vector>

namespace weft {

class Array {
 public:
  /// No array at all: defined() is false and everything else an error.
  Array() = default;
  /// Uninitialised values.
  explicit Array(const Shape& shape, DType dtype = default_dtype());

  static Array zeros(const Shape& shape, DType dtype = default_dtype());
  static Array ones(const Shape& shape, DType dtype = default_dtype());
  static Array full(const Shape& shape, double value, DType dtype = default_dtype());
  /// One value, shape ().
  static Array scalar(double value, DType dtype = default_dtype());
  /// 0, 1, ..., n - 1.
  static Array arange(int64_t n, DType dtype = int64);
  /// Copies values. ShapeError when their number is not shape.size().
  template <class T>
  static Array from(std::span<const T> values, const Shape& shape);
  template <class T>
  static Array from(const std::vector<T>& values, const Shape& shape) {
    return from(std::span<const T>(values), shape);
  }
  template <class T>
  static Array from(std::initializer_list<T> values, const Shape& shape) {
    return from(std::span<const T>(values.begin(), values.size()), shape);
  }

  bool defined() const { return buffer_ != nullptr; }
  const Shape& shape() const { return shape_; }
  int rank() const { return shape_.rank(); }
  int64_t dim(int axis) const { return shape_.dim(axis); }
  int64_t size() const { return shape_.size(); }
  DType dtype() const { return dtype_; }
  size_t nbytes() const { return static_cast<size_t>(size()) * size_of(dtype_); }

  /// The values in row-major order. TypeError when T is not the element type.
  template <class T>
  const T* data() const {
    check_type(dtype_of<T>());
    return static_cast<const T*>(buffer_->data);
  }
  template <class T>
  T* mutable_data() {
    check_type(dtype_of<T>());
    buffer_->change();
    return static_cast<T*>(buffer_->data);
  }
  template <class T>
  std::span<const T> values() const {
    return {data<T>(), static_cast<size_t>(size())};
  }
  const void* bytes() const { return buffer_ ? buffer_->data : nullptr; }
  void* mutable_bytes();
  /// What the values lie in.
  const std::shared_ptr<Buffer>& buffer() const { return buffer_; }

  /// The single value of a one-element array, as double. ShapeError when there are more.
  double item() const;
  /// One value by its index, as double: a.at({2, 0}).
  double at(std::initializer_list<int64_t> index) const;

  /// The same values under another shape, sharing the buffer. One extent may be -1.
  Array reshape(std::span<const int64_t> extents) const;
  Array reshape(std::initializer_list<int64_t> extents) const {
    return reshape(std::span(extents.begin(), extents.size()));
  }
  Array reshape(const Shape& shape) const { return reshape(std::span(shape.begin(), shape.end())); }
  /// Values [begin, end) in row-major order, one axis, in the same memory: to change the one is to change the other, which
  /// counts as a change of this array now, and no more later. ShapeError unless 0 <= begin <= end <= size() and `begin`
  /// is a multiple of 64 bytes.
  Array stretch(int64_t begin, int64_t end);
  /// A second buffer with the same values.
  Array copy() const;
  /// The values as `dtype`; the array itself when it already is. Numbers become bool by != 0; ValueError when
  /// an integer type cannot hold one of them.
  Array to(DType dtype) const;
  /// Overwrites the values in place. ShapeError or TypeError when `other` differs in shape or type.
  void copy_from(const Array& other);
  void fill(double value);

  /// Number of changes made in place so far.
  uint64_t version() const { return buffer_ ? buffer_->version.load(std::memory_order_relaxed) : 0; }
  /// Whether nobody else holds this buffer, so that it may be written without being noticed.
  bool unique() const { return buffer_.use_count() == 1; }
  bool shares_buffer(const Array& other) const { return buffer_ && buffer_ == other.buffer_; }
  /// Same shape, type and bytes.
  bool identical(const Array& other) const;
  /// Whether no value is NaN or infinite. True for integers.
  bool all_finite() const;

 private:
  void check_type(DType wanted) const;

  std::shared_ptr<Buffer> buffer_;
  Shape shape_;
  DType dtype_ = DType::float32;
};

}  // namespace weft
