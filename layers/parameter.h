// Parameter: a tensor that a module trains and saves (Module::parameter()).
#pragma once

#include <weft/autograd/tensor.h>
#include <weft/lib/base/error.h>

#include <utility>

namespace weft {

/// To be read as a tensor, and changed in place:
///   const NoGrad no_grad;
///   layer.weight.mutable_value().copy_from(values);
/// What is assigned would be neither trained nor saved, and does not compile; nor do two layers share a weight so: use
/// the one where the other is wanted, as `linear(x, embedding.weight)` for a tied output layer.
class Parameter : public Tensor {
 public:
  /// None, as the bias of a layer without one.
  Parameter() = default;
  Parameter(const Parameter&) = default;
  Parameter(Parameter&&) = default;
  /// What parameter() gives, to one that is none yet. StateError to another.
  Parameter& operator=(Parameter&& made) {
    if (defined())
      fail<StateError>("parameter: one of ", shape(), " is there already, and would not be replaced");
    Tensor::operator=(std::move(made));
    return *this;
  }
  Parameter& operator=(const Parameter&) = delete;
  Parameter& operator=(const Tensor&) = delete;

 private:
  friend class Module;
  explicit Parameter(Tensor tensor) : Tensor(std::move(tensor)) {}
};

}  // namespace weft
