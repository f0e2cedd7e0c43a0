// The recorded graph, for the engine alone: users meet Tensor and make_op.
#pragma once

#include <weft/autograd/grad_sum.h>
#include <weft/autograd/op.h>
#include <weft/lib/profile/profile.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

namespace weft {

/// Where a gradient goes: to the node that made the input, or to the leaf itself.
struct Edge {
  std::shared_ptr<Node> node;
  std::shared_ptr<TensorState> leaf;
  Rule rule;
  AccumulateRule accumulate;
  Array row_ids;
  Shape shape;
  DType dtype;

  bool needed() const { return node || leaf; }
};

/// One recorded operation. Ids grow with creation, so descending ids are an order of the graph from outputs
/// to inputs.
struct Node {
  Node(const char* op, uint64_t number, const Array& y)
      : name(op), layer(profiled_layer()), id(number), shape(y.shape()), dtype(y.dtype()) {}
  ~Node();

  const char* name;
  std::string_view layer;  ///< that made it, while a profile was taken
  uint64_t id;
  Shape shape;
  DType dtype;
  std::vector<Edge> edges;
  JointRule joint;
  std::function<Tensor()> rebuild;  ///< gives the recorded output that this node stands for, instead of rules
  Array output;                     ///< kept only when a rule asks for it
  uint64_t output_version = 0;
  bool freed = false;
  std::map<size_t, GradHook> hooks;
  std::weak_ptr<TensorState> retained;  ///< keeps the gradient that arrives here

  /// Drops what was saved and the way to the inputs, without recursion.
  void release();
};

/// Who has to do with a leaf's gradient (claims.h).
struct LeafUse {
  bool claimed = false;
  std::string parameter;  ///< "the parameter 'weight' of a Linear"; empty for other leaves
  std::string left_out;   ///< its name, if it was; else empty
  Shape shape;
  uint64_t reached = 0;  ///< number of the last backward that gave it a gradient
  uint64_t since = 0;    ///< steps that had been made when one first did, counted from 1
};

struct Int8Form;

struct TensorState {
  Array value;
  std::shared_ptr<Node> node;
  std::shared_ptr<Remaking> remaking;  ///< how to compute the value again, where that is cheap
  bool requires_grad = false;
  uint64_t id = 0;
  std::vector<GradSum>
      sums;           ///< gradient, one running sum per use in the graph; one in all once it was asked for
  Tensor grad_graph;  ///< gradient with its own graph, after create_graph
  std::map<size_t, GradHook> hooks;
  std::shared_ptr<LeafUse> use;  ///< of a leaf, once there is something to tell
  std::shared_ptr<Int8Form>
      int8;  ///< what linear() takes instead (int8.h); without a buffer the value was given up
};

LeafUse& use_of(TensorState& leaf);
/// The backward of that number gives the leaf a gradient.
void note_reached(TensorState& leaf, uint64_t pass);

/// While it lives, no operation of this thread is recorded; the tensors to which gradients would flow from
/// those that would have been are gathered instead, each once. The innermost gathers.
class Unrecorded {
 public:
  Unrecorded();
  ~Unrecorded();
  Unrecorded(const Unrecorded&) = delete;
  Unrecorded& operator=(const Unrecorded&) = delete;

  /// In the order of their first use.
  const std::vector<Tensor>& gathered() const { return gathered_; }
  void gather(const Tensor& input);
  /// That of this thread; null when there is none.
  static Unrecorded* current();

 private:
  std::vector<Tensor> gathered_;
  std::unordered_set<const TensorState*> seen_;
  Unrecorded* before_;
};

uint64_t next_id();
/// Whether nobody reads this gradient after the rule that runs now: true once, then it is the caller's; see
/// consume().
bool take_spent_gradient(const TensorState* g);
/// Whether the rules that run now may be asked once more.
bool graph_is_kept();
/// Sets whether operations are recorded; returns the setting before.
bool set_grad_enabled(bool enabled);
bool anomaly_detection();
/// The operation whose rule runs now, for messages; "backward" when none does.
bool rule_running();
const char* running_op();

}  // namespace weft
