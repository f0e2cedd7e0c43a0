// Extents beyond 32 bits: what holds nothing works at once, what no machine holds is refused, and no product
// of extents wraps. (That arrays of more than 2^31 elements compute as they should takes 16 GB, and is not
// tested here.)
#include <doctest/doctest.h>
#include <weft/autograd/ops.h>
#include <weft/lib/array/random.h>

#include "checks.h"

namespace weft::test {

namespace {

constexpr int64_t huge = int64_t{1} << 40, more = int64_t{1} << 50;

Tensor leaf(const Shape& shape, DType dtype = float32) { return Tensor(Array::zeros(shape, dtype), true); }
Array ids(const Shape& shape) { return Array::zeros(shape, int64); }

/// Value and gradients come out in these shapes.
template <class F>
void works(const Shape& expected, std::vector<Tensor> inputs, F f) {
  const Tensor y = f(inputs);
  CHECK(y.shape() == expected);
  const std::vector<Tensor> grads = grad({y}, inputs, {Tensor(Array::zeros(y.shape(), y.dtype()))});
  for (size_t i = 0; i < inputs.size(); ++i) CHECK(grads[i].shape() == inputs[i].shape());
}

using In = const std::vector<Tensor>&;

}  // namespace

TEST_CASE("huge shapes: nothing in them, and it works at once") {
  for (const DType dtype : {float32, float64}) {
    const auto x = [&](const Shape& shape) { return leaf(shape, dtype); };
    works({huge, 0}, {x({huge, 0}), x({1, 0})}, [](In in) { return in[0] + in[1]; });
    works({huge, 0}, {x({huge, 0})}, [](In in) { return exp(in[0]); });
    works({}, {x({huge, 0})}, [](In in) { return sum(in[0]); });
    works({0}, {x({huge, 0})}, [](In in) { return sum(in[0], {0}); });
    works({huge, 0, 0}, {x({huge, 0, 0}), x({1, 0, 0})}, [](In in) { return matmul(in[0], in[1]); });
    works({0, 0}, {x({0, huge}), x({huge, 0})}, [](In in) { return matmul(in[0], in[1]); });
    works({huge, 0}, {x({huge, 0}), x({0, 0})}, [](In in) { return linear(in[0], in[1]); });
    works({huge, 0}, {x({huge, 0})}, [](In in) { return softmax(in[0]); });
    works({0, huge}, {x({0, huge})}, [](In in) { return log_softmax(in[0]); });
    works({0, huge}, {x({0, huge})}, [](In in) { return layer_norm(in[0]); });
    works({0, huge}, {x({0, huge})}, [](In in) { return rms_norm(in[0]); });
    works({0, huge, 4}, {x({0, huge, 4})}, [](In in) { return rotary(in[0], 2); });
    works({huge, 1, 0}, {x({huge, 1, 0})}, [](In in) { return rotary(in[0], 2); });
    works({0, huge, 4}, {x({huge, 0, 4})}, [](In in) { return permute(in[0], {1, 0, 2}); });
    works({huge - 5, 0}, {x({huge, 0})}, [](In in) { return slice(in[0], 0, 5, huge); });
    works({2 * huge, 0}, {x({huge, 0})}, [](In in) { return cat({in[0], in[0]}, 0); });
    works({2 * huge, 0}, {x({huge, 0})}, [](In in) { return unslice(in[0], {2 * huge, 0}, 0, huge); });
    works({0, huge}, {x({huge, 0})}, [](In in) { return reshape(in[0], {-1, huge}); });
    works({huge, 0, 4}, {x({4, 4})}, [](In in) { return embedding(ids({huge, 0}), in[0]); });
    works({3, 0}, {x({huge, 0})}, [](In in) { return embedding(ids({3}), in[0]); });
    works({huge, 0}, {x({huge, 0})}, [](In in) { return gather(in[0], 1, ids({huge, 0})); });
    works({huge, 0, 4}, {x({huge, 0, 4})},
          [](In in) { return multi_head_attention(in[0], in[0], in[0], 2); });
    works({}, {x({0, huge})}, [](In in) { return cross_entropy(in[0], ids({0})).sum; });
  }
}

TEST_CASE("huge shapes: more elements than an int64 counts") {
  const std::string text = str("(", huge, ", ", huge);
  refuses<ShapeError>([&] { Array::zeros({huge, huge}); }, {text});
  refuses<ShapeError>([&] { expand(leaf({1}), {huge, huge}); }, {text});
  refuses<ShapeError>([&] { matmul(leaf({huge, 0}), leaf({0, huge})); }, {text});
  refuses<ShapeError>([&] { linear(leaf({huge, 0}), leaf({huge, 0})); }, {text});
  refuses<ShapeError>([&] { leaf({huge, 1, 0}) + leaf({1, huge, 0}); }, {text});
  refuses<ShapeError>([&] { reshape(leaf({0}), {huge, huge, 0}); }, {text});
  refuses<ShapeError>([&] { scatter_add(leaf({0}), {huge, huge}, 0, ids({0})); }, {text});
  refuses<ShapeError>(
      [&] {
        embedding(ids({huge, 0}), leaf({4, huge, 0}));
      },
      {str("(", huge, ", 0, ", huge)});
  refuses<ShapeError>(
      [&] {
        multi_head_attention(leaf({1, huge, 0}), leaf({1, huge, 0}), leaf({1, huge, 0}), 1);
      },
      {str(huge, ", ", huge)});
  const std::vector<Tensor> parts(16, leaf({int64_t{1} << 59, 0}));
  refuses<ShapeError>([&] { cat(parts, 0); }, {"cat", "too large"});
  refuses<ShapeError>([&] { stack(parts); }, {"(16, "});
  refuses<ShapeError>([&] { slice(leaf({4, 0}), 0, INT64_MIN, INT64_MAX); }, {"slice"});
  refuses<ShapeError>([&] { unslice(leaf({4, 0}), {8, 0}, 0, INT64_MAX); }, {"unslice"});
}

TEST_CASE("huge shapes: more bytes than there are") {
  const std::string bytes = str(4 * more, " bytes");
  refuses<MemoryError>([&] { Array::zeros({more}); }, {bytes});
  refuses<MemoryError>([&] { Array({int64_t{INT64_MAX / 8}}, float64); }, {"9223372036854775800 bytes"});
  refuses<MemoryError>([&] { random_normal({more}, 0, 1, random_key(1, 1)); }, {bytes});
  refuses<MemoryError>([&] { expand(leaf({1}), {more}); }, {bytes});
  refuses<MemoryError>([&] { sum(leaf({more, 0}), {1}); }, {bytes});
  refuses<MemoryError>([&] { matmul(leaf({huge, 0}), leaf({0, 1024})); }, {bytes});
  refuses<MemoryError>([&] { linear(leaf({huge, 0}), leaf({1024, 0})); }, {bytes});
  refuses<MemoryError>([&] { unslice(leaf({4, 1}), {more, 1}, 0, more - 4); }, {bytes});
  refuses<MemoryError>([&] { scatter_add(leaf({0}), {more}, 0, ids({0})); }, {bytes});
}

}  // namespace weft::test
