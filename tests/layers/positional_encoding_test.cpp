#include <doctest/doctest.h>
#include <weft/layers/positional_encoding.h>
#include <weft/lib/array/random.h>

#include "reference.h"

namespace weft::test {

TEST_CASE("positional encoding: the sinusoidal table is the paper's") {
  CHECK(difference(sinusoidal_table(40, 8), reference("sinusoidal").array("table"), 1e-14) == "");
  refuses<ValueError>([] { sinusoidal_table(4, 7); }, {"sinusoidal_table", "7"});
  refuses<ValueError>([] { sinusoidal_table(4, 0); }, {"sinusoidal_table", "0"});
}

TEST_CASE("positional encoding: sinusoidal places are added in the type of x, without parameters") {
  const SinusoidalPositionalEncoding encoding(10, 4);
  for (const DType dtype : {float32, float64}) {
    const Tensor y = encoding(zeros({2, 3, 4}, dtype));
    CHECK(y.value().identical(
        expand(slice(Tensor(sinusoidal_table(10, 4).to(dtype)), 0, 0, 3), {2, 3, 4}).value()));
  }
  CHECK(encoding.parameters().empty());
  CHECK(encoding.state_dict().empty());
  refuses<ShapeError>([&] { encoding(zeros({2, 11, 4})); }, {"(2, 11, 4)", "10"});
  refuses<ShapeError>([&] { encoding(zeros({2, 3, 6})); }, {"(2, 3, 6)", "4"});
}

TEST_CASE("positional encoding: rows at sinusoidal places of their own, padding wherever it falls") {
  const SinusoidalPositionalEncoding encoding(10, 4);
  const Tensor table(sinusoidal_table(10, 4).to(float32));
  const std::vector<int64_t> offsets = {0, 8};
  const Tensor y = encoding(zeros({2, 3, 4}), offsets);
  CHECK(y.value().at({0, 2, 1}) == table.value().at({2, 1}));
  CHECK(y.value().at({1, 1, 0}) == table.value().at({9, 0}));
  CHECK(y.value().at({1, 2, 0}) == table.value().at({9, 0}));
  refuses<ShapeError>([&] { encoding(zeros({3, 3, 4}), offsets); }, {"(3, 3, 4)", "2 offsets"});
}

TEST_CASE("positional encoding: learned places may begin anywhere, and learn") {
  const RandomScope random({});
  const LearnedPositionalEncoding encoding(10, 4);
  const Tensor y = encoding.forward(zeros({2, 3, 4}), 5);
  CHECK(slice(y, 0, 1, 2).value().reshape({3, 4}).identical(slice(encoding.weight, 0, 5, 8).value()));
  sum(y).backward();
  CHECK(encoding.weight.grad().value().at({4, 0}) == 0);
  CHECK(encoding.weight.grad().value().at({5, 0}) == 2);
  refuses<ShapeError>([&] { encoding.forward(zeros({2, 3, 4}), 8); }, {"(2, 3, 4)", "8", "10"});
  refuses<ShapeError>([&] { encoding.forward(zeros({2, 3, 4}), -1); }, {"-1"});
}

TEST_CASE("positional encoding: rows at learned places of their own, padding wherever it falls") {
  const RandomScope random({});
  const LearnedPositionalEncoding encoding(10, 4);
  const Tensor x = zeros({2, 3, 4});
  const std::vector<int64_t> offsets = {5, 9};
  const Tensor y = encoding.forward(x, offsets, std::vector<int64_t>{3, 1});
  CHECK(slice(y, 0, 0, 1).value().identical(slice(encoding.forward(x, 5), 0, 0, 1).value()));
  CHECK(slice(slice(y, 0, 1, 2), 1, 0, 1)
            .value()
            .reshape({1, 4})
            .identical(slice(encoding.weight, 0, 9, 10).value()));
  refuses<ShapeError>([&] { encoding.forward(x, offsets, {}); }, {"row 1", "3 tokens", "9", "10"});
  refuses<ShapeError>([&] { encoding.forward(x, std::vector<int64_t>{5}, {}); }, {"(2, 3, 4)", "1 offsets"});
  refuses<ShapeError>([&] { encoding.forward(x, std::vector<int64_t>{-1, 0}, {}); }, {"row 0", "-1"});
  refuses<ShapeError>([&] { encoding.forward(zeros({2, 3, 6}), offsets, {}); }, {"(2, 3, 6)", "4"});
}

TEST_CASE("positional encoding: tokens at learned places of their own") {
  const RandomScope random({});
  const LearnedPositionalEncoding encoding(10, 4);
  const Tensor x = zeros({1, 12, 4});
  const Array places = Array::from<int64_t>({0, 1, 2, 3, 4, 5, 6, 0, 1, 9, 0, 1}, {1, 12});
  const Tensor y = encoding.forward(x, places);
  const auto row = [&](int64_t t) { return slice(y, 1, t, t + 1).value().reshape({1, 4}); };
  CHECK(row(8).identical(slice(encoding.weight, 0, 1, 2).value()));
  CHECK(row(9).identical(slice(encoding.weight, 0, 9, 10).value()));
  refuses<ShapeError>([&] { encoding.forward(x, Array::zeros({1, 3}, int64)); }, {"(1, 12, 4)", "(1, 3)"});
  refuses<ValueError>([&] { encoding.forward(x, Array::full({1, 12}, 10, int64)); }, {"10"});
}

}  // namespace weft::test
