#include <doctest/doctest.h>
#include <weft/layers/models/gpt.h>
#include <weft/lib/profile/profile.h>
#include <weft/optim/adam.h>
#include <weft/optim/train_step.h>

#include <map>
#include <set>
#include <string>

using namespace weft;
using Kind = ProfileEvent::Kind;

namespace {

constexpr int64_t B = 2, T = 8, C = 16, L = 3, V = 11;

/// Two steps; the weights that come out.
StateDict two_steps(bool recompute) {
  const RandomScope random({.seed = 1});
  GPT model({.vocab_size = V, .block_size = T, .n_layer = L, .n_head = 2, .n_embd = C, .dropout = 0.1});
  model.recompute_blocks = recompute;
  AdamW optimizer(model.parameters());
  const Array ids = Array::full({B, T}, 3, int64);
  for (int64_t k = 0; k < 2; ++k) {
    const PhaseScope phase("step");
    TrainStep step(optimizer, {.seed = 1, .step = k});
    step.backward(model, {ids, ids});
    step.finish({});
  }
  return model.state_dict();
}

}  // namespace

TEST_CASE("a profile of training: the arithmetic of the formula, every layer by name, the same bits") {
  for (const bool recompute : {false, true}) {
    const StateDict plain = two_steps(recompute);
    start_profile();
    const StateDict profiled = two_steps(recompute);
    const Profile profile = stop_profile();
    CHECK(identical(plain, profiled));

    std::map<std::string, int64_t> flop;  // by phase and operation
    std::map<std::string, std::set<std::string>> layers;
    int64_t in_kernels = 0, in_steps = 0;
    for (const ProfileEvent& event : profile.events) {
      if (event.name == "step") in_steps += event.end - event.begin;
      layers[std::string(event.phase)].emplace(event.layer);
      if (event.kind != Kind::kernel) continue;
      flop[str(event.phase, " ", event.op)] += event.flop;
      if (!event.phase.empty()) in_kernels += event.end - event.begin;
    }
    CHECK(in_kernels > 0);
    CHECK(in_kernels < in_steps);
    // Of two steps: two flop a multiply-add, one product forward and two backward for each weight.
    const int64_t products = 2 * 2 * B * T * (12 * L * C * C + C * V);
    CHECK(flop["forward linear"] == products);
    CHECK(flop["backward linear"] == 2 * products);
    const int64_t pairs = T * (T + 1) / 2;
    CHECK(flop["forward attention"] == 2 * 2 * 2 * B * L * pairs * C);
    CHECK(flop["backward attention"] == 2 * 2 * 5 * B * L * pairs * C);
    for (const char* phase : {"forward", "backward"})
      for (const char* layer :
           {"token_embedding", "position_embedding", "blocks.0.norm1", "blocks.1.attention",
            "blocks.2.attention.query", "blocks.0.feed_forward.up", "norm", "head", "loss"})
        CHECK_MESSAGE(layers[phase].contains(layer), phase << " " << layer);
    CHECK(layers["optimizer"].contains("blocks.2.feed_forward.down"));
  }
}
