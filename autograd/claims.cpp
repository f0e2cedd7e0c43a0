#include <weft/autograd/claims.h>
#include <weft/autograd/node.h>
#include <weft/lib/base/error.h>

#include <algorithm>

namespace weft {

namespace {
thread_local uint64_t steps = 0;  // of all optimizers
thread_local uint64_t unclaimed_pass = 0;
thread_local std::shared_ptr<const LeafUse> unclaimed;  // the first that this pass has reached
}  // namespace

LeafUse& use_of(TensorState& leaf) {
  if (!leaf.use) leaf.use = std::make_shared<LeafUse>();
  return *leaf.use;
}

void note_reached(TensorState& leaf, uint64_t pass) {
  LeafUse& use = use_of(leaf);
  use.reached = pass;
  const bool thawed = !use.left_out.empty();
  if (use.claimed && !thawed) return;
  if (use.since == 0) use.since = steps + 1;
  if (pass == unclaimed_pass || (use.parameter.empty() && !thawed && use.since > steps)) return;
  use.shape = leaf.value.shape();
  unclaimed_pass = pass;
  unclaimed = leaf.use;
}

void declare_parameter(const Tensor& leaf, std::string name) {
  use_of(*leaf.state()).parameter = std::move(name);
}

void leave_out(const Tensor& leaf, std::string name) { use_of(*leaf.state()).left_out = std::move(name); }

void hold(const Tensor& leaf) {
  LeafUse& use = use_of(*leaf.state());
  use.claimed = true;
  use.left_out.clear();
}

void claim(const Tensor& leaf) { use_of(*leaf.state()).claimed = true; }

std::string unclaimed_beside(const std::vector<NamedTensor>& own) {
  ++steps;
  if (!unclaimed || (unclaimed->claimed && unclaimed->left_out.empty())) return {};
  const bool beside = std::ranges::any_of(own, [](const NamedTensor& p) {
    return p.tensor.state()->use && p.tensor.state()->use->reached == unclaimed_pass;
  });
  if (!beside) return {};
  if (!unclaimed->left_out.empty())
    return str(
        "'", unclaimed->left_out, "' ", unclaimed->shape,
        " was frozen when parameter_groups() chose what is trained, and has a gradient now that no optimizer "
        "uses: make groups and an optimizer anew, whose load_matching(old.state_dict()) goes on with the "
        "rest");
  if (unclaimed->parameter.empty())
    return str(
        "a tensor ", unclaimed->shape,
        " requires a gradient, and has had one in two steps that nobody looked at: if it is to be trained, "
        "write parameter(\"name\", shape, init) in the constructor of its module, and assign no other tensor "
        "to "
        "it; if not, set_requires_grad(false)");
  return str(
      unclaimed->parameter, " ", unclaimed->shape,
      " has a gradient, but nobody has asked for the parameters() of its module, and so it would neither be "
      "trained nor saved. A module that is held as a member, in a container or by a pointer, or that "
      "forward() "
      "makes, is no child: write child<M>(\"name\", ...) in the constructor of the module around it, or "
      "ModuleList for several, and make the optimizer after that. freeze() one that is to stay as it is");
}

}  // namespace weft
