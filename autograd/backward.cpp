#include <weft/autograd/node.h>
#include <weft/autograd/ops.h>
#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/lib/kernels/reduce.h>

#include <queue>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

namespace weft {

namespace {

thread_local const char* current_op = nullptr;
thread_local const TensorState* spent = nullptr;
thread_local bool graph_kept = true;

struct SpentGradient {
  explicit SpentGradient(const TensorState* g) : before(std::exchange(spent, g)) {}
  ~SpentGradient() { spent = before; }
  const TensorState* before;
};

struct GraphKept {
  explicit GraphKept(bool kept) : before(std::exchange(graph_kept, kept)) {}
  ~GraphKept() { graph_kept = before; }
  bool before;
};

struct RunningOp {
  explicit RunningOp(const char* op) : before(std::exchange(current_op, op)) {}
  ~RunningOp() { current_op = before; }
  const char* before;
};

struct GradMode {
  explicit GradMode(bool enabled) : before(set_grad_enabled(enabled)) {}
  ~GradMode() { set_grad_enabled(before); }
  bool before;
};

struct OlderNode {
  bool operator()(const std::shared_ptr<Node>& a, const std::shared_ptr<Node>& b) const {
    return a->id < b->id;
  }
};

/// One run from outputs to inputs: nodes in descending order of creation, each once all its gradient has
/// arrived.
class Engine {
 public:
  Engine(BackwardOptions options)
      : create_graph_(options.create_graph), retain_(options.retain_graph || options.create_graph) {}

  /// Gradients of these states are handed out instead of being added to leaves; nodes that lead to none are
  /// skipped.
  void capture(const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs);
  void seed(const Tensor& output, Tensor g);
  void run();
  Tensor captured(const Tensor& input) const;

 private:
  void step(const std::shared_ptr<Node>& node, Tensor g);
  void find_leads(const Tensor& output);
  void rebuild(const Node& node, Tensor g);
  void send(Edge& edge, Tensor g);
  void send_to_leaf(Edge& edge, Tensor g);
  Tensor run_hooks(const std::map<size_t, GradHook>& hooks, Tensor g) const;
  Tensor fitted(const Edge& edge, Tensor g) const;
  bool wanted(const Edge& edge) const;
  GradSum& sum_for(TensorState& leaf);
  Array& whole_sum(TensorState& leaf);
  void add(Tensor& total, Tensor g) const;

