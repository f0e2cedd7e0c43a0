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

/// How to compute a result once more. Made by remake_by, held by those who saved the result.
struct Remaking {
  std::function<Array()> make;
  Array made;  ///< for the holders to come
};

/// What backward needs of a tensor: a call gives it back, and refuses (StateError naming the operation) when
/// its values were changed in place meanwhile. Of a result that is cheap to compute again it holds not the
/// values but how to.
class Saved {
 public:
  explicit Saved(const Tensor& tensor);
  Saved(const Tensor& tensor, std::function<Array()> make);
  Tensor operator()() const;
  /// Its values, for a rule that reads them for the last time: nobody else's, so that they may be
  /// overwritten, when the graph is not kept and nothing else holds them; array.unique() tells.
  Array consume() const;

 private:
  mutable Tensor tensor_;
  uint64_t version_ = 0;
  std::shared_ptr<Remaking> remaking_;  // then the tensor is not held, but
  std::shared_ptr<Node> node_;          // what made it,
  std::weak_ptr<TensorState> state_;    // and itself as long as somebody else holds it
};
inline Saved save(const Tensor& tensor) { return Saved(tensor); }
/// As save, but of what `make` gives, the values or such as serve for them, whoever else still holds them.
inline Saved save_by(const Tensor& tensor, std::function<Array()> make) { return {tensor, std::move(make)}; }

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

/// into += the gradient, or into = the gradient while it is `fresh`, holding nothing yet: for parameters
/// whose gradient is one running sum over samples, going on across micro-batches.
using AccumulateRule = std::function<void(const Tensor& g, Array& into, bool fresh)>;

struct OpInput {
  Tensor tensor;
  Rule rule;
  /// Used instead of `rule` where the input is a leaf and no graph is wanted; or else, there too,
  AccumulateRule accumulate = {};
  Array row_ids = {};  ///< the rows of the input (V, C) that the rows of g are the gradients of
};

/// `op` must outlive the graph: a literal.
Tensor make_op(const char* op, Array value, std::initializer_list<OpInput> inputs);
Tensor make_op(const char* op, Array value, std::span<const OpInput> inputs);

/// Whether make_op would record an operation on these: where not, an operation that decoding calls often need
/// not make its rules.
template <class... Tensors>
bool records(const Tensors&... inputs) {
  return grad_enabled() && (inputs.requires_grad() || ...);
}

/// y, the result of make_op, after which operations that save it for backward will call `make` instead of
/// keeping its values. For what one pass over memory computes again, from what its own gradient keeps anyway,
/// with the same bits: norms, activations, dropout.
Tensor remake_by(Tensor y, std::function<Array()> make);

/// The values of g, a rule's argument: nobody else's, so that the rule may overwrite them, whenever the rule
/// is the last that reads g; array.unique() tells.
Array consume(const Tensor& g);

/// All gradients at once, for fused operations whose inputs share work. `wanted[i]` tells whether input i
/// needs one; the others may stay undefined.
using JointRule = std::function<std::vector<Tensor>(const Tensor& g, const std::vector<bool>& wanted)>;
Tensor make_op(const char* op, Array value, const std::vector<Tensor>& inputs, JointRule rule);

/// The gradients of `composed(inputs)` as a graph: the second derivative of a fused operation goes through
/// the same formula composed of small ones. Undefined inputs stay so.
std::vector<Tensor> composed_grad(const std::function<Tensor(const std::vector<Tensor>&)>& composed,
                                  const std::vector<Tensor>& inputs, const Tensor& g);

}  // namespace weft
