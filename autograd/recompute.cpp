#include <weft/autograd/autocast.h>
#include <weft/autograd/node.h>
#include <weft/autograd/recompute.h>
#include <weft/lib/array/random.h>
#include <weft/lib/machine/dry_run.h>

namespace weft {

namespace {

constexpr const char* op = "recompute";

/// What a block was computed from, and how to do so once more.
struct Recipe {
  std::function<Tensor()> block;
  RandomScope::Moment random;
  DType dtype, autocast;
  std::vector<Saved> leaves;
  Array output;
  uint64_t output_version;

  Tensor again() const;
};

Tensor Recipe::again() const {
  for (const Saved& leaf : leaves) leaf();
  const RandomScope scope(random);
  const DTypeScope default_type(dtype);
  const Autocast computing(autocast);
  const Tensor y = block();
  const bool comparable = output.version() == output_version && !DryRun::active();
  if (comparable && !y.value().identical(output)) {
    fail<StateError>(
        op, ": in backward the block gave another result ", y.shape(), " ", y.dtype(), " than the ",
        output.shape(), " ", output.dtype(),
        " of the forward pass; it must be a function of its inputs, and stay in training or evaluation");
  }
  return y;
}

}  // namespace

Tensor detail::recompute(std::function<Tensor()> block) {
  if (!grad_enabled() || Unrecorded::current() != nullptr) return block();
  Recipe recipe{std::move(block), RandomScope::moment(), default_dtype(), autocast_dtype(), {}, {}, 0};
  std::vector<OpInput> inputs;
  Tensor y;
  {
    Unrecorded unrecorded;
    y = recipe.block();
    if (y.requires_grad()) unrecorded.gather(y);  // one that the block was given
    for (const Tensor& used : unrecorded.gathered()) {
      inputs.push_back({used, {}});
      if (used.is_leaf()) recipe.leaves.push_back(save(used));
    }
  }
  if (inputs.empty()) return y;
  recipe.output = y.value();
  recipe.output_version = recipe.output.version();
  Tensor result = make_op(op, y.value(), inputs);
  result.state()->node->rebuild = [recipe = std::move(recipe)] { return recipe.again(); };
  return result;
}

}  // namespace weft
