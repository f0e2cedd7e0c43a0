// BufferTensor: a tensor that a module saves but does not train (Module::buffer()).
#pragma once

#include <weft/autograd/tensor.h>
#include <weft/lib/base/error.h>

#include <memory>
#include <utility>

namespace weft {

/// To be read as a tensor. What is assigned is copied into what the module saves:
///   running = running * 0.9 + mean(x, {0}) * 0.1;
/// Copies are the same buffer.
class BufferTensor {
 public:
  explicit BufferTensor(Tensor tensor) : tensor_(std::make_shared<Tensor>(std::move(tensor))) {}
  BufferTensor(const BufferTensor&) = default;
  BufferTensor(BufferTensor&& other) noexcept : tensor_(other.tensor_) {}
  /// The values, without history. ShapeError unless of this shape and type.
  BufferTensor& operator=(const Tensor& values) {
    if (values.shape() != tensor_->shape() || values.dtype() != tensor_->dtype())
      fail<ShapeError>("buffer: of ", tensor_->shape(), " ", tensor_->dtype(), ", cannot become ",
                       values.shape(), " ", values.dtype());
    *tensor_ = Tensor(values.value().copy());  // graphs that have used the old values keep them
    return *this;
  }
  BufferTensor& operator=(const BufferTensor& values) { return *this = values.tensor(); }

  const Tensor& tensor() const { return *tensor_; }
  /// A member declared as Tensor would not be what is saved: `Tensor running = buffer(...)` does not compile.
  operator const Tensor&() const& { return *tensor_; }
  operator const Tensor&() && = delete;

  const Array& value() const { return tensor_->value(); }
  const Shape& shape() const { return tensor_->shape(); }
  DType dtype() const { return tensor_->dtype(); }

 private:
  std::shared_ptr<Tensor> tensor_;
};

}  // namespace weft
