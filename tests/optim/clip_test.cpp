#include <doctest/doctest.h>
#include <weft/optim/clip.h>

#include <limits>

#include "reference.h"

namespace weft::test {

TEST_CASE("clip: norm and clipped gradients equal PyTorch's") {
  for (const auto& [name, limit] : {std::pair{"clipped", 1.0}, {"not clipped", 1e3}}) {
    for (const DType dtype : {float32, float64}) {
      const std::vector<NamedTensor> p = start(dtype);
      set_gradients(p, 0);
      CHECK(clip_grad_norm(p, limit) == doctest::Approx(reference(name).array("norm").item()).epsilon(1e-14));
      for (const auto& [key, tensor] : p) {
        CHECK(difference(tensor.grad().value(), reference(name).dict("gradients").array(key), 1e-6) == "");
      }
    }
  }
}

TEST_CASE("clip: a parameter used twice is clipped with both its sums") {
  const Tensor w(Array::full({2}, 3, float64), true);
  sum(w * 3.0 + w).backward();
  CHECK(clip_grad_norm({{"w", w}}, 1) == doctest::Approx(std::sqrt(32.0)));
  CHECK(grad_norm({{"w", w}}) == doctest::Approx(1));
  Tensor(w).zero_grad();
  sum(w * 3.0 + w).backward();
  clip_grad_value({{"w", w}}, 3.5);
  CHECK(w.grad().value().at({0}) == 3.5);
}

TEST_CASE("clip: values are brought within the limit, and gradients that are not there are left alone") {
  const Tensor a(Array::zeros({4}), true), b(Array::zeros({2}), true);
  Tensor(a).set_grad(Array::from<float>({-5, -0.5, 0.5, 5}, {4}));
  clip_grad_value({{"a", a}, {"b", b}}, 1);
  CHECK(a.grad().value().identical(Array::from<float>({-1, -0.5, 0.5, 1}, {4})));
  CHECK_FALSE(b.grad().defined());
  CHECK(clip_grad_norm({{"b", b}}, 1) == 0);
}

TEST_CASE("clip: names the first gradient that is not finite") {
  const Tensor a(Array::zeros({2}), true), b(Array::zeros({2}), true);
  const std::vector<NamedTensor> both = {{"a", a}, {"b", b}};
  CHECK(first_nonfinite_grad(both) == "");
  Tensor(a).set_grad(Array::ones({2}));
  Tensor(b).set_grad(Array::from<float>({1, std::numeric_limits<float>::infinity()}, {2}));
  CHECK(first_nonfinite_grad(both) == "b");
}

TEST_CASE("clip: gradients that are not finite are refused by name, and stay as they are") {
  const float infinity = std::numeric_limits<float>::infinity(),
              nan = std::numeric_limits<float>::quiet_NaN();
  for (const float bad : {infinity, -infinity, nan}) {
    const Tensor a(Array::zeros({2}), true), b(Array::zeros({2}), true);
    Tensor(a).set_grad(Array::full({2}, 3));
    Tensor(b).set_grad(Array::from<float>({1, bad}, {2}));
    const Array before = b.grad().value().copy();
    refuses<NumericError>(
        [&] {
          clip_grad_norm({{"a", a}, {"b", b}}, 1);
        },
        {"clip_grad_norm: the gradient of 'b' is not finite"});
    if (std::isnan(bad))
      refuses<NumericError>(
          [&] {
            clip_grad_value({{"a", a}, {"b", b}}, 1);
          },
          {"clip_grad_value", "'b'", "NaN"});
    CHECK(a.grad().value().identical(Array::full({2}, 3)));
    CHECK(b.grad().value().identical(before));
  }
  // Squares that no double holds, of gradients that are finite.
  const Tensor wide(Array::zeros({2}, float64), true);
  Tensor(wide).set_grad(Array::full({2}, 1e200, float64));
  refuses<NumericError>([&] { clip_grad_norm({{"wide", wide}}, 1); }, {"all parameters together"});
}

TEST_CASE("clip: limits must be positive") {
  refuses<ValueError>([] { clip_grad_norm({}, 0); }, {"clip_grad_norm", "0"});
  refuses<ValueError>([] { clip_grad_norm({}, std::numeric_limits<double>::quiet_NaN()); },
                      {"clip_grad_norm", "nan"});
  refuses<ValueError>([] { clip_grad_value({}, -1); }, {"clip_grad_value", "-1"});
}

}  // namespace weft::test
