#include <doctest/doctest.h>
#include <weft/layers/gradcheck_module.h>
#include <weft/layers/lora.h>
#include <weft/layers/models/bert.h>
#include <weft/layers/models/gpt.h>
#include <weft/layers/models/llama.h>
#include <weft/layers/models/recurrent_lm.h>
#include <weft/layers/models/recurrent_translator.h>
#include <weft/layers/models/speech.h>
#include <weft/layers/models/t5.h>
#include <weft/layers/models/transformer.h>
#include <weft/layers/models/vit.h>
#include <weft/lib/array/random.h>

#include "checks.h"
#include "models/decoding.h"

namespace weft::test {
namespace {

struct Net : Layer<Net> {
  Linear &first, &last;
  Net()
      : first(child<Linear>("part.first", 5, 4)),
        last(child<Linear>("last", 4, 3, LinearOptions{.bias = false})) {}
  Tensor forward(const Tensor& x) const { return last(relu(first(x))); }
};

/// Adapters on all layers, whose lora_B are no zeros.
void adapt(Module& model, double dropout = 0) {
  uint64_t number = 0;
  for (auto& [path, layer] : linear_layers(model)) {
    layer->add_lora({.rank = 2, .alpha = 3, .dropout = dropout});
    layer->lora_B.set_value(
        random_normal(layer->lora_B.shape(), 0, 0.3, random_key(9, ++number), layer->lora_B.dtype()));
  }
}

Array ids(const Shape& shape, int64_t vocab) {
  Array all(shape, int64);
  for (int64_t i = 0; i < all.size(); ++i) all.mutable_data<int64_t>()[i] = piece(i, 1, vocab)[0];
  return all;
}

Batch texts() { return {ids({4, 9}, 29), ids({4, 9}, 29)}; }

Batch classes() { return {ids({4, 9}, 29), Array::from<int64_t>({0, 2, 1, 2}, {4})}; }

Batch masked() {
  Batch batch{ids({4, 9}, 29), Array::full({4, 9}, Batch::ignored, int64)};
  for (const int64_t place : {1, 5, 11, 20, 34}) batch.targets.mutable_data<int64_t>()[place] = place % 29;
  return batch;
}

Batch pictures() {
  return {random_uniform({4, 2, 8, 8}, 0, 1, random_key(1, 1)), Array::from<int64_t>({0, 2, 1, 2}, {4})};
}

Batch sounds() {
  return {random_uniform({4, 14, 6}, -1, 1, random_key(1, 2)),
          Array::from<int64_t>({3, 4, 2, 5, 2, -100, 6, 7, 2, 8, 2, -100}, {4, 3}),
          {14, 9, 12, 14}};
}

struct Case {
  const char* name;
  std::function<std::unique_ptr<Model>()> make;
  Batch batch;
  size_t layers;  ///< that can have adapters
};

template <class M, class C>
std::function<std::unique_ptr<Model>()> of(const C& config) {
  return [config]() -> std::unique_ptr<Model> { return Module::build<M>(config); };
}

/// Every kind of model, with every kind of head.
std::vector<Case> cases() {
  const GPTConfig gpt{.vocab_size = 29, .block_size = 40, .n_layer = 2, .n_head = 2, .n_embd = 16};
  GPTConfig gpt_classes = gpt;
  gpt_classes.n_class = 3;
  const LlamaConfig llama{.vocab_size = 29,
                          .block_size = 40,
                          .n_layer = 2,
                          .n_head = 2,
                          .n_embd = 16,
                          .tie_embeddings = false,
                          .value_embeddings = ValueEmbeddings::alternate};
  const BERTConfig bert{.vocab_size = 29, .block_size = 40, .n_layer = 1, .n_head = 2, .n_embd = 16};
  BERTConfig bert_classes = bert;
  bert_classes.n_class = 3;
  const T5Config t5{.vocab_size = 29,
                    .block_size = 40,
                    .n_layer = 1,
                    .n_head = 2,
                    .n_embd = 16,
                    .gated = true,
                    .tie_embeddings = false};
  const TransformerConfig transformer{
      .vocab_size = 29, .block_size = 40, .n_layer = 1, .n_head = 2, .n_embd = 16, .start_id = 1};
  const ViTConfig vit{.image_size = 8,
                      .patch_size = 4,
                      .n_channel = 2,
                      .n_class = 3,
                      .n_layer = 1,
                      .n_head = 2,
                      .n_embd = 16};
  const SpeechConfig speech{.n_mels = 6,
                            .vocab_size = 9,
                            .pad_id = 0,
                            .start_id = 1,
                            .end_id = 2,
                            .head = SpeechHead::decoder,
                            .block_size = 12,
                            .n_layer = 1,
                            .n_head = 2,
                            .n_embd = 16};
  const RecurrentLMConfig lstm{.vocab_size = 29, .n_layer = 1, .n_embd = 16, .tie_embeddings = false};
  const RecurrentTranslatorConfig translator{
      .vocab_size = 29, .n_layer = 1, .n_embd = 16, .start_id = 1, .tie_embeddings = false};
  return {{"gpt2", of<GPT>(gpt), texts(), 12},
          {"gpt2 of classes", of<GPT>(gpt_classes), classes(), 13},
          {"llama", of<Llama>(llama), texts(), 16},
          {"bert", of<BERT>(bert), masked(), 7},
          {"bert of classes", of<BERT>(bert_classes), classes(), 8},
          {"t5", of<T5>(t5), texts(), 19},
          {"transformer", of<Transformer>(transformer), texts(), 16},
          {"vit", of<ViT>(vit), pictures(), 7},
          {"speech", of<Speech>(speech), sounds(), 17},
          {"lstm", of<RecurrentLM>(lstm), texts(), 1},
          {"lstm-seq2seq", of<RecurrentTranslator>(translator), texts(), 4}};
}

}  // namespace

TEST_CASE("lora: y = x W^T + b + (alpha / rank) (x A^T) B^T, and its gradients, in double") {
  const DTypeScope doubles(float64);
  const RandomScope random({});
  Linear layer(5, 4);
  const Tensor x(random_normal({3, 5}, 0, 1, random_key(1, 1)));
  const Tensor before = layer(x);
  layer.add_lora({.rank = 2, .alpha = 3});
  CHECK(layer(x).value().identical(before.value()));  // lora_B begins as zeros
  layer.lora_B.set_value(random_normal({4, 2}, 0, 1, random_key(1, 2)));
  const Tensor change = matmul(layer.lora_B, layer.lora_A) * 1.5;
  CHECK(difference(layer(x).value(), linear(x, layer.weight + change, layer.bias).value(), 1e-14) == "");
  gradcheck(layer, x);
  layer.weight.set_requires_grad(false);
  gradcheck(layer, x);
}

TEST_CASE(
    "lora: first values are uniform within 1 / sqrt(inputs) and zeros, and others stay what they were") {
  const auto made = [](bool adapted) {
    const RandomScope random({.seed = 3});
    auto layer = std::make_unique<Linear>(100, 200);
    if (adapted) layer->add_lora({.rank = 64});
    return layer;
  };
  const auto layer = made(true);
  CHECK(layer->lora_B.value().identical(Array::zeros({200, 64})));
  double largest = 0, squares = 0;
  for (const float a : layer->lora_A.value().values<float>()) {
    largest = std::max(largest, std::abs(static_cast<double>(a)));
    squares += static_cast<double>(a) * static_cast<double>(a);
  }
  CHECK(largest <= 0.1);
  CHECK(largest > 0.0995);
  CHECK(squares / 6400 == doctest::Approx(0.01 / 3).scale(0).epsilon(0.05));
  CHECK(layer->weight.value().identical(made(false)->weight.value()));
}

TEST_CASE("lora: what cannot be an adapter is refused") {
  const RandomScope random({});
  Net net;
  refuses<ValueError>([&] { net.first.add_lora({.rank = 0}); }, {"rank", "0", "below 1"});
  refuses<ValueError>([&] { net.first.add_lora({.alpha = INFINITY}); }, {"alpha", "inf"});
  refuses<ValueError>([&] { net.first.add_lora({.dropout = 1}); }, {"dropout 1"});
  CHECK_FALSE(net.first.has_lora());
  net.first.add_lora({.rank = 2});
  refuses<StateError>([&] { net.first.add_lora({.rank = 2}); }, {"'part.first'", "already"});
  StateDict weights = net.state_dict();
  const LoraAlphas alphas{{"part.first", 4.0}};
  Net other;
  refuses<StateError>([&] { add_lora(other, weights, {{"part", 4.0}}); }, {"'part'", "no Linear"});
  refuses<StateError>([&] { add_lora(other, weights, {{"last", 4.0}}); }, {"last.lora_A"});
  weights.set("part.first.lora_B", Array::zeros({3, 2}));
  refuses<StateError>([&] { add_lora(other, weights, alphas); },
                      {"'part.first'", "(2, 5)", "(3, 2)", "(4, 5)"});
  refuses<StateError>([&] { without_lora(weights, alphas); }, {"'part.first'", "(2, 5)", "(3, 2)", "(4, 5)"});
}

TEST_CASE("lora: layers are found by path, adapters come from a state, and are folded in") {
  const RandomScope random({});
  Net net;
  std::vector<std::string> paths;
  for (const auto& [path, layer] : linear_layers(net)) paths.push_back(path);
  CHECK(paths == std::vector<std::string>{"part.first", "last"});
  CHECK(adapted_layer("part.first.lora_A") == "part.first");
  CHECK(adapted_layer("part.first.lora_B") == "part.first");
  CHECK(adapted_layer("part.first.weight") == "");
  CHECK(adapted_layer(".lora_A") == "");
  adapt(net);
  CHECK(lora_alphas(net) == LoraAlphas{{"part.first", 3.0}, {"last", 3.0}});

  Net same;
  add_lora(same, net.state_dict(), lora_alphas(net));
  same.load_state_dict(net.state_dict());
  const Tensor x(random_normal({3, 5}, 0, 1, random_key(1, 1)));
  CHECK(same(x).value().identical(net(x).value()));

  Net merged;
  merged.load_state_dict(without_lora(net.state_dict(), lora_alphas(net)));
  CHECK(difference(merged(x).value(), net(x).value(), 1e-6) == "");
}

TEST_CASE("lora: in every model each layer's adapter is trained, and the base is not") {
  const RandomScope random({.seed = 1});
  for (const Case& c : cases()) {
    CAPTURE(std::string(c.name));
    const std::unique_ptr<Model> model = c.make();
    model->freeze();
    adapt(*model);
    CHECK(linear_layers(*model).size() == c.layers);
    model->loss(c.batch).sum.backward();
    for (const NamedTensor& p : model->parameters()) {
      CAPTURE(p.name);
      CHECK(p.tensor.grad().defined() == !adapted_layer(p.name).empty());
      if (p.tensor.grad().defined() && p.name.find(".lora_B") != std::string::npos)
        CHECK_FALSE(p.tensor.grad().value().identical(Array::zeros(p.tensor.shape())));
    }
  }
}

TEST_CASE("lora: dropout of adapters has the bits of the whole batch in parts and recomputed") {
  for (const Case& c : cases()) {
    CAPTURE(std::string(c.name));
    const auto gradients = [&](int64_t parts, bool recompute) {
      const RandomScope first({.seed = 1});
      const std::unique_ptr<Model> model = c.make();
      model->freeze();
      adapt(*model, 0.25);
      model->recompute_blocks = recompute;
      const int64_t rows = c.batch.inputs.dim(0) / parts;
      for (int64_t part = 0; part < parts; ++part) {
        const auto cut = [&](const Array& all) {
          return slice(Tensor(all), 0, part * rows, (part + 1) * rows).value();
        };
        Batch batch{cut(c.batch.inputs), cut(c.batch.targets)};
        if (!c.batch.lengths.empty())
          batch.lengths.assign(c.batch.lengths.begin() + part * rows,
                               c.batch.lengths.begin() + (part + 1) * rows);
        const RandomScope random({.seed = 2, .first_sample = static_cast<uint64_t>(part * rows)});
        model->loss(batch).sum.backward();
      }
      StateDict all;
      for (const NamedTensor& p : model->parameters())
        if (p.tensor.grad().defined()) all.set(p.name, p.tensor.grad().value().copy());
      return all;
    };
    const StateDict whole = gradients(1, false);
    CHECK(identical(gradients(2, false), whole));
    CHECK(identical(gradients(4, false), whole));
    CHECK(identical(gradients(2, true), whole));
  }
}

TEST_CASE("lora: decoding with adapters has the bits of the full pass") {
  const RandomScope random({.seed = 1});
  for (const Case& c : cases()) {
    CAPTURE(std::string(c.name));
    const std::unique_ptr<Model> model = c.make();
    const GenerativeModel* const writer = as_writer(*model);
    if (!writer || std::string(c.name) == "speech") continue;  // which reads sounds
    adapt(*model);
    model->eval();
    const NoGrad no_grad;
    if (writer->has_encoder())
      check_answering(*writer, 29);
    else
      check_decoding(*writer, 29, 40);
  }
}

}  // namespace weft::test
