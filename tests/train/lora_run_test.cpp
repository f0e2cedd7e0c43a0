#include <doctest/doctest.h>
#include <weft/layers/embedding.h>
#include <weft/layers/lora.h>
#include <weft/layers/models/registry.h>
#include <weft/lib/array/random.h>
#include <weft/train/build.h>
#include <weft/train/files/adapters.h>
#include <weft/train/lora_run.h>
#include <weft/train/memory_plan.h>

#include <algorithm>

#include "checks.h"

namespace weft::test {
namespace {

struct MixedConfig {
  int64_t vocab_size = 0, block_size = 64, n_embd = 8;
  static const Settings<MixedConfig>& settings() {
    using C = MixedConfig;
    static const Settings<C> all = {
        Field(&C::vocab_size, "vocab_size", 1, 1 << 24).from_data().required(),
        Field(&C::block_size, "block_size", 1, 1 << 20, "longest context, in tokens"),
        Field(&C::n_embd, "n_embd", 1, 1 << 17, "width of the model")};
    return all;
  }
};

/// A user's, which calls one of its layers and reads the weight of the other.
class Mixed : public GenerativeModel {
 public:
  using Config = MixedConfig;
  explicit Mixed(const MixedConfig& c)
      : config(c),
        token_embedding(child<Embedding>("token_embedding", c.vocab_size, c.n_embd)),
        called(child<Linear>("called", c.n_embd, c.n_embd)),
        read(child<Linear>("read", c.n_embd, c.n_embd)),
        seen(buffer("seen", Array::ones({2}))) {}
  Tensor logits(const Batch& batch) const override {
    return linear(linear(called(token_embedding(batch.inputs)), read.weight), token_embedding.weight);
  }
  const MixedConfig config;
  Embedding& token_embedding;
  Linear &called, &read;
  BufferTensor seen;
};

void know_mixed() {
  static const bool once = (register_model<Mixed>("mixed"), true);
  static_cast<void>(once);
}

RunConfig configured(const std::vector<std::string>& typed) {
  std::vector<Assignment> all;
  for (const std::string& one : typed) all.push_back(setting_typed(one));
  return make_config(all);
}

TaskData opened_task(const RunConfig& config) { return open_task(task_request(config, nullptr)); }

/// What a run of the same configuration has learned.
OpenedModel base_for(const RunConfig& config, const TaskData& task) {
  RunConfig plain = config;
  plain.lora_rank = 0;
  const auto model = build_model(plain, task);
  OpenedModel base{.path = "base.h5"};
  base.checkpoint.model = {.kind = model->kind(),
                           .settings = model->config_state(),
                           .weights = model->state_dict(),
                           .tokenizer = task.tokenizer};
  return base;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("lora run: adapters and what is trained in full have gradients, and nothing else has") {
  const RunConfig config =
      configured({"model=gpt2", "task=recall", "n_layer=2", "n_embd=16", "n_head=2", "lora_rank=3",
                  "lora_alpha=6", "lora_layers=blocks.1.*.query,*.up", "lora_full=norm.*"});
  const TaskData task = opened_task(config);
  const OpenedModel base = base_for(config, task);
  const OwnParts own = own_parts(config, task, base);
  CHECK(own.trained == Names{"norm.weight"});
  CHECK(own.kept.empty());
  const auto model = build_model(config, task, own);
  CHECK(lora_alphas(*model) == LoraAlphas{{"blocks.0.feed_forward.up", 6},
                                          {"blocks.1.attention.query", 6},
                                          {"blocks.1.feed_forward.up", 6}});
  Names trained;
  for (const NamedTensor& p : model->parameters())
    if (p.tensor.requires_grad()) trained.push_back(p.name);
  std::ranges::sort(trained);
  CHECK(trained == saved_parameters(*model, own));
  CHECK(trained.size() == 7);
  CHECK(describe_adapters(*model, config)
            .starts_with("adapters of rank 3 on 3 layers and 1 parameter in full, "));
  // First values are those without adapters.
  RunConfig plain = config;
  plain.lora_rank = 0;
  const StateDict first = build_model(plain, task)->state_dict(), now = model->state_dict();
  for (const std::string& name : first.keys()) CHECK(now.array(name).identical(first.array(name)));

  const MemoryPlan all = plan_memory(plain, task), adapters = plan_memory(config, task, 0, own);
  CHECK(adapters.weights < all.weights);
  CHECK(adapters.checkpoint < all.checkpoint);
}

TEST_CASE("lora run: what the base lacks is trained in full, and has no adapter") {
  const RunConfig config = configured({"model=llama", "task=recall", "n_layer=1", "n_embd=16", "n_head=2",
                                       "tie_embeddings=false", "lora_rank=2", "lora_layers=*"});
  const TaskData task = opened_task(config);
  OpenedModel base = base_for(config, task);
  CHECK(own_parts(config, task, base).trained.empty());
  StateDict fewer;
  for (const std::string& name : base.checkpoint.model.weights.keys())
    if (name != "output.weight") fewer.set(name, base.checkpoint.model.weights.array(name));
  base.checkpoint.model.weights = fewer;
  const OwnParts own = own_parts(config, task, base);
  CHECK(own.trained == Names{"output.weight"});
  const auto model = build_model(config, task, own);
  const LoraAlphas alphas = lora_alphas(*model);
  CHECK_FALSE(alphas.contains("output"));
  CHECK(alphas.size() == 7);
  RunConfig head = config;
  head.lora_layers = "output";
  refuses<ValueError>([&] { build_model(head, task, own); },
                      {"lora_layers", "'output'", "blocks.0.attention.query"});
}

TEST_CASE("lora run: a user's model has adapters; a layer that it never calls is refused, buffers are kept") {
  know_mixed();
  const auto with = [](const char* layers) {
    return configured({"model=mixed", "task=recall", "lora_rank=2", str("lora_layers=", layers)});
  };
  const RunConfig config = with("called");
  const TaskData task = opened_task(config);
  const OpenedModel base = base_for(config, task);
  const OwnParts own = own_parts(config, task, base);
  CHECK(own.trained.empty());
  CHECK(own.kept == Names{"seen"});
  plan_memory(config, task, 0, own);
  const auto model = build_model(config, task, own);
  CHECK(saved_parameters(*model, own) == Names{"called.lora_A", "called.lora_B", "seen"});
  refuses<ValueError>([&] { plan_memory(with("*"), task, 0, own); },
                      {"lora_layers", "'read'", "would do nothing", "layer(x)"});
  refuses<ValueError>([&] { build_model(with("*.query"), task, own); },
                      {"no layer", "'*.query'", "called, read"});
}

TEST_CASE("adapters: with their base they are a whole model; what both lack is named") {
  const RunConfig config =
      configured({"model=gpt2", "task=recall", "n_layer=1", "n_embd=16", "n_head=2", "lora_rank=2"});
  const TaskData task = opened_task(config);
  const OpenedModel base = base_for(config, task);
  const auto model = build_model(config, task);
  const Array& A = model->state_dict().array("blocks.0.attention.query.lora_A");
  ModelFile adapters{.kind = "gpt2", .settings = model->config_state()};
  const StateDict state = model->state_dict();
  for (const std::string& name : saved_parameters(*model, {})) adapters.weights.set(name, state.array(name));
  adapters.lora = LoraPart{weights_digest(base.checkpoint.model.weights), lora_alphas(*model)};
  adapters.check();
  refuses<StateError>([&] { adapters.build(); }, {"adapters alone"});
  CHECK(ModelFile::from_state(adapters.state(), [](std::string_view) {}).lora->alphas ==
        adapters.lora->alphas);

  const StateDict joined = joined_weights(adapters, base.checkpoint.model);
  CHECK(joined.array("blocks.0.attention.query.lora_A").identical(A));
  CHECK(joined.array("norm.weight").identical(base.checkpoint.model.weights.array("norm.weight")));
  CHECK(identical(without_lora(joined, adapters.lora->alphas),
                  base.checkpoint.model.weights));  // lora_B is zeros
  refuses<StateError>([&] { joined_weights(adapters, {}); }, {"neither", "'blocks.0.attention.key."});

  StateDict weights = base.checkpoint.model.weights;
  const std::string digest = weights_digest(weights);
  Array norm = weights.array("norm.weight").copy();
  norm.mutable_data<float>()[3] += 1e-6F;
  weights.set("norm.weight", norm);
  CHECK(weights_digest(weights) != digest);
  weights.set("norm.weight", base.checkpoint.model.weights.array("norm.weight").copy());
  CHECK(weights_digest(weights) == digest);

  adapters.weights.set("norm.weight", Array::zeros({3}));
  refuses<StateError>([&] { adapters.check(); }, {"norm.weight", "(3,)"});
}

}  // namespace weft::test
