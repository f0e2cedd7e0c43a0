#include <doctest/doctest.h>
#include <weft/layers/rms_norm.h>

#include "reference.h"

namespace weft::test {

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