  bool create_graph_, retain_;
  bool capturing_ = false;
  std::priority_queue<std::shared_ptr<Node>, std::vector<std::shared_ptr<Node>>, OlderNode> queue_;
  std::unordered_map<const Node*, Tensor> pending_;
  std::unordered_map<uint64_t, size_t> uses_;  // by id: memory of what is freed meanwhile is used again
  std::unordered_map<const void*, Tensor> captured_;  // by Node, or by leaf state
  std::unordered_map<uint64_t, bool> leads_;          // by node id: whether a captured input lies below
  uint64_t oldest_ = UINT64_MAX;                      // id of the oldest captured input
};

const void* identity(const Tensor& t) {
  if (t.is_leaf()) return t.state().get();
  return t.state()->node.get();
}

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
  if (wanted(edge)) send(edge, std::move(g));
}

void Engine::run() {
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
  if (const auto keeper = node->retained.lock(); keeper && !capturing_) {
    if (create_graph_) {
      add(keeper->grad_graph, g);
    } else {
      kernels::add_into(whole_sum(*keeper), g.value());
    }
  }
  if (capturing_) {
    if (const auto found = captured_.find(node.get()); found != captured_.end()) found->second = g;
    const auto leads = leads_.find(node->id);
    if (leads == leads_.end() || !leads->second) return;
  }
  if (node->freed) {
    fail<StateError>(node->name,
                     ": its graph was freed by an earlier backward; ask for retain_graph to run it again");
  }
  if (node->rebuild) {
    rebuild(*node, std::move(g));
  } else if (node->joint) {
    std::vector<bool> asked;
    for (const Edge& edge : node->edges) asked.push_back(wanted(edge));
    std::vector<Tensor> grads = node->joint(g, asked);
    if (grads.size() != node->edges.size()) {
      fail<StateError>(node->name, ": its rule gave ", grads.size(), " gradients for ", node->edges.size(),
                       " inputs");
    }
    for (size_t i = 0; i < grads.size(); ++i) {
      if (asked[i]) send(node->edges[i], std::move(grads[i]));
    }
  } else {
    Tensor y;
    if (node->output.defined()) {
      if (node->output.version() != node->output_version) {
        fail<StateError>(node->name, ": its result ", node->shape,
                         ", which its gradient needs, was changed in place");
      }
      y = Tensor(node->output);
      y.state()->node = node;
    }
    const Edge* last = nullptr;
    for (const Edge& edge : node->edges) {
      if (wanted(edge)) last = &edge;
    }
    for (Edge& edge : node->edges) {
      if (!wanted(edge)) continue;
      const bool plain = edge.leaf && !capturing_ && !create_graph_ && edge.leaf->hooks.empty();
      if (plain && edge.accumulate && !anomaly_detection()) {
        bool fresh = false;
        GradSum& sum = sum_for(*edge.leaf);
        Array& into = sum.room(edge.shape, edge.dtype, fresh);
        try {
          edge.accumulate(g, into, fresh);
        } catch (...) {
          if (fresh) sum = {};  // what the rule did not write is nobody's gradient
          throw;
        }
        continue;
      }
      if (plain && edge.row_ids.defined() && !anomaly_detection()) {
        sum_for(*edge.leaf).add_rows(edge.row_ids, g.value(), edge.shape);
        continue;
      }
      if (!edge.rule.defined())
        fail<StateError>(node->name, ": has no gradient rule for an input ", edge.shape);
      const bool is_spent = &edge == last && !create_graph_ && g.state().use_count() == 1;
      const SpentGradient mark(is_spent ? g.state().get() : nullptr);
      send(edge, edge.rule(g, y));
    }
  }
  if (!retain_) node->release();
}

void Engine::rebuild(const Node& node, Tensor g) {
  const Tensor y = [&] {
    const GradMode recording(true);
    return node.rebuild();
  }();
  if (!y.requires_grad()) return;
  if (capturing_) find_leads(y);
  seed(y, std::move(g));
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

Tensor Engine::fitted(const Edge& edge, Tensor g) const {
  if (!g.defined()) fail<StateError>(running_op(), ": its rule gave no gradient for an input ", edge.shape);
  if (g.dtype() != edge.dtype) {
    fail<TypeError>(running_op(), ": its rule gave a gradient of ", g.dtype(), " for an input of ",
                    edge.dtype);
  }
  if (!broadcasts_to(edge.shape, g.shape())) {
    fail<ShapeError>(running_op(), ": its rule gave a gradient ", g.shape(), " for an input ", edge.shape);
  }
  if (anomaly_detection() && !g.value().all_finite()) {
    fail<NumericError>(running_op(), ": its gradient for an input ", edge.shape,
                       " has the first NaN or infinity of backward");
  }
  return g;
}

void Engine::send(Edge& edge, Tensor g) {
  g = fitted(edge, std::move(g));
  if (edge.leaf) return send_to_leaf(edge, std::move(g));
  if (!(g.shape() == edge.shape)) g = sum_to(g, edge.shape);
  const auto [place, first] = pending_.try_emplace(edge.node.get());
  if (first) queue_.push(edge.node);
  add(place->second, std::move(g));
}

void Engine::send_to_leaf(Edge& edge, Tensor g) {
  TensorState& leaf = *edge.leaf;
  const bool plain = !capturing_ && !create_graph_ && leaf.hooks.empty();
  if (plain) return kernels::accumulate_to(whole_sum(leaf), g.value());
  if (!(g.shape() == edge.shape)) g = sum_to(g, edge.shape);
  g = run_hooks(leaf.hooks, std::move(g));
  if (capturing_) return add(captured_[&leaf], g);
  if (create_graph_) return add(leaf.grad_graph, g);
  kernels::add_into(whole_sum(leaf), g.value());
}

GradSum& Engine::sum_for(TensorState& leaf) {
  const size_t use = uses_[leaf.id]++;
  if (use == leaf.sums.size()) leaf.sums.emplace_back();
  return leaf.sums[use];
}

Array& Engine::whole_sum(TensorState& leaf) {
  return sum_for(leaf).whole(leaf.value.shape(), leaf.value.dtype());
}

bool sole(const Tensor& t) { return t.state().use_count() == 1 && t.value().unique(); }

void Engine::add(Tensor& total, Tensor g) const {
  if (!total.defined()) {
    total = std::move(g);
  } else if (!create_graph_ && sole(total)) {
    kernels::add_into(total.state()->value, g.value());
  } else if (!create_graph_ && sole(g)) {
    kernels::add_into(g.state()->value, total.value());
    total = std::move(g);
  } else {
    total = total + g;
  }
}

Tensor Engine::captured(const Tensor& input) const {
  const Tensor& g = captured_.at(identity(input));
  return g.defined() ? g : zeros(input.shape(), input.dtype());
}

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
