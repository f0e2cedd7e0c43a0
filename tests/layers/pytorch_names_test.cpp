// docs/pytorch-names.md: every name of weft that its tables tell is used here, and does what they say.
#include <doctest/doctest.h>
#include <weft/autograd/autocast.h>
#include <weft/autograd/ops.h>
#include <weft/autograd/recompute.h>
#include <weft/layers/activation.h>
#include <weft/layers/containers.h>
#include <weft/layers/conv.h>
#include <weft/layers/embedding.h>
#include <weft/layers/gradcheck_module.h>
#include <weft/layers/linear.h>
#include <weft/layers/models/transformer.h>
#include <weft/layers/recurrent.h>
#include <weft/layers/transformer.h>
#include <weft/lib/array/random.h>

#include <fstream>
#include <regex>
#include <sstream>

#include "checks.h"

namespace weft::test {

namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  REQUIRE(file.good());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

bool same(const Tensor& a, const Tensor& b) { return a.value().identical(b.value()); }

struct Mine : Layer<Mine> {
  Linear& up = child<Linear>("up", 3, 5);
  Parameter w = parameter("w", {5}, init::ones());
  BufferTensor running = buffer("running", Array::zeros({5}));
  Tensor forward(const Tensor& x) const { return up(x) * w + running; }
};

}  // namespace

TEST_CASE("PyTorch's names: each name of the table stands in this test, and each header is there") {
  const std::string table = text_of(WEFT_SOURCE_DIR "/docs/pytorch-names.md");
  const std::string uses = text_of(WEFT_SOURCE_DIR "/tests/layers/pytorch_names_test.cpp");
  const std::regex code("`([^`]+)`"), word("[A-Za-z_]\\w+");
  std::istringstream lines(table);
  std::string line, missing;
  int rows = 0;
  while (std::getline(lines, line)) {
    if (!line.starts_with("| `")) continue;
    ++rows;
    std::vector<std::string> columns;
    std::istringstream cut(line);
    for (std::string column; std::getline(cut, column, '|');) columns.push_back(column);
    REQUIRE(columns.size() >= 4);
    for (std::sregex_iterator at(columns[2].begin(), columns[2].end(), code), end; at != end; ++at) {
      const std::string names = (*at)[1].str();
      for (std::sregex_iterator name(names.begin(), names.end(), word); name != end; ++name)
        if (!std::regex_search(uses, std::regex("\\b" + name->str() + "\\b"))) missing += name->str() + " ";
    }
    for (std::sregex_iterator at(columns[3].begin(), columns[3].end(), code), end; at != end; ++at)
      if (!std::ifstream(WEFT_SOURCE_DIR "/" + (*at)[1].str()).good()) missing += (*at)[1].str() + " ";
  }
  CHECK(rows > 40);
  CHECK(missing == "");
}

TEST_CASE("PyTorch's names: modules") {
  const RandomScope random({.seed = 1});
  Mine layer;
  const Tensor x(random_uniform({2, 3}, -1, 1, random_key(0, 1)));
  CHECK(layer.named_parameters().size() == 3);
  CHECK(layer.parameters().size() == 3);
  CHECK(layer.named_buffers().size() == 1);
  CHECK(layer.num_parameters() == 25);
  CHECK(&layer.get_submodule("up") == &layer.at("up"));
  const RemovableHandle handle = layer.register_forward_hook([](const auto&, const auto&, const auto&) {});
  layer.register_forward_pre_hook([](const auto&, const auto&) {}).remove();
  handle.remove();
  const StateDict best = layer.state_dict();
  CHECK(layer.shared_state_dict().array("w").shares_buffer(layer.w.value()));
  CHECK(layer.load_matching(best).ok());
  CHECK(same(recompute(std::cref(layer), x), layer(x)));
  layer.freeze();
  CHECK_FALSE(layer.w.requires_grad());
  layer.freeze(false);
  layer.to(float64);
  CHECK(gradcheck(layer, Tensor(x.value().to(float64))).failure == "");
  CHECK(gradcheck([](const std::vector<Tensor>& inputs) { return square(inputs[0]); },
                  {Tensor(Array::ones({2}, float64), true)})
            .failure == "");
  Sequential net;
  net.add<Linear>(3, 5).add<GELU>();
  CHECK(net(x).shape() == Shape{2, 5});
  using Block = Linear;
  ModuleList<Block> list;
  list.append(3, 3);
  CHECK(list.size() == 1);
  struct Model : Module {};
  CHECK(Model().parameters().empty());
}

