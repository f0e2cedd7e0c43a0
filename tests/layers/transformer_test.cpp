#include <doctest/doctest.h>
#include <weft/layers/transformer.h>
#include <weft/lib/random.h>

#include "reference.h"

namespace weft::test {

TEST_CASE("transformer: encoder and decoder blocks equal PyTorch's, pre- and post-norm") {
  const RandomScope random({});
  for (const auto& [name, placement] :
       {std::pair{"pre", NormPlacement::pre}, {"post", NormPlacement::post}}) {
    const BlockOptions options{.norm = placement, .feed_forward = {.hidden = 12}};
    EncoderBlock encoder(8, 2, options);
    check_layer(cat("encoder ", name), encoder, [&](const Inputs& in) {
      return encoder(in.at("x"), Mask::lengths({7, 4}));
    });
    DecoderBlock decoder(8, 2, options);
    check_layer(cat("decoder ", name), decoder, [&](const Inputs& in) {
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
