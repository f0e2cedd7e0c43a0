// Tensor: an array that remembers how it was made, so that gradients flow back through it.
//
// A Tensor is a handle: copies are the same tensor. A leaf is one that no operation made; leaves that require
// a gradient collect it in grad(). Graphs are recorded per thread; one graph, and the leaves it uses, belong
// to one thread at a time.
#pragma once

#include <weft/autograd/axes.h>
#include <weft/autograd/removable_handle.h>
#include <weft/lib/array/array.h>

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <vector>

namespace weft {

class Tensor;
struct Node;
struct TensorState;

/// Called with a gradient on its way; what it returns, if defined, replaces it.
using GradHook = std::function<Tensor(const Tensor& grad)>;

struct BackwardOptions {
  bool retain_graph = false;  ///< keep what the operations saved, so that backward can run once more
  /// Record the gradients themselves, for gradients of gradients; implies retain_graph. After backward() the
  /// leaf and the graph of its gradient hold each other until zero_grad(); grad() leaves nothing behind.
  bool create_graph = false;
  /// Called with each leaf once all is added to its gradient that this backward gives it, in the order in which that is so;
  /// of a block under recompute whose forward and backward reach different leaves, some are never told of.
  std::function<void(const Tensor& leaf)> leaf_done = nullptr;
};

class Tensor {
 public:
  /// No tensor at all: defined() is false.
  Tensor() = default;
  /// A leaf over `value`, whose buffer it shares.
  explicit Tensor(Array value, bool requires_grad = false);
  explicit Tensor(std::shared_ptr<TensorState> state) : state_(std::move(state)) {}

  bool defined() const { return state_ != nullptr; }
  const Array& value() const;
  const Shape& shape() const { return value().shape(); }
  int rank() const { return value().rank(); }
  int ndim() const { return rank(); }
  int dim() const { return rank(); }
  /// Extent of an axis; negative axes count from the last. ShapeError when there is no such axis.
  int64_t dim(int axis) const { return value().dim(axis); }
  int64_t size(int axis) const { return dim(axis); }
  /// Number of elements.
  int64_t size() const { return value().size(); }
  int64_t numel() const { return size(); }
  DType dtype() const { return value().dtype(); }
  /// The single value of a one-element tensor, as double.
  double item() const { return value().item(); }

  /// The values, to be changed in place. Backward through an operation that needs the old ones is then
  /// refused with its name. StateError for a tensor that an operation made, or while recording one that
  /// requires a gradient.
  Array& mutable_value();
  /// Puts another array in place of the leaf's value, of any shape and type; drops the gradient.
  void set_value(Array value);

  bool requires_grad() const;
  /// Leaves only (StateError); TypeError unless float32 or float64.
  Tensor& set_requires_grad(bool requires_grad = true);
  bool is_leaf() const;
  /// Name of the operation that made it; "leaf" if none.
  const char* op_name() const;

  /// The gradient gathered so far; undefined when there is none. For leaves, and after retain_grad(). Its
  /// array goes on being summed into by the next backward(). See backward() for what asking in between
  /// changes.
  Tensor grad() const;
  /// Forgets the gradient.
  void zero_grad();
  /// Puts another gradient in place of the one gathered. ShapeError unless of this shape and type.
  void set_grad(Array grad);
  /// Makes a tensor that an operation made keep its gradient as leaves do.
  void retain_grad();
  /// Calls `hook` with each gradient that arrives here, before it is used.
  RemovableHandle register_hook(GradHook hook);

  /// The same values as a leaf without history.
  Tensor detach() const;
  /// d this / d leaf is added to grad() of every leaf that requires it. Starts from 1 (ShapeError unless one
  /// element) or `seed`, of this shape. A parameter used in several places keeps one running sum per use;
  /// grad() adds them up, for good, so that micro-batches in sequence give the bits of the whole batch at
  /// once where the operations say so, unless grad() is asked in between.
  void backward(BackwardOptions options = {}) const;
  void backward(const Tensor& seed, BackwardOptions options = {}) const;

  /// Operations as methods, for those who look for them here: x.view({B, -1}) is reshape(x, {B, -1}). What
  /// they do stands where the functions do, in autograd/ops/; contiguous() is the tensor itself, and item()
  /// above the number.
  Tensor reshape(std::initializer_list<int64_t> extents) const;
  Tensor view(std::initializer_list<int64_t> extents) const { return reshape(extents); }
  Tensor permute(const Axes& order) const;
  Tensor transpose(int first, int second) const;
  Tensor flatten(int first = 0, int last = -1) const;
  Tensor squeeze() const;
  Tensor squeeze(int axis) const;
  Tensor unsqueeze(int axis) const;
  Tensor expand(const Shape& to) const;
  Tensor contiguous() const { return *this; }
  Tensor to(DType dtype) const;
  Tensor clone() const;
  std::vector<Tensor> split(int64_t part, int axis = 0) const;
  std::vector<Tensor> chunk(int64_t parts, int axis = 0) const;
  Tensor sum(const Axes& axes = {}, bool keepdim = false) const;
  Tensor mean(const Axes& axes = {}, bool keepdim = false) const;
  Tensor max(const Axes& axes = {}, bool keepdim = false) const;
  Tensor min(const Axes& axes = {}, bool keepdim = false) const;
  Array argmax(int axis, bool keepdim = false) const;
  Tensor matmul(const Tensor& other) const;
  Tensor softmax(int axis) const;
  Tensor log_softmax(int axis) const;
  Tensor masked_fill(const Array& mask, double value) const;
  Tensor exp() const;
  Tensor log() const;
  Tensor sqrt() const;
  Tensor abs() const;
  Tensor pow(double exponent) const;
  Tensor tanh() const;
  Tensor sigmoid() const;
  Tensor relu() const;

  const std::shared_ptr<TensorState>& state() const { return state_; }

 private:
  TensorState& checked() const;
  std::shared_ptr<TensorState> state_;
};

/// d sum(outputs[i] . seeds[i]) / d inputs[j] for any tensors, without touching grad(). `seeds` empty means
/// ones. An input that the outputs do not depend on gives zeros.
std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const std::vector<Tensor>& seeds = {}, BackwardOptions options = {});

/// While it lives, this thread records nothing: `const NoGrad no_grad;`
class NoGrad {
 public:
  [[nodiscard]] NoGrad();
  ~NoGrad();
  NoGrad(const NoGrad&) = delete;
  NoGrad& operator=(const NoGrad&) = delete;

 private:
  bool before_;
};
/// Whether operations of this thread are recorded.
bool grad_enabled();

/// While it lives, the first operation of this thread that makes a NaN or infinity from finite inputs,
/// forward or backward, throws NumericError with its name and shapes. Slow: it reads every value.
class DetectAnomaly {
 public:
  [[nodiscard]] DetectAnomaly();
  ~DetectAnomaly();
  DetectAnomaly(const DetectAnomaly&) = delete;
  DetectAnomaly& operator=(const DetectAnomaly&) = delete;

 private:
  bool before_;
};

/// Leaves: zeros, ones, a constant, given values.
Tensor zeros(const Shape& shape, DType dtype = default_dtype());
Tensor ones(const Shape& shape, DType dtype = default_dtype());
Tensor full(const Shape& shape, double value, DType dtype = default_dtype());
/// Of x's shape and type.
Tensor zeros_like(const Tensor& x);
Tensor ones_like(const Tensor& x);
Tensor tensor(std::initializer_list<double> values, const Shape& shape, DType dtype = default_dtype());
Tensor tensor(const std::vector<double>& values, const Shape& shape, DType dtype = default_dtype());

}  // namespace weft