TEST_CASE("PyTorch's names: layers") {
  const RandomScope random({.seed = 1});
  const Tensor x(random_uniform({2, 3, 4}, -1, 1, random_key(0, 1)));
  static_assert(std::is_same_v<MultiheadAttention, MultiHeadAttention>);
  static_assert(std::is_same_v<TransformerEncoderLayer, EncoderBlock>);
  static_assert(std::is_same_v<TransformerDecoderLayer, DecoderBlock>);
  using Attention = MultiheadAttention;
  CHECK(Attention(4, 2)(x).shape() == x.shape());
  CHECK(EncoderBlockOf<Attention>(4, 2)(x).shape() == x.shape());
  CHECK(DecoderBlockOf<Attention>(4, 2)(x, x).shape() == x.shape());
  const Transformer model({.vocab_size = 5, .n_layer = 1, .n_head = 2, .n_embd = 4});
  const Array ids = Array::from<int64_t>({1, 2}, {1, 2});
  CHECK(model.logits({ids, ids}).shape() == Shape{1, 2, 5});
  CHECK(LayerNorm(4)(x).shape() == x.shape());
  CHECK(RMSNorm(4)(x).shape() == x.shape());
  CHECK(LSTM(4, 5)(x).y.shape() == Shape{2, 3, 5});
  CHECK(GRU(4, 5)(x).y.shape() == Shape{2, 3, 5});
  Sequential all;
  all.add<ReLU>().add<GELU>().add<SiLU>().add<Tanh>().add<Sigmoid>().add<Softmax>().add<Identity>();
  CHECK(all.add<Flatten>()(x).shape() == Shape{2, 12});
  CHECK(Conv1d(3, 2, 1)(x).shape() == Shape{2, 2, 4});
  CHECK(Conv2d(1, 2, {1, 1})(x.unsqueeze(1)).shape() == Shape{2, 2, 3, 4});
  const Loss loss = cross_entropy(x, Array::zeros({2, 3}, int64));
  CHECK(loss.mean().item() == doctest::Approx(loss.sum.item() / static_cast<double>(loss.count)));
  const Tensor targets = zeros_like(x);
  CHECK(mse_loss(x, targets).item() == doctest::Approx(mean(square(x)).item()));
}

TEST_CASE("PyTorch's names: tensors") {
  Tensor x = tensor({1, 2, 3, 4, 5, 6}, {2, 3});
  CHECK(x.shape() == Shape{2, 3});
  CHECK(x.dtype() == float32);
  CHECK(x.size(1) == 3);
  CHECK(x.dim(-1) == 3);
  CHECK(x.size() == 6);
  CHECK(x.numel() == 6);
  CHECK(x.dim() == 2);
  CHECK(x.ndim() == 2);
  x.set_requires_grad();
  sum(x.clone().contiguous()).backward();
  CHECK(x.grad().value().identical(Array::ones({2, 3})));
  x.zero_grad();
  CHECK_FALSE(x.grad().defined());
  CHECK_FALSE(x.detach().requires_grad());
  {
    const NoGrad no_grad;
    CHECK_FALSE((x * 2.0).requires_grad());
    const DetectAnomaly detect;
    const DTypeScope doubles(float64);
    CHECK(zeros({2}).dtype() == float64);
    const Autocast autocast(bfloat16);
    CHECK(autocast_dtype() == bfloat16);
    CHECK(x.to(float64).dtype() == float64);
  }
  const Array a = Array::arange(3);
  CHECK(Tensor(a).value().identical(a));
  const std::vector<double> values = {0, 1};
  const Shape shape{2};
  CHECK(tensor(values, shape).value().at({1}) == 1);
  CHECK(same(full({2, 3}, 1), ones_like(x)));
  CHECK(same(ones({2, 3}), ones_like(x)));
  CHECK(same(zeros({2, 3}), zeros_like(x)));
  CHECK(random_uniform({2}, 0, 1, random_key(0, 0)).size() == 2);
  CHECK(random_normal({2}, 0, 1, random_key(0, 0)).size() == 2);
}

