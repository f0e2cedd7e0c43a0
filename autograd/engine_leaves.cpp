#include <weft/autograd/engine_internal.h>

namespace weft {

// A block under recompute is a node with an edge to each leaf that its forward used, which counts until the graph that it
// is rebuilt as has been counted in its place.
void Engine::await_leaves(const std::shared_ptr<Node>& root) {
  std::vector<const Node*> stack;
  const auto enter = [&](const Node* node) {
    if (node != nullptr && seen_.insert(node->id).second) stack.push_back(node);
  };
  enter(root.get());
  while (!stack.empty()) {
    const Node* const node = stack.back();
    stack.pop_back();
    for (const Edge& edge : node->edges) {
      if (edge.leaf) ++awaited_[edge.leaf->id];
      enter(edge.node.get());
    }
  }
}

void Engine::arrived(const Edge& edge) {
  if (!edge.leaf) return;
  const auto found = awaited_.find(edge.leaf->id);
  if (found != awaited_.end() && --found->second == 0) leaf_done_(Tensor(edge.leaf));
}

}  // namespace weft
