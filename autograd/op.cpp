#include <weft/autograd/autocast.h>
#include <weft/autograd/node.h>
#include <weft/autograd/op.h>
#include <weft/autograd/ops.h>

namespace weft {

namespace {

thread_local Unrecorded* unrecorded = nullptr;

void check_finite(const char* op, const Array& value, std::span<const OpInput> inputs) {
  if (!anomaly_detection() || value.all_finite()) return;
  std::string shapes;
  for (const OpInput& input : inputs) {
    if (!input.tensor.defined()) continue;
    if (!input.tensor.value().all_finite()) return;  // made by an earlier operation, or given so on purpose
    append_to(shapes, str(shapes.empty() ? "" : ", ", input.tensor.shape()));
  }
  const std::string where = rule_running() ? str("backward of ", running_op(), ": ") : "";
  fail<NumericError>(where, op, ": made the first NaN or infinity, in its result ", value.shape(), " from ",
                     shapes);
}

std::shared_ptr<Node> record(const char* op, const Array& value, std::span<const OpInput> inputs) {
  auto node = std::make_shared<Node>(op, next_id(), value);
  node->edges.reserve(inputs.size());
  for (const OpInput& input : inputs) {
    Edge edge{{}, {}, input.rule, input.accumulate, input.row_ids, {}, value.dtype()};
    if (input.tensor.requires_grad()) {
      edge.node = input.tensor.state()->node;
      if (!edge.node) edge.leaf = input.tensor.state();
      edge.shape = input.tensor.shape();
      edge.dtype = input.tensor.dtype();
      if (edge.rule.needs_output() && !node->output.defined()) {
        node->output = value;
        node->output_version = value.version();
      }
    } else {
      edge.rule = {};
      edge.accumulate = {};
      edge.row_ids = {};
    }
    node->edges.push_back(std::move(edge));
  }
  return node;
}

bool any_requires_grad(std::span<const OpInput> inputs) {
  for (const OpInput& input : inputs) {
    if (input.tensor.requires_grad()) return true;
  }
  return false;
}

bool recorded(std::span<const OpInput> inputs) {
  if (!grad_enabled() || !any_requires_grad(inputs)) return false;
  if (unrecorded == nullptr) return true;
  for (const OpInput& input : inputs) {
    if (input.tensor.requires_grad()) unrecorded->gather(input.tensor);
  }
  return false;
}

Tensor with_node(Array value, std::shared_ptr<Node> node) {
  Tensor y(std::move(value));
  y.state()->node = std::move(node);
  return y;
}

}  // namespace

Unrecorded::Unrecorded() : before_(std::exchange(unrecorded, this)) {}
Unrecorded::~Unrecorded() { unrecorded = before_; }
Unrecorded* Unrecorded::current() { return unrecorded; }

void Unrecorded::gather(const Tensor& input) {
  if (seen_.insert(input.state().get()).second) gathered_.push_back(input);
}

Saved::Saved(const Tensor& tensor) {
  if (!tensor.defined()) return;
  version_ = tensor.value().version();
  if (grad_enabled() && tensor.state()->remaking) {
    remaking_ = tensor.state()->remaking;
    node_ = tensor.state()->node;
    state_ = tensor.state();
  } else {
    tensor_ = tensor;
  }
}

Saved::Saved(const Tensor& tensor, std::function<Array()> make) {
  if (!tensor.defined()) return;
  if (!grad_enabled() ||
      (tensor.requires_grad() && !tensor.state()->node)) {  // a leaf is held by whoever made it
    *this = Saved(tensor);
    return;
  }
  remaking_ = std::make_shared<Remaking>(Remaking{std::move(make), {}});
  node_ = tensor.state()->node;
}

Tensor Saved::operator()() const {
  if (remaking_) {
    if (const auto state = state_.lock(); state && state->value.version() == version_) return Tensor(state);
    const Array value = remaking_->made.defined() ? remaking_->made : remaking_->make();
    remaking_->made = remaking_.use_count() > 1 ? value : Array();
    return with_node(value, node_);
  }
  if (tensor_.defined() && tensor_.value().version() != version_) {
    fail<StateError>(running_op(), ": a value ", tensor_.shape(),
                     " that its gradient needs was changed in place after the forward pass");
  }
  return tensor_;
}

Array Saved::consume() const {
  Array value = (*this)().value();
  if (!graph_is_kept() && tensor_.defined()) tensor_ = {};
  return value;
}

Array consume(const Tensor& g) {
  if (!take_spent_gradient(g.state().get())) return g.value();
  return std::exchange(g.state()->value, {});
}

Tensor remake_by(Tensor y, std::function<Array()> make) {
  if (y.state()->node) y.state()->remaking = std::make_shared<Remaking>(Remaking{std::move(make), {}});
  return y;
}

Tensor make_op(const char* op, Array value, std::initializer_list<OpInput> inputs) {
  return make_op(op, std::move(value), std::span(inputs.begin(), inputs.size()));
}

Tensor make_op(const char* op, Array value, std::span<const OpInput> inputs) {
  profile_op(op);
  check_finite(op, value, inputs);
  if (!recorded(inputs)) return Tensor(std::move(value));
  auto node = record(op, value, inputs);
  return with_node(std::move(value), std::move(node));
}

Tensor make_op(const char* op, Array value, const std::vector<Tensor>& inputs, JointRule rule) {
  std::vector<OpInput> plain;
  for (const Tensor& input : inputs) plain.push_back({input, {}});
  profile_op(op);
  check_finite(op, value, plain);
  if (!recorded(plain)) return Tensor(std::move(value));
  auto node = record(op, value, plain);
  node->joint = std::move(rule);
  return with_node(std::move(value), std::move(node));
}

std::vector<Tensor> composed_grad(const std::function<Tensor(const std::vector<Tensor>&)>& composed,
                                  const std::vector<Tensor>& inputs, const Tensor& g) {
  // Fresh aliases bound the walk of grad(): nothing older than they are is visited.
  std::vector<Tensor> aliases, wanted;
  for (const Tensor& input : inputs) {
    aliases.push_back(input.defined() && input.requires_grad() ? reshape(input, input.shape()) : input);
    if (input.defined() && input.requires_grad()) wanted.push_back(aliases.back());
  }
  const Tensor y = composed(aliases);
  const std::vector<Tensor> found = grad({y}, wanted, {to(g, y.dtype())}, {.create_graph = true});
  std::vector<Tensor> result(inputs.size());
  for (size_t i = 0, next = 0; i < inputs.size(); ++i) {
    if (inputs[i].defined() && inputs[i].requires_grad()) result[i] = found[next++];
  }
  return result;
}

}  // namespace weft