TEST_CASE("PyTorch's names: functions, and the methods beside them") {
  const Tensor x(random_uniform({2, 3, 4}, 0.1, 1, random_key(0, 1)));
  const int64_t B = 2, T = 3;
  CHECK(same(x.view({B, T, -1}), x));
  CHECK(same(x.reshape({6, 4}), reshape(x, {6, 4})));
  CHECK(same(x.permute({2, 0, 1}), permute(x, {2, 0, 1})));
  CHECK(same(x.transpose(0, 1), transpose(x, 0, 1)));
  CHECK(same(x.flatten(), flatten(x)));
  CHECK(same(x.unsqueeze(0).squeeze(0), x));
  CHECK(same(x.unsqueeze(0).squeeze(), x));
  CHECK(same(x.unsqueeze(0).expand({2, 2, 3, 4}), stack({x, x})));
  CHECK(same(cat(x.split(1, 1), 1), x));
  CHECK(same(cat(x.chunk(2, 2), 2), x));
  CHECK(slice(x, 1, 1, 3).shape() == Shape{2, 2, 4});
  const int dim = 1;
  CHECK(same(x.sum({dim}), sum(x, {dim})));
  CHECK(same(x.mean({-1}, true), mean(x, {-1}, true)));
  CHECK(var(x, {dim}).shape() == Shape{2, 4});
  CHECK(same(x.max({0}), max(x, {0})));
  CHECK(same(x.min({0}), min(x, {0})));
  CHECK(logsumexp(x, {-1}).shape() == Shape{2, 3});
  CHECK(x.argmax(-1).identical(argmax(x, -1)));
  const Tensor a = x.transpose(1, 2), b = x;
  CHECK(same(a.matmul(b), matmul(a, b)));
  CHECK(same(einsum("ij,jk->ik", {ones({2, 3}), ones({3, 2})}), full({2, 2}, 3)));
  const Tensor weight = ones({5, 4});
  CHECK(linear(x, weight).shape() == Shape{2, 3, 5});
  const Array ids = Array::from<int64_t>({1, 4}, {2});
  CHECK(embedding(ids, weight).shape() == Shape{2, 4});
  const Array index = Array::zeros({2, 3, 1}, int64);
  CHECK(scatter_add(gather(x, 2, index), x.shape(), 2, index).shape() == x.shape());
  const Array small = x < 0.5;
  CHECK(same(x.masked_fill(small, 0), where(small, zeros_like(x), x)));
  CHECK(same(masked_fill(x, small, 0), x.masked_fill(small, 0)));
  CHECK(same(clamp(x, 0, 2), x));
  CHECK(same(x.relu(), relu(x)));
  CHECK(gelu(silu(x), Gelu::tanh).shape() == x.shape());
  CHECK(same(x.softmax(-1), softmax(x, -1)));
  CHECK(same(x.log_softmax(-1), log_softmax(x, -1)));
  CHECK(same(x.exp(), exp(x)));
  CHECK(same(x.log(), log(x)));
  CHECK(same(x.sqrt(), sqrt(x)));
  CHECK(same(x.abs(), abs(x)));
  CHECK(same(x.pow(2), pow(x, 2)));
  CHECK(same(x.tanh(), tanh(x)));
  CHECK(same(x.sigmoid(), sigmoid(x)));
  CHECK(rms_norm(layer_norm(x)).shape() == x.shape());
  {
    const RandomScope random({.seed = 1});
    CHECK(dropout(x, 0.5).shape() == x.shape());
  }
  const Tensor heads = x.unsqueeze(1);
  const std::vector<int64_t> lengths = {3, 1};
  CHECK(scaled_dot_product_attention(heads, heads, heads, {.mask = Mask::causal() & Mask::lengths(lengths)})
            .shape() == heads.shape());
  CHECK(conv1d(x, ones({2, 3, 1})).shape() == Shape{2, 2, 4});
  CHECK(conv2d(heads, ones({2, 1, 1, 1})).shape() == Shape{2, 2, 3, 4});
  CHECK(fold(unfold(heads, {1, 1}), heads.shape(), {1, 1}).shape() == heads.shape());
  CHECK(view(x, {-1}).numel() == 24);
}

}  // namespace weft::test
