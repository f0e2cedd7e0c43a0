// One run of backward, from outputs to inputs.
#pragma once

#include <weft/autograd/node.h>

#include <cstdint>
#include <memory>
#include <queue>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace weft {

/// What the rules that run now may ask about (node.h), for as long as each lives, of this thread.
class RunningOp {
 public:
  explicit RunningOp(const char* op);
  ~RunningOp();

 private:
  const char* before_;
};

/// Nobody reads `g` after the rule that runs now.
class SpentGradient {
 public:
  explicit SpentGradient(const TensorState* g);
  ~SpentGradient();

 private:
  const TensorState* before_;
};

class GraphKept {
 public:
  explicit GraphKept(bool kept);
  ~GraphKept();

 private:
  bool before_;
};

class GradMode {
 public:
  explicit GradMode(bool enabled) : before_(set_grad_enabled(enabled)) {}
  ~GradMode() { set_grad_enabled(before_); }

 private:
  bool before_;
};

/// Nodes in descending order of creation, each once all its gradient has arrived.
class Engine {
 public:
  explicit Engine(BackwardOptions options)
      : create_graph_(options.create_graph),
        retain_(options.retain_graph || options.create_graph),
        leaf_done_(std::move(options.leaf_done)) {}

  /// Gradients of these inputs are handed out instead of being added to leaves; nodes that lead to none are
  /// skipped.
  void capture(const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs);
  /// Gradient g begins at `output`.
  void seed(const Tensor& output, Tensor g);
  void run();
  /// After run(): what arrived at an input that was captured, zeros if nothing did.
  Tensor captured(const Tensor& input) const;

 private:
  struct OlderNode {
    bool operator()(const std::shared_ptr<Node>& a, const std::shared_ptr<Node>& b) const {
      return a->id < b->id;
    }
  };

  // A node, once its gradient g is complete: engine.cpp.
  void step(const std::shared_ptr<Node>& node, Tensor g);
  void retain(const Node& node, const Tensor& g);
  bool goes_on(const Node& node, const Tensor& g);
  void run_rebuilt(const Node& node, Tensor g);
  void run_joint_rule(Node& node, const Tensor& g);
  void run_rules(const std::shared_ptr<Node>& node, const Tensor& g);
  void find_leads(const Tensor& output);
  bool wanted(const Edge& edge) const;
  Tensor run_hooks(const std::map<size_t, GradHook>& hooks, Tensor g) const;

  // Which leaves have all of their gradient: engine_leaves.cpp.
  void await_leaves(const std::shared_ptr<Node>& root);
  void arrived(const Edge& edge);

  // Where a gradient goes: engine_gradients.cpp.
  void send(Edge& edge, Tensor g);
  void send_to_leaf(Edge& edge, Tensor g);
  bool add_straight_to_leaf(Edge& edge, const Tensor& g);
  bool plain(const Edge& edge) const;
  Tensor fitted(const Edge& edge, Tensor g) const;
  GradSum& sum_for(TensorState& leaf);
  Array& whole_sum(TensorState& leaf);
  void add(Tensor& total, Tensor g) const;

  const bool create_graph_, retain_;
  const std::function<void(const Tensor&)> leaf_done_;
  const uint64_t pass_ = next_id();
  bool capturing_ = false;
  std::priority_queue<std::shared_ptr<Node>, std::vector<std::shared_ptr<Node>>, OlderNode> queue_;
  std::unordered_map<const Node*, Tensor> pending_;
  std::unordered_map<uint64_t, size_t> uses_;      // by id: memory of what is freed meanwhile is used again
  std::unordered_map<uint64_t, int64_t> awaited_;  // by leaf id: edges whose gradient is to come
  std::unordered_set<uint64_t> seen_;              // ids of nodes whose edges were counted
  std::unordered_map<const void*, Tensor> captured_;  // by Node, or by leaf state
  std::unordered_map<uint64_t, bool> leads_;          // by node id: whether a captured input lies below
  uint64_t oldest_ = UINT64_MAX;                      // id of the oldest captured input
};

}  // namespace weft
