#include <doctest/doctest.h>
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

}  // namespace weft::test
