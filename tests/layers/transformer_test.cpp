#include <doctest/doctest.h>
#include <weft/layers/containers.h>
#include <weft/layers/gradcheck_module.h>
#include <weft/layers/transformer.h>
#include <weft/lib/array/random.h>

#include "reference.h"

namespace weft::test {

TEST_CASE("transformer: encoder and decoder blocks equal PyTorch's, pre- and post-norm") {
  const RandomScope random({});
  for (const auto& [name, placement] :
       {std::pair{"pre", NormPlacement::pre}, {"post", NormPlacement::post}}) {
    const BlockOptions options{.norm = placement, .feed_forward = {.hidden = 12}};
    EncoderBlock encoder(8, 2, options);
    check_layer(str("encoder ", name), encoder, [&](const Inputs& in) {
      return encoder(in.at("x"), Mask::lengths({7, 4}));
    });
    DecoderBlock decoder(8, 2, options);
    check_layer(str("decoder ", name), decoder, [&](const Inputs& in) {
      return decoder.forward(in.at("x"), in.at("memory"), Mask::causal(), Mask::lengths({7, 4}));
    });
  }
}

TEST_CASE("transformer: an encoder block decodes with a cache to the bits of the causal pass") {
  for (const NormPlacement placement : {NormPlacement::pre, NormPlacement::post}) {
    const RandomScope random({.seed = 1});
    const EncoderBlock block(8, 2, {.norm = placement});
    const Tensor x(random_uniform({2, 9, 8}, -1, 1, random_key(0, 1)));
    const NoGrad no_grad;
    const Tensor whole = block(x, Mask::causal());
    KeyValueCache cache;
    for (int64_t t = 0; t < 9; ++t)
      CHECK(block.forward(slice(x, 1, t, t + 1), cache).value().identical(slice(whole, 1, t, t + 1).value()));
  }
}

TEST_CASE("transformer: a decoder block decodes with a cache and a memory to the bits of the full pass") {
  const std::vector<BlockOptions> all = {{.norm = NormPlacement::post},
                                         {.rms_norm = RMSNormOptions{},
                                          .attention = {.rotary = 10.0, .window = 3},
                                          .feed_forward = {.gated = true}}};
  for (const BlockOptions& options : all) {
    const RandomScope random({.seed = 1});
    const DecoderBlock block(8, 2, options);
    CHECK_FALSE(block.cross_attention.options.rotary.has_value());
    CHECK(block.cross_attention.options.window == 0);
    const Tensor x(random_uniform({2, 9, 8}, -1, 1, random_key(0, 1)));
    const Tensor bias(random_uniform({1, 2, 9, 9}, -1, 1, random_key(0, 3)));
    const Tensor context(random_uniform({2, 5, 8}, -1, 1, random_key(0, 2)));
    const NoGrad no_grad;
    const std::vector<int64_t> lengths = {5, 2};
    const Tensor whole = block.forward(x, context, Mask::causal(), Mask::lengths(lengths), bias);
    const KeyValueCache memory = block.cross_attention.remember(context, lengths);
    KeyValueCache cache;
    for (int64_t t = 0; t < 9; ++t) {
      const Tensor row = slice(slice(bias, 2, t, t + 1), 3, 0, t + 1);
      CHECK(block.forward(slice(x, 1, t, t + 1), cache, memory, {}, row)
                .value()
                .identical(slice(whole, 1, t, t + 1).value()));
    }
  }
}

TEST_CASE("transformer: RMS norms have no bias and are those of the formula") {
  const RandomScope random({.seed = 1});
  const EncoderBlock block(8, 2, {.rms_norm = RMSNormOptions{.eps = 0.5}});
  CHECK_FALSE(block.norm1.bias.defined());
  const Tensor x(random_uniform({2, 8}, -1, 1, random_key(0, 1)));
  CHECK(block.norm2(x).value().identical(rms_norm(x, block.norm2.weight, 0.5).value()));
  CHECK_FALSE(Norm(8, {.layer_norm = {.bias = false}}).bias.defined());
  CHECK_FALSE(Norm(8, {.layer_norm = {.affine = false}}).weight.defined());
}

TEST_CASE("transformer: stochastic depth leaves whole branches of samples out, in training alone") {
  const RandomScope init({.seed = 1});
  DropPath drop(0.25);
  const Tensor x = ones({4000, 2, 3});
  const RandomScope random({.seed = 2, .first_sample = 7});
  const Tensor y = drop(x);
  int64_t kept = 0;
  for (int64_t b = 0; b < 4000; ++b) {
    const double first = y.value().at({b, 0, 0});
    CHECK((first == 0 || first == doctest::Approx(4.0 / 3)));
    for (int64_t i = 1; i < 6; ++i) CHECK(y.value().at({b, i / 3, i % 3}) == first);
    kept += first != 0;
  }
  CHECK(static_cast<double>(kept) == doctest::Approx(3000).epsilon(0.03));
  {
    // A sample keeps its fate in another micro-batch.
    const RandomScope later({.seed = 2, .first_sample = 1007});
    CHECK(drop(ones({5, 2, 3})).value().identical(slice(y, 0, 1000, 1005).value()));
  }
  drop.eval();
  CHECK(drop(x).value().identical(x.value()));
  refuses<ValueError>([] { DropPath(1.0); }, {"DropPath", "1"});

  EncoderBlock block(8, 2, {.drop_path = 0.999});
  const Tensor z(random_uniform({3, 4, 8}, -1, 1, random_key(0, 1)));
  CHECK(block(z).value().identical(z.value()));
  block.eval();
  CHECK_FALSE(block(z).value().identical(z.value()));
}

TEST_CASE("transformer: padding changes no bit of the tokens before it") {
  const RandomScope random({.seed = 1});
  const EncoderBlock block(8, 2);
  const Tensor x(random_uniform({2, 9, 8}, -1, 1, random_key(0, 1)));
  const NoGrad no_grad;
  const Tensor padded = block(x, Mask::lengths({9, 4}));
  const Tensor alone = block(slice(slice(x, 0, 1, 2), 1, 0, 4));
  CHECK(slice(slice(padded, 0, 1, 2), 1, 0, 4).value().identical(alone.value()));
}

namespace {

/// The mean of the tokens up to each, through a matrix: attention of one's own, in one class.
struct MeanAttention : Layer<MeanAttention> {
  Linear& value;
  MeanAttention(int64_t width, int64_t) : value(child<Linear>("value", width, width)) {}
  Tensor forward(const Tensor& x, const Mask& mask) const {
    const int64_t T = x.dim(1);
    const Tensor scores = masked_fill(zeros({x.dim(0), T, T}, x.dtype()),
                                      Tensor(mask.dense(x.dim(0), 1, T, T).to(x.dtype())) < 0.5, -INFINITY);
    return matmul(softmax(reshape(scores, {x.dim(0), T, T})), value(x));
  }
};

/// Attention that takes no mask, and one that cannot be called.
struct Mixing : Layer<Mixing> {
  explicit Mixing(int64_t tokens, double by) : mix(parameter("mix", {tokens, tokens}, init::constant(by))) {}
  Tensor forward(const Tensor& x) const { return matmul(mix, x); }
  Tensor mix;
};
struct Doubled : Module {
  explicit Doubled(int64_t) {}
  Tensor forward(const Tensor& x) const { return x * 2.0; }
};

/// Ours, under another type.
struct OwnAttention : Layer<OwnAttention, MultiHeadAttention> {
  using Layer::Layer;
  template <class... Inputs>
  Tensor forward(const Tensor& x, Inputs&&... inputs) const {
    return MultiHeadAttention::forward(x, std::forward<Inputs>(inputs)...);
  }
};
struct OwnFeedForward : Layer<OwnFeedForward, FeedForward> {
  using Layer::Layer;
  Tensor forward(const Tensor& x) const { return FeedForward::forward(x); }
};

}  // namespace

TEST_CASE("transformer: blocks around attention and feed-forward layers of one's own") {
  const DTypeScope doubles(float64);
  const RandomScope random({.seed = 1});
  struct Model : Layer<Model> {
    ModuleList<EncoderBlockOf<MeanAttention>>& blocks =
        child<ModuleList<EncoderBlockOf<MeanAttention>>>("blocks", 2, 4, 2);
    Tensor forward(Tensor x) const {
      for (const auto& block : blocks) x = block(x, Mask::causal());
      return x;
    }
  } model;
  CHECK(model.at("blocks.1.attention.value").path() == "blocks.1.attention.value");
  const Tensor x(random_uniform({1, 3, 4}, -1, 1, random_key(0, 1), float64));
  CHECK(gradcheck(model, {.second_order = false}, x).failure == "");
  CHECK(slice(model(x), 1, 0, 2).value().identical(model(slice(x, 1, 0, 2)).value()));

  const DecoderBlockOf<MeanAttention, MultiHeadAttention, Doubled> decoder(4, 2);
  CHECK(decoder(x, x).shape() == Shape{1, 3, 4});
  refuses<ValueError>([&] { decoder(x, x, Mask::causal(), Mask(), zeros({1, 1, 3, 3})); }, {"no bias"});
  refuses<ValueError>([&] { model.blocks[0](x, Mask::causal(), Tensor(), x); }, {"takes no values"});

  const EncoderBlockOf<Mixing, Doubled> mixed(
      4, {}, [](const auto& make) -> Mixing& { return make(3, 0.5); },
      [](const auto& make) -> Doubled& { return make(4); });
  CHECK(mixed.attention.mix.value().identical(Array::full({3, 3}, 0.5)));
  const Tensor branch = mixed.attention(mixed.norm1(x)), y = x + branch;
  CHECK(mixed(x).value().identical((y + mixed.norm2(y) * 2.0).value()));
  refuses<ValueError>([&] { mixed(x, Mask::causal()); }, {"no mask"});
}

TEST_CASE("transformer: a block around layers of one's own has the bits of ours where they do the same") {
  const BlockOptions options{.dropout = 0.1, .feed_forward = {.gated = true}};
  const auto built = [&]<class Block>(const Block*) {
    const RandomScope random({.seed = 1});
    return std::make_unique<Block>(8, 2, options);
  };
  const auto ours = built(static_cast<const EncoderBlock*>(nullptr));
  const auto own = built(static_cast<const EncoderBlockOf<OwnAttention, OwnFeedForward>*>(nullptr));
  CHECK(identical(own->state_dict(), ours->state_dict()));
  const Tensor x(random_uniform({2, 5, 8}, -1, 1, random_key(0, 1)));
  const auto run = [&](const auto& block) {
    const RandomScope random({.seed = 2});
    return block(x, Mask::causal()).value();
  };
  CHECK(run(*own).identical(run(*ours)));
  ours->eval();
  own->eval();
  KeyValueCache cache, own_cache;
  CHECK((*own)(x, own_cache).value().identical((*ours)(x, cache).value()));
}

}  // namespace weft::test
