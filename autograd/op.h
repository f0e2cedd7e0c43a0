// How an operation is made: the value and, paired with each input, the rule for its gradient.
//
//   Tensor cube(const Tensor& x) {
//     return make_op("cube", kernels::binary(Binary::pow, x.value(), 3.0),
//                    {{x, [x = save(x)](const Tensor& g) { return g * 3.0 * x() * x(); }}});
//   }
//
// Rules are written in Tensor operations. They run without recording unless the caller asks for the graph of
// the gradient, so gradients of gradients come for free. Rules that nobody needs are not run. A rule may
// return a gradient of the broadcast shape: the engine sums it down.
#pragma once

#include <weft/autograd/tensor.h>

#include <functional>
#include <initializer_list>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

namespace weft {

/// What backward needs of a tensor: a call gives it back, and refuses (StateError naming the operation) when
/// its values were changed in place meanwhile.
class Saved {
 public:
  explicit Saved(Tensor tensor)
      : tensor_(std::move(tensor)), version_(tensor_.defined() ? tensor_.value().version() : 0) {}
  const Tensor& operator()() const;

 private:
  Tensor tensor_;
  uint64_t version_;
};
inline Saved save(const Tensor& tensor) { return Saved(tensor); }

/// The gradient of one input from g, the gradient of the output, and, if the rule takes two arguments, y, the
/// output. No rule at all ({}) means that the operation has no gradient there: backward then throws, naming
/// it.
class Rule {
 public:
  Rule() = default;
  template <class F>
  requires std::is_invocable_r_v<Tensor, F, const Tensor&> Rule(F rule) {
    if (grad_enabled()) from_g_ = std::move(rule);  // else nobody will ask, and no function is stored
  }
  template <class F>
  requires std::is_invocable_r_v<Tensor, F, const Tensor&, const Tensor&> Rule(F rule) {
    if (grad_enabled()) from_g_and_y_ = std::move(rule);
  }

  bool defined() const { return from_g_ || from_g_and_y_; }
  bool needs_output() const { return static_cast<bool>(from_g_and_y_); }
  Tensor operator()(const Tensor& g, const Tensor& y) const {
    return from_g_ ? from_g_(g) : from_g_and_y_(g, y);
  }

 private:
  std::function<Tensor(const Tensor&)> from_g_;
  std::function<Tensor(const Tensor&, const Tensor&)> from_g_and_y_;
};

/// into += the gradient: for parameters whose gradient is one running sum over samples, going on across
/// micro-batches.
using AccumulateRule = std::function<void(const Tensor& g, Array& into)>;

struct OpInput {
  Tensor tensor;
  Rule rule;
  AccumulateRule accumulate =
      {};  ///< used instead of `rule` where the input is a leaf and no graph is wanted
};

/// `op` must outlive the graph: a literal.
Tensor make_op(const char* op, Array value, std::initializer_list<OpInput> inputs);
Tensor make_op(const char* op, Array value, std::span<const OpInput> inputs);

/// All gradients at once, for fused operations whose inputs share work. `wanted[i]` tells whether input i
/// needs one; the others may stay undefined.
using JointRule = std::function<std::vector<Tensor>(const Tensor& g, const std::vector<bool>& wanted)>;
Tensor make_op(const char* op, Array value, const std::vector<Tensor>& inputs, JointRule rule);

/// The gradients of `composed(inputs)` as a graph: the second derivative of a fused operation goes through
/// the same formula composed of small ones. Undefined inputs stay so.
std::vector<Tensor> composed_grad(const std::function<Tensor(const std::vector<Tensor>&)>& composed,
                                  const std::vector<Tensor>& inputs, const Tensor& g);

}  // namespace weft
