#include <weft/autograd/engine_internal.h>

#include <tuple>

namespace weft {

namespace {

thread_local const char* current_op = nullptr;
thread_local const TensorState* spent = nullptr;
thread_local bool graph_kept = true;

Tensor checked_seed(const Tensor& output, const Tensor& seed) {
  if (!output.requires_grad()) {
    fail<StateError>("backward: the tensor ", output.shape(), " depends on nothing that requires a gradient",
                     Unrecorded::current() ? "; a block under recompute records nothing at first" : "");
  }
  if (!seed.defined()) {
    if (output.size() != 1) {
      fail<ShapeError>("backward: starts from one number; this tensor is ", output.shape(),
                       ", so give the gradient to start from");
    }
    return ones(output.shape(), output.dtype());
  }
  if (!(seed.shape() == output.shape()) || seed.dtype() != output.dtype()) {
    fail<ShapeError>("backward: the gradient to start from is ", seed.shape(), " ", seed.dtype(),
                     ", the tensor ", output.shape(), " ", output.dtype());
  }
  return seed;
}

}  // namespace

RunningOp::RunningOp(const char* op) : before_(std::exchange(current_op, op)) {}
RunningOp::~RunningOp() { current_op = before_; }
SpentGradient::SpentGradient(const TensorState* g) : before_(std::exchange(spent, g)) {}
SpentGradient::~SpentGradient() { spent = before_; }
GraphKept::GraphKept(bool kept) : before_(std::exchange(graph_kept, kept)) {}
GraphKept::~GraphKept() { graph_kept = before_; }

bool take_spent_gradient(const TensorState* g) {
  if (spent != g) return false;
  spent = nullptr;
  return true;
}

bool graph_is_kept() { return graph_kept; }

bool rule_running() { return current_op != nullptr; }
const char* running_op() { return current_op ? current_op : "backward"; }

Node::~Node() {
  // A chain of nodes would otherwise be destroyed by recursion, one stack frame a link.
  release();
}

void Node::release() {
  using Remains = std::tuple<std::vector<Edge>, JointRule, std::function<Tensor()>>;
  thread_local std::vector<Remains>* graveyard = nullptr;
  freed = true;
  output = {};
  Remains saved{std::exchange(edges, {}), std::exchange(joint, {}), std::exchange(rebuild, {})};
  if (graveyard != nullptr) {
    graveyard->push_back(std::move(saved));
    return;
  }
  std::vector<Remains> dead;
  graveyard = &dead;
  dead.push_back(std::move(saved));
  while (!dead.empty()) {
    const auto last = std::move(dead.back());
    dead.pop_back();
  }
  graveyard = nullptr;
}

void Tensor::backward(BackwardOptions options) const { backward({}, options); }

void Tensor::backward(const Tensor& seed, BackwardOptions options) const {
  const PhaseScope phase("backward");
  Engine engine(options);
  engine.seed(*this, checked_seed(*this, seed));
  engine.run();
}

std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const std::vector<Tensor>& seeds, BackwardOptions options) {
  if (!seeds.empty() && seeds.size() != outputs.size()) {
    fail<ValueError>("grad: ", seeds.size(), " gradients to start from for ", outputs.size(), " outputs");
  }
  for (const Tensor& input : inputs) {
    if (!input.requires_grad())
      fail<StateError>("grad: an input ", input.shape(), " does not require a gradient");
  }
  Engine engine(options);
  engine.capture(inputs, outputs);
  for (size_t i = 0; i < outputs.size(); ++i) {
    engine.seed(outputs[i], checked_seed(outputs[i], seeds.empty() ? Tensor() : seeds[i]));
  }
  engine.run();
  std::vector<Tensor> grads;
  for (const Tensor& input : inputs) grads.push_back(engine.captured(input));
  return grads;
}

}  // namespace weft
