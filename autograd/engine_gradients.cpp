#include <weft/autograd/autocast.h>
#include <weft/autograd/engine_internal.h>
#include <weft/autograd/ops.h>
#include <weft/lib/kernels/elementwise/elementwise.h>
#include <weft/lib/kernels/reduce.h>

namespace weft {

Tensor Engine::fitted(const Edge& edge, Tensor g) const {
  if (!g.defined()) fail<StateError>(running_op(), ": its rule gave no gradient for an input ", edge.shape);
  if (g.dtype() != edge.dtype && !(is_single(g.dtype()) && is_single(edge.dtype))) {
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
  g = to(g, edge.dtype);
  if (!(g.shape() == edge.shape)) g = sum_to(g, edge.shape);
  const auto [place, first] = pending_.try_emplace(edge.node.get());
  if (first) queue_.push(edge.node);
  add(place->second, std::move(g));
}

/// Whether the gradient of a leaf is nothing but a sum.
bool Engine::plain(const Edge& edge) const {
  return edge.leaf && !capturing_ && !create_graph_ && edge.leaf->hooks.empty();
}

/// Where the operation knows how to add to the sum without forming the gradient; whether it did.
bool Engine::add_straight_to_leaf(Edge& edge, const Tensor& g) {
  if (!plain(edge) || anomaly_detection()) return false;
  if (edge.accumulate) {
    bool fresh = false;
    GradSum& sum = sum_for(*edge.leaf);
    Array& into = sum.room(edge.shape, edge.dtype, fresh);
    try {
      edge.accumulate(g, into, fresh);
    } catch (...) {
      if (fresh) sum = {};  // what the rule did not write is nobody's gradient
      throw;
    }
    return true;
  }
  if (!edge.row_ids.defined()) return false;
  sum_for(*edge.leaf).add_rows(edge.row_ids, g.value(), edge.shape);
  return true;
}

void Engine::send_to_leaf(Edge& edge, Tensor g) {
  TensorState& leaf = *edge.leaf;
  if (plain(edge)) return kernels::accumulate_to(whole_sum(leaf), g.value());
  g = to(g, edge.dtype);
  if (!(g.shape() == edge.shape)) g = sum_to(g, edge.shape);
  g = run_hooks(leaf.hooks, std::move(g));
  if (capturing_) return add(captured_[&leaf], g);
  if (create_graph_) return add(leaf.grad_graph, g);
  kernels::add_into(whole_sum(leaf), g.value());
}

GradSum& Engine::sum_for(TensorState& leaf) {
  if (!leaf.node) note_reached(leaf, pass_);
  const size_t use = uses_[leaf.id]++;
  if (use == leaf.sums.size()) leaf.sums.emplace_back();
  return leaf.sums[use];
}

Array& Engine::whole_sum(TensorState& leaf) {
  return sum_for(leaf).whole(leaf.value.shape(), leaf.value.dtype());
}

namespace {

bool sole(const Tensor& t) { return t.state().use_count() == 1 && t.value().unique(); }

}  // namespace

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

}  // namespace weft
