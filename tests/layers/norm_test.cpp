#include <doctest/doctest.h>
#include <weft/layers/norm.h>

#include "reference.h"

namespace weft::test {

TEST_CASE("layer norm: equals PyTorch's") {
  LayerNorm norm(8);
  check_layer("layer_norm", norm, [&](const Inputs& in) { return norm(in.at("x")); });
}

TEST_CASE("layer norm: begins as the plain norm, with the parameters asked for") {
  const Tensor x = tensor({1, 2, 3, 4}, {2, 2});
  const LayerNorm whole(2), scale_only(2, {.bias = false}), plain(2, {.affine = false});
  CHECK(whole.parameters().size() == 2);
  CHECK(scale_only.parameters().size() == 1);
  CHECK(plain.parameters().empty());
  CHECK(whole(x).value().identical(plain(x).value()));
  CHECK(scale_only(x).value().identical(plain(x).value()));
}

TEST_CASE("RMS norm: equals PyTorch's") {
  RMSNorm norm(8, {.eps = 1e-5});
  check_layer("rms_norm", norm, [&](const Inputs& in) { return norm(in.at("x")); });
}

TEST_CASE("RMS norm: begins as the plain norm, with the parameters asked for") {
  const Tensor x = tensor({1, 2, 3, 4}, {2, 2});
  const RMSNorm whole(2), plain(2, {.affine = false});
  CHECK(whole.parameters().size() == 1);
  CHECK(plain.parameters().empty());
  CHECK(whole(x).value().identical(plain(x).value()));
}

}  // namespace weft::test
