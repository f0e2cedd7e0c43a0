#include <weft/autograd/int8.h>
#include <weft/autograd/node.h>
#include <weft/autograd/tensor.h>
#include <weft/lib/kernels/elementwise/elementwise.h>

#include <atomic>

namespace weft {

namespace {
thread_local bool recording = true;
thread_local bool detecting = false;
}  // namespace

uint64_t next_id() {
  static std::atomic<uint64_t> counter{0};
  return ++counter;
}

bool grad_enabled() { return recording; }
bool anomaly_detection() { return detecting; }

bool set_grad_enabled(bool enabled) { return std::exchange(recording, enabled); }

NoGrad::NoGrad() : before_(set_grad_enabled(false)) {}
NoGrad::~NoGrad() { recording = before_; }
DetectAnomaly::DetectAnomaly() : before_(std::exchange(detecting, true)) {}
DetectAnomaly::~DetectAnomaly() { detecting = before_; }

Tensor::Tensor(Array value, bool requires_grad) : state_(std::make_shared<TensorState>()) {
  if (!value.defined()) fail<StateError>("Tensor: the array was never given values");
  state_->value = std::move(value);
  state_->id = next_id();
  if (requires_grad) set_requires_grad();
}

TensorState& Tensor::checked() const {
  if (!state_) fail<StateError>("a tensor that was never given values is used");
  return *state_;
}

const Array& Tensor::value() const {
  const TensorState& state = checked();
  if (state.int8 && !state.value.defined()) detail::refuse_int8("value", *this);
  return state.value;
}

Array& Tensor::mutable_value() {
  TensorState& state = checked();
  if (state.int8) detail::refuse_int8("mutable_value", *this);
  if (state.node)
    fail<StateError>("mutable_value: a result of ", state.node->name, " ", shape(),
                     " cannot be changed in place; detach() it");
  if (state.requires_grad && recording) {
    fail<StateError>("mutable_value: a leaf ", shape(),
                     " that requires a gradient is changed in place while recording; use NoGrad");
  }
  return state.value;
}

void Tensor::set_value(Array value) {
  TensorState& state = checked();
  if (state.int8) detail::refuse_int8("set_value", *this);
  if (state.node) fail<StateError>("set_value: a result of ", state.node->name, " has no value of its own");
  zero_grad();
  state.value = std::move(value);
}

bool Tensor::requires_grad() const { return state_ && (state_->node || state_->requires_grad); }

Tensor& Tensor::set_requires_grad(bool requires_grad) {
  TensorState& state = checked();
  if (state.node)
    fail<StateError>("set_requires_grad: a result of ", state.node->name, " is no leaf; detach() it first");
  if (requires_grad && state.int8) detail::refuse_int8("set_requires_grad", *this);
  if (requires_grad && dtype() != float32 && dtype() != float64)
    fail<TypeError>("set_requires_grad: needs float32 or float64, not ", dtype());
  state.requires_grad = requires_grad;
  return *this;
}

bool Tensor::is_leaf() const { return checked().node == nullptr; }
const char* Tensor::op_name() const { return is_leaf() ? "leaf" : state_->node->name; }

Tensor Tensor::grad() const {
  TensorState& state = checked();
  if (state.requires_grad) use_of(state).claimed = true;
  if (state.grad_graph.defined()) return state.grad_graph;
  if (state.sums.empty()) return {};
  // From here on one sum: a second one of a large table would double what it takes.
  Array& total = state.sums[0].whole(shape(), dtype());
  for (size_t use = 1; use < state.sums.size(); ++use) state.sums[use].add_to(total);
  state.sums.resize(1);
  return Tensor(total);
}

void Tensor::zero_grad() {
  TensorState& state = checked();
  if (state.requires_grad) use_of(state).claimed = true;
  state.sums.clear();
  state.grad_graph = {};
}

void Tensor::set_grad(Array grad) {
  if (!(grad.shape() == shape()) || grad.dtype() != dtype()) {
    fail<ShapeError>("set_grad: the gradient is ", grad.shape(), " ", grad.dtype(), ", the tensor ", shape(),
                     " ", dtype());
  }
  zero_grad();
  state_->sums.emplace_back(std::move(grad));
}

void Tensor::retain_grad() {
  if (!is_leaf()) state_->node->retained = state_;
}

namespace {

/// Registers in where.hooks; the handle outlives what it hooks.
template <class Hooked>
RemovableHandle hook_into(const std::shared_ptr<Hooked>& where, GradHook hook) {
  const size_t number = where->hooks.empty() ? 0 : where->hooks.rbegin()->first + 1;
  where->hooks.emplace(number, std::move(hook));
  return RemovableHandle([alive = std::weak_ptr(where), number] {
    if (const auto hooked = alive.lock()) hooked->hooks.erase(number);
  });
}

}  // namespace

RemovableHandle Tensor::register_hook(GradHook hook) {
  if (!requires_grad()) fail<StateError>("register_hook: the tensor ", shape(), " requires no gradient");
  if (state_->node) return hook_into(state_->node, std::move(hook));
  use_of(*state_).claimed = true;
  return hook_into(state_, std::move(hook));
}

Tensor Tensor::detach() const { return Tensor(value()); }

Tensor zeros(const Shape& shape, DType dtype) { return Tensor(Array::zeros(shape, dtype)); }
Tensor ones(const Shape& shape, DType dtype) { return Tensor(Array::ones(shape, dtype)); }
Tensor full(const Shape& shape, double value, DType dtype) {
  return Tensor(Array::full(shape, value, dtype));
}
Tensor zeros_like(const Tensor& x) { return zeros(x.shape(), x.dtype()); }
Tensor ones_like(const Tensor& x) { return ones(x.shape(), x.dtype()); }
Tensor tensor(std::initializer_list<double> values, const Shape& shape, DType dtype) {
  return Tensor(Array::from(values, shape).to(dtype));
}
Tensor tensor(const std::vector<double>& values, const Shape& shape, DType dtype) {
  return Tensor(Array::from(values, shape).to(dtype));
}

}  // namespace weft
