#include <doctest/doctest.h>
#include <weft/autograd/autocast.h>

#include "checks.h"
#include "op_table.h"

namespace weft::test {

std::vector<OpCase> shaping_cases() {
  std::vector<OpCase> cases;
  const auto one = [&](const std::string& op, const std::string& name, const Shape& shape, auto f) {
    cases.push_back({op, name, [f](const std::vector<Tensor>& in) { return square(f(in[0])); }, {{shape}}});
  };
  const std::string by_list = "reshape(Tensor, std::initializer_list<int64_t>)",
                    by_shape = "reshape(Tensor, Shape)";
  one(by_list, "reshape", {2, 6}, [](const Tensor& x) { return reshape(x, {3, -1}); });
  one(by_list, "reshape: size 0", {0, 6}, [](const Tensor& x) { return reshape(x, {3, 0}); });
  one(by_shape, "reshape: to scalar", {1, 1}, [](const Tensor& x) { return reshape(x, Shape{}); });
  one("view(Tensor, std::initializer_list<int64_t>)", "view", {2, 6}, [](const Tensor& x) {
    return view(x, {3, -1});
  });
  const std::string flat = "flatten(Tensor, int, int)";
  one(flat, "flatten", {2, 3, 4}, [](const Tensor& x) { return flatten(x); });
  one(flat, "flatten: some axes", {2, 3, 4}, [](const Tensor& x) { return flatten(x, 1, -1); });
  one(flat, "flatten: scalar", {}, [](const Tensor& x) { return flatten(x); });
  one(flat, "flatten: size 0", {2, 0, 4}, [](const Tensor& x) { return flatten(x, 0, 1); });
  one("squeeze(Tensor)", "squeeze", {1, 3, 1}, [](const Tensor& x) { return squeeze(x); });
  one("squeeze(Tensor, int)", "squeeze: an axis", {1, 3, 1}, [](const Tensor& x) { return squeeze(x, -1); });
  one("squeeze(Tensor, int)", "squeeze: not 1", {1, 3, 1}, [](const Tensor& x) { return squeeze(x, 1); });
  one("unsqueeze(Tensor, int)", "unsqueeze", {2, 3}, [](const Tensor& x) { return unsqueeze(x, 1); });
  one("unsqueeze(Tensor, int)", "unsqueeze: last", {2, 3}, [](const Tensor& x) { return unsqueeze(x, -1); });
  one("to(Tensor, DType)", "to", {2, 3}, [](const Tensor& x) { return to(to(x, float64), x.dtype()); });
  one("clone(Tensor)", "clone", {2, 3}, [](const Tensor& x) { return clone(x); });
  one("clone(Tensor)", "clone: size 0", {0, 3}, [](const Tensor& x) { return clone(x); });
  one("permute(Tensor, Axes)", "permute", {2, 3, 4}, [](const Tensor& x) { return permute(x, {2, 0, 1}); });
  one("permute(Tensor, Axes)", "permute: negative", {2, 3, 4}, [](const Tensor& x) {
    return permute(x, {-1, 0, -2});
  });
  one("permute(Tensor, Axes)", "permute: size 0", {2, 0, 4}, [](const Tensor& x) {
    return permute(x, {1, 2, 0});
  });
  one("permute(Tensor, Axes)", "permute: scalar", {}, [](const Tensor& x) { return permute(x, {}); });
  one("transpose(Tensor, int, int)", "transpose", {2, 3, 4},
      [](const Tensor& x) { return transpose(x, 0, -1); });
  one("transpose(Tensor, int, int)", "transpose: size 1", {1, 1},
      [](const Tensor& x) { return transpose(x, 0, 1); });
  one("expand(Tensor, Shape)", "expand", {2, 1, 3}, [](const Tensor& x) { return expand(x, {4, 2, 5, 3}); });
  one("expand(Tensor, Shape)", "expand: scalar", {}, [](const Tensor& x) { return expand(x, {2, 3}); });
  one("expand(Tensor, Shape)", "expand: to size 0", {1, 3}, [](const Tensor& x) {
    return expand(x, {0, 3});
  });
  const std::string cut = "slice(Tensor, int, int64_t, int64_t)";
  one(cut, "slice", {3, 5}, [](const Tensor& x) { return slice(x, 1, 1, 4); });
  one(cut, "slice: negative", {3, 5}, [](const Tensor& x) { return slice(x, -2, -2, -1); });
  one(cut, "slice: whole", {3, 2}, [](const Tensor& x) { return slice(x, 0, 0, 3); });
  one(cut, "slice: to size 0", {3, 2}, [](const Tensor& x) { return slice(x, 0, 1, 1); });
  const std::string put = "unslice(Tensor, Shape, int, int64_t)";
  one(put, "unslice", {3, 2}, [](const Tensor& x) { return unslice(x, {3, 6}, 1, 3); });
  one(put, "unslice: size 0", {0, 2}, [](const Tensor& x) { return unslice(x, {3, 2}, 0, 1); });

  const auto many = [&](const std::string& op, const std::string& name, const std::vector<Draw>& shapes,
                        auto f) {
    cases.push_back({op, name, [f](const std::vector<Tensor>& in) { return square(f(in)); }, shapes});
  };
  const std::string join = "cat(std::vector<Tensor>, int)";
  const auto along = [](int axis) { return [axis](const std::vector<Tensor>& in) { return cat(in, axis); }; };
  many(join, "cat", {{{2, 3}}, {{2, 1}}, {{2, 4}}}, along(1));
  many(join, "cat: first axis", {{{2, 3}}, {{1, 3}}}, along(-2));
  many(join, "cat: one", {{{2, 3}}}, along(0));
  many(join, "cat: size 0", {{{0, 3}}, {{2, 3}}}, along(0));
  many(join, "cat: shared", {{{2, 3}}}, [](const std::vector<Tensor>& in) {
    return cat({in[0], in[0] * 2.0, in[0]}, 1);
  });
  const std::string pile = "stack(std::vector<Tensor>, int)";
  many(pile, "stack", {{{2, 3}}, {{2, 3}}}, [](const std::vector<Tensor>& in) { return stack(in); });
  many(pile, "stack: last axis", {{{2, 3}}, {{2, 3}}, {{2, 3}}},
       [](const std::vector<Tensor>& in) { return stack(in, -1); });
  many(pile, "stack: scalars", {{{}}, {{}}}, [](const std::vector<Tensor>& in) { return stack(in); });
  many(pile, "stack: size 0", {{{0, 2}}, {{0, 2}}},
       [](const std::vector<Tensor>& in) { return stack(in, 1); });
  // Parts of different weights, so that each must go back to its own place.
  const auto parts = [](int64_t size, int axis) {
    return [=](const std::vector<Tensor>& in) {
      std::vector<Tensor> weighed;
      for (const Tensor& part : split(in[0], size, axis))
        weighed.push_back(sum(part * static_cast<double>(weighed.size() + 1)));
      return stack(weighed);
    };
  };
  const std::string divide = "split(Tensor, int64_t, int)";
  many(divide, "split", {{{2, 5}}}, parts(2, 1));
  many(divide, "split: first axis", {{{4, 3}}}, parts(2, 0));
  many(divide, "split: larger than all", {{{2, 3}}}, parts(7, -1));
  const std::string chunks = "chunk(Tensor, int64_t, int)";
  const auto in_chunks = [](int64_t count, int axis) {
    return [=](const std::vector<Tensor>& in) {
      std::vector<Tensor> weighed;
      for (const Tensor& part : chunk(in[0], count, axis))
        weighed.push_back(sum(part * static_cast<double>(weighed.size() + 1)));
      return stack(weighed);
    };
  };
  many(chunks, "chunk", {{{2, 5}}}, in_chunks(2, 1));
  many(chunks, "chunk: more than there are", {{{3, 2}}}, in_chunks(5, 0));
  return cases;
}

TEST_CASE("shaping: all cases of the table") { check_cases(shaping_cases()); }

TEST_CASE("shaping: reshape shares the buffer, everything else copies") {
  const Tensor x = tensor({1, 2, 3, 4, 5, 6}, {2, 3});
  CHECK(reshape(x, {3, 2}).value().shares_buffer(x.value()));
  CHECK_FALSE(slice(x, 0, 0, 2).value().shares_buffer(x.value()));
  CHECK(transpose(x, 0, 1).value().identical(Array::from<float>({1, 4, 2, 5, 3, 6}, {3, 2})));
}

TEST_CASE("shaping: chunk, flatten, squeeze and unsqueeze give PyTorch's shapes") {
  const auto extents = [](const std::vector<Tensor>& parts) {
    std::string all;
    for (const Tensor& part : parts) all += str(part.dim(0), " ");
    return all;
  };
  CHECK(extents(chunk(zeros({7, 2}), 3)) == "3 3 1 ");
  CHECK(extents(chunk(zeros({6, 2}), 4)) == "2 2 2 ");
  CHECK(extents(split(zeros({7, 2}), 3)) == "3 3 1 ");
  const Tensor x = zeros({2, 1, 3, 1});
  CHECK(flatten(x).shape() == Shape{6});
  CHECK(flatten(x, 1, 2).shape() == Shape{2, 3, 1});
  CHECK(squeeze(x).shape() == Shape{2, 3});
  CHECK(squeeze(x, 1).shape() == Shape{2, 3, 1});
  CHECK(squeeze(x, 0).shape() == Shape{2, 1, 3, 1});
  CHECK(unsqueeze(x, 0).shape() == Shape{1, 2, 1, 3, 1});
  CHECK(unsqueeze(x, -1).shape() == Shape{2, 1, 3, 1, 1});
  CHECK_FALSE(clone(x).value().shares_buffer(x.value()));
  refuses<ValueError>([&] { chunk(x, 0); }, {"chunk", "0"});
  refuses<ShapeError>([&] { flatten(x, 2, 1); }, {"flatten", "axis 1", "axis 2"});
  refuses<ShapeError>([&] { flatten(x, 0, 4); }, {"flatten", "4"});
  refuses<ShapeError>([&] { squeeze(x, 4); }, {"squeeze", "4"});
  refuses<ShapeError>([&] { unsqueeze(x, 5); }, {"unsqueeze", "5"});
}

TEST_CASE("shaping: split gives parts of the size, the last smaller") {
  const std::vector<Tensor> parts = split(zeros({7, 2}), 3, 0);
  REQUIRE(parts.size() == 3);
  CHECK(parts[0].shape() == Shape{3, 2});
  CHECK(parts[2].shape() == Shape{1, 2});
}

TEST_CASE("shaping: arguments that do not fit") {
  const Tensor x = zeros({2, 3});
  refuses<ShapeError>([&] { reshape(x, {4, -1}); }, {"reshape", "(2, 3)", "4"});
  refuses<ShapeError>([&] { reshape(x, {-1, -1}); }, {"-1"});
  refuses<ShapeError>([&] { reshape(x, Shape{7}); }, {"reshape", "(2, 3)", "(7,)"});
  refuses<ShapeError>([&] { permute(x, {0, 0}); }, {"permute", "(2, 3)"});
  refuses<ShapeError>([&] { permute(x, {0}); }, {"permute", "(2, 3)"});
  refuses<ShapeError>([&] { transpose(x, 0, 2); }, {"transpose", "2"});
  refuses<ShapeError>([&] { expand(x, {2, 4}); }, {"(2, 3)", "(2, 4)"});
  refuses<ShapeError>([&] { slice(x, 1, 2, 4); }, {"slice", "(2, 3)", "2", "4"});
  refuses<ShapeError>([&] { slice(x, 1, 2, 1); }, {"slice", "(2, 3)"});
  refuses<ShapeError>([&] { slice(x, 2, 0, 1); }, {"slice", "2"});
  refuses<ShapeError>([&] { unslice(x, {2, 4}, 1, 2); }, {"unslice", "(2, 3)", "(2, 4)"});
  refuses<ShapeError>([&] { unslice(x, {3, 4}, 1, 0); }, {"unslice", "(2, 3)", "(3, 4)"});
  refuses<ShapeError>([&] { cat({}, 0); }, {"cat"});
  refuses<ShapeError>([&] { cat({x, zeros({2, 4})}, 0); }, {"cat", "(2, 3)", "(2, 4)"});
  refuses<TypeError>([&] { cat({x, zeros({2, 3}, float64)}, 0); }, {"cat", "float32", "float64"});
  refuses<ShapeError>([&] { stack({}); }, {"stack"});
  refuses<ShapeError>([&] { stack({x, zeros({2, 4})}); }, {"stack", "(2, 3)", "(2, 4)"});
  refuses<ValueError>([&] { split(x, 0, 0); }, {"split", "0"});
  refuses<ShapeError>([&] { split(x, 1, 2); }, {"split", "2"});
}

}  // namespace weft::test
