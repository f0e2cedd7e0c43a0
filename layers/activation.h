// Activations and other layers without parameters, for Sequential: torch.nn's.
#pragma once

#include <weft/autograd/ops.h>
#include <weft/layers/layer.h>

namespace weft {

/// max(x, 0), of each element.
struct ReLU : Layer<ReLU> {
  Tensor forward(const Tensor& x) const { return relu(x); }
};

/// x Phi(x), of each element; exact, or in the tanh form.
struct GELU : Layer<GELU> {
  explicit GELU(Gelu which = Gelu::exact) : form(which) {}
  Tensor forward(const Tensor& x) const { return gelu(x, form); }

  const Gelu form;
};

/// x sigmoid(x), of each element.
struct SiLU : Layer<SiLU> {
  Tensor forward(const Tensor& x) const { return silu(x); }
};

struct Tanh : Layer<Tanh> {
  Tensor forward(const Tensor& x) const { return tanh(x); }
};

/// 1 / (1 + exp(-x)), of each element.
struct Sigmoid : Layer<Sigmoid> {
  Tensor forward(const Tensor& x) const { return sigmoid(x); }
};

/// softmax() along an axis.
struct Softmax : Layer<Softmax> {
  explicit Softmax(int along = -1) : axis(along) {}
  Tensor forward(const Tensor& x) const { return softmax(x, axis); }

  const int axis;
};

/// x itself.
struct Identity : Layer<Identity> {
  Tensor forward(const Tensor& x) const { return x; }
  bool idle() const { return true; }
};

/// Axes first .. last as one: by default x (B, ...) -> (B, the rest).
struct Flatten : Layer<Flatten> {
  explicit Flatten(int start = 1, int end = -1) : first(start), last(end) {}
  Tensor forward(const Tensor& x) const { return flatten(x, first, last); }

  const int first, last;
};

}  // namespace weft
