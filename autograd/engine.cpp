#include <weft/autograd/autocast.h>
#include <weft/autograd/engine_internal.h>
#include <weft/lib/kernels/elementwise/elementwise.h>

namespace weft {

namespace {

const void* identity(const Tensor& t) {
  if (t.is_leaf()) return t.state().get();
  return t.state()->node.get();
}

/// The node's result, for rules that ask for it; undefined when none does.
Tensor recorded_output(const std::shared_ptr<Node>& node) {
  if (!node->output.defined()) return {};
  if (node->output.version() != node->output_version)
    fail<StateError>(node->name, ": its result ", node->shape,
                     ", which its gradient needs, was changed in place");
  Tensor y(node->output);
  y.state()->node = node;
  return y;
}

}  // namespace

void Engine::capture(const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs) {
  capturing_ = true;
  for (const Tensor& input : inputs) {
    captured_[identity(input)] = {};
    oldest_ = std::min(oldest_, input.is_leaf() ? input.state()->id : input.state()->node->id);
  }
  for (const Tensor& output : outputs) find_leads(output);
}

void Engine::find_leads(const Tensor& output) {
  // Depth first, children before parents, on an explicit stack.
  std::vector<std::pair<const Node*, size_t>> stack;
  const auto enter = [&](const Node* node) {
    if (node && node->id > oldest_ && leads_.emplace(node->id, false).second) stack.emplace_back(node, 0);
  };
  enter(output.state()->node.get());
  while (!stack.empty()) {
    auto& [node, next] = stack.back();
    if (next < node->edges.size()) {
      enter(node->edges[next++].node.get());
      continue;
    }
    bool leads = false;
    for (const Edge& edge : node->edges) leads = leads || wanted(edge);
    leads_[node->id] = leads;
    stack.pop_back();
  }
}

bool Engine::wanted(const Edge& edge) const {
  if (!capturing_) return edge.needed();
  if (edge.leaf) return captured_.contains(edge.leaf.get());
  if (!edge.node) return false;
  const auto found = leads_.find(edge.node->id);
  return captured_.contains(edge.node.get()) || (found != leads_.end() && found->second);
}

void Engine::seed(const Tensor& output, Tensor g) {
  Edge edge;
  edge.node = output.state()->node;
  if (!edge.node) edge.leaf = output.state();
  edge.shape = output.shape();
  edge.dtype = output.dtype();
  if (!wanted(edge)) return;
  if (leaf_done_ && edge.node) await_leaves(edge.node);
  send(edge, std::move(g));
  if (leaf_done_ && edge.leaf) leaf_done_(Tensor(edge.leaf));
}

void Engine::run() {
  const Autocast as_recorded(float32);
  const GradMode mode(create_graph_);
  const GraphKept kept(retain_);
  while (!queue_.empty()) {
    const std::shared_ptr<Node> node = queue_.top();
    queue_.pop();
    const auto found = pending_.find(node.get());
    Tensor g = std::move(found->second);
    pending_.erase(found);
    step(node, std::move(g));
  }
}

void Engine::step(const std::shared_ptr<Node>& node, Tensor g) {
  const RunningOp running(node->name);
  const OpScope profile(node->name, node->layer);
  g = run_hooks(node->hooks, std::move(g));
  retain(*node, g);
  if (!goes_on(*node, g)) return;
  if (node->freed)
    fail<StateError>(node->name,
                     ": its graph was freed by an earlier backward; ask for retain_graph to run it again");
  if (node->rebuild) {
    run_rebuilt(*node, std::move(g));
  } else if (node->joint) {
    run_joint_rule(*node, g);
  } else {
    run_rules(node, g);
  }
  if (leaf_done_)
    for (const Edge& edge : node->edges) arrived(edge);
  if (!retain_) node->release();
}

/// For a tensor that was asked to keep its gradient, as leaves do.
void Engine::retain(const Node& node, const Tensor& g) {
  const auto keeper = node.retained.lock();
  if (!keeper || capturing_) return;
  if (create_graph_) return add(keeper->grad_graph, g);
  kernels::add_into(whole_sum(*keeper), g.value());
}

/// Hands out the gradient of an input that is captured here; whether there are others below.
bool Engine::goes_on(const Node& node, const Tensor& g) {
  if (!capturing_) return true;
  if (const auto found = captured_.find(&node); found != captured_.end()) found->second = g;
  const auto leads = leads_.find(node.id);
  return leads != leads_.end() && leads->second;
}

void Engine::run_rebuilt(const Node& node, Tensor g) {
  const Tensor y = [&] {
    const GradMode recording(true);
    return node.rebuild();
  }();
  if (!y.requires_grad()) return;
  if (capturing_) find_leads(y);
  seed(y, std::move(g));
}

void Engine::run_joint_rule(Node& node, const Tensor& g) {
  std::vector<bool> asked;
  for (const Edge& edge : node.edges) asked.push_back(wanted(edge));
  std::vector<Tensor> grads = node.joint(g, asked);
  if (grads.size() != node.edges.size())
    fail<StateError>(node.name, ": its rule gave ", grads.size(), " gradients for ", node.edges.size(),
                     " inputs");
  for (size_t i = 0; i < grads.size(); ++i) {
    if (asked[i]) send(node.edges[i], std::move(grads[i]));
  }
}

void Engine::run_rules(const std::shared_ptr<Node>& node, const Tensor& g) {
  const Tensor y = recorded_output(node);
  const Edge* last = nullptr;
  for (const Edge& edge : node->edges) {
    if (wanted(edge)) last = &edge;
  }
  for (Edge& edge : node->edges) {
    if (!wanted(edge) || add_straight_to_leaf(edge, g)) continue;
    if (!edge.rule.defined())
      fail<StateError>(node->name, ": has no gradient rule for an input ", edge.shape);
    const bool is_spent = &edge == last && !create_graph_ && g.state().use_count() == 1;
    const SpentGradient mark(is_spent ? g.state().get() : nullptr);
    send(edge, edge.rule(g, y));
  }
}

Tensor Engine::run_hooks(const std::map<size_t, GradHook>& hooks, Tensor g) const {
  for (const auto& [number, hook] : hooks) {
    const Tensor replaced = hook(g);
    if (!replaced.defined()) continue;
    if (!(replaced.shape() == g.shape()) || replaced.dtype() != g.dtype()) {
      fail<ShapeError>(running_op(), ": a hook replaced a gradient ", g.shape(), " ", g.dtype(), " by ",
                       replaced.shape(), " ", replaced.dtype());
    }
    g = replaced;
  }
  return g;
}

Tensor Engine::captured(const Tensor& input) const {
  const Tensor& g = captured_.at(identity(input));
  return g.defined() ? g : zeros(input.shape(), input.dtype());
}

}  // namespace weft
