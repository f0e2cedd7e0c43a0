#include <weft/autograd/autocast.h>
#include <weft/autograd/ops.h>
#include <weft/autograd/tensor.h>

namespace weft {

Tensor Tensor::reshape(std::initializer_list<int64_t> extents) const { return weft::reshape(*this, extents); }
Tensor Tensor::permute(const Axes& order) const { return weft::permute(*this, order); }
Tensor Tensor::transpose(int first, int second) const { return weft::transpose(*this, first, second); }
Tensor Tensor::flatten(int first, int last) const { return weft::flatten(*this, first, last); }
Tensor Tensor::squeeze() const { return weft::squeeze(*this); }
Tensor Tensor::squeeze(int axis) const { return weft::squeeze(*this, axis); }
Tensor Tensor::unsqueeze(int axis) const { return weft::unsqueeze(*this, axis); }
Tensor Tensor::expand(const Shape& to) const { return weft::expand(*this, to); }
Tensor Tensor::to(DType dtype) const { return weft::to(*this, dtype); }
Tensor Tensor::clone() const { return weft::clone(*this); }
std::vector<Tensor> Tensor::split(int64_t part, int axis) const { return weft::split(*this, part, axis); }
std::vector<Tensor> Tensor::chunk(int64_t parts, int axis) const { return weft::chunk(*this, parts, axis); }
Tensor Tensor::sum(const Axes& axes, bool keepdim) const { return weft::sum(*this, axes, keepdim); }
Tensor Tensor::mean(const Axes& axes, bool keepdim) const { return weft::mean(*this, axes, keepdim); }
Tensor Tensor::max(const Axes& axes, bool keepdim) const { return weft::max(*this, axes, keepdim); }
Tensor Tensor::min(const Axes& axes, bool keepdim) const { return weft::min(*this, axes, keepdim); }
Array Tensor::argmax(int axis, bool keepdim) const { return weft::argmax(*this, axis, keepdim); }
Tensor Tensor::matmul(const Tensor& other) const { return weft::matmul(*this, other); }
Tensor Tensor::softmax(int axis) const { return weft::softmax(*this, axis); }
Tensor Tensor::log_softmax(int axis) const { return weft::log_softmax(*this, axis); }
Tensor Tensor::masked_fill(const Array& mask, double value) const {
  return weft::masked_fill(*this, mask, value);
}
Tensor Tensor::exp() const { return weft::exp(*this); }
Tensor Tensor::log() const { return weft::log(*this); }
Tensor Tensor::sqrt() const { return weft::sqrt(*this); }
Tensor Tensor::abs() const { return weft::abs(*this); }
Tensor Tensor::pow(double exponent) const { return weft::pow(*this, exponent); }
Tensor Tensor::tanh() const { return weft::tanh(*this); }
Tensor Tensor::sigmoid() const { return weft::sigmoid(*this); }
Tensor Tensor::relu() const { return weft::relu(*this); }

}  // namespace weft
