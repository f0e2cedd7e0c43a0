// Each operation of autograd, forward and backward, beside what this machine can do.
//   build/bin/bench_ops [--threads N] [--only TEXT] [--rows R] [--seconds S] [--json]
// Products and attention, at the shapes of the model baby: GFLOP/s, and the fraction of the multiply-add
// peak. All others, of (R, 1024) values: GB/s of the bytes that must move at least, each input read once and
// each result written once, and the fraction of the rate at which memory is read. By default no cache holds
// the values; with fewer rows fractions above 1 are in order.
#include <weft/autograd/op.h>
#include <weft/autograd/ops.h>
#include <weft/optim/adam.h>
#include <weft/optim/clip.h>
#include <weft/optim/sgd.h>
#include <weft/optim/train_step.h>

#include "options.h"

namespace {

using weft::Array, weft::Shape, weft::Tensor;

/// Arithmetic or traffic of one call.
struct Cost {
  const char* unit;
  double forward, backward = 0;  ///< 1e9 operations or bytes
};

/// A tensor as an operation in a model meets it: made by another one, which wants its gradient.
Tensor activation(const Array& value) {
  const weft::OpInput source{Tensor(Array::zeros({1}), true), [](const Tensor& g) { return g; },
                             [](const Tensor&, Array&, bool) {}};
  return weft::make_op("activation", value, {source});
}

class Bench {
 public:
  Bench(const bench::Setup& setup, int64_t rows, std::string only)
      : setup_(setup), only_(std::move(only)), report_("ops", setup), rows_(rows) {}

  void all() {
    const weft::RandomScope random({.seed = 1});
    products();
    elementwise();
    fused();
    reductions();
    movement();
    updates();
    report_.finish();
  }

 private:
  static constexpr int64_t columns = 1024;

  void products();
  void elementwise();
  void fused();
  void reductions();
  void movement();
  void updates();

  /// Of one array of R rows.
  Cost arrays(double forward, double backward = 0) const {
    const double array = 4e-9 * static_cast<double>(rows_ * columns);
    return {"GB/s", forward * array, backward * array};
  }
  static Array values(const Shape& shape) {
    return Array::from(std::span<const float>(bench::numbers(shape.size())), shape);
  }
  Array values() const { return values({rows_, columns}); }
  Array positive() const {
    Array x = values();
    for (float& value : std::span(x.mutable_data<float>(), static_cast<size_t>(x.size()))) value += 1.0f;
    return x;
  }

  /// An operation with a gradient.
  template <class Op>
  void op(const std::string& name, const Cost& cost, Op forward) {
    if (name.find(only_) == std::string::npos) return;
    const Tensor y = forward();
    const Tensor seed = y.size() == 1 ? Tensor() : weft::ones(y.shape());
    double backward = 1e300;
    const double start = bench::seconds();
    for (int runs = 0; runs < 4 || bench::seconds() - start < setup_.seconds; ++runs) {
      const Tensor made = forward();
      const double before = bench::seconds();
      seed.defined() ? made.backward(seed) : made.backward();
      if (runs > 0) backward = std::min(backward, bench::seconds() - before);
    }
    add(name, cost, bench::best_seconds(setup_.seconds, forward), backward);
  }
  /// One without.
  template <class Work>
  void work(const std::string& name, const Cost& cost, Work run) {
    if (name.find(only_) == std::string::npos) return;
    add(name, cost, bench::best_seconds(setup_.seconds, run), 0);
  }

  void add(const std::string& name, const Cost& cost, double forward, double backward) {
    const double limit = cost.unit[1] == 'B' ? setup_.bandwidth : bench::fma_peak(0.02);
    nlohmann::ordered_json row = {{"op", name},
                                  {"unit", cost.unit},
                                  {"forward_ms", 1e3 * forward},
                                  {"forward_rate", cost.forward / forward},
                                  {"forward_fraction", cost.forward / forward / limit},
                                  {"backward_ms", nullptr},
                                  {"backward_rate", nullptr},
                                  {"backward_fraction", nullptr}};
    if (cost.backward > 0) {
      row["backward_ms"] = 1e3 * backward;
      row["backward_rate"] = cost.backward / backward;
      row["backward_fraction"] = cost.backward / backward / limit;
    }
    report_.add(row);
  }

  const bench::Setup& setup_;
  std::string only_;
  bench::Report report_;
  int64_t rows_;
};

void Bench::products() {
  constexpr int64_t B = 16, T = 256, H = 6, D = 64, C = H * D;
  const auto gflop = [](double multiply_adds, double backward) {
    return Cost{"GFLOP/s", 2e-9 * multiply_adds, 2e-9 * multiply_adds * backward};
  };
  const Array x = values({B, T, C}), wide = values({B, T, 4 * C}), square = values({1024, 1024});
  const Tensor up(values({4 * C, C}), true), bias(values({4 * C}), true), down(values({C, 4 * C}), true);
  const Cost layer = gflop(4.0 * B * T * C * C, 2);
  op("linear up", layer, [&] { return linear(activation(x), up); });
  op("linear up with bias", layer, [&] { return linear(activation(x), up, bias); });
  op("linear down", layer, [&] { return linear(activation(wide), down); });
  op("matmul", gflop(1024.0 * 1024 * 1024, 2),
     [&] { return matmul(activation(square), activation(square)); });

  const Array heads = values({B, H, T, D}), scores = values({B, H, T, T});
  const Cost batched = gflop(1.0 * B * H * T * T * D, 2);
  op("matmul q k^T", batched, [&] { return matmul(activation(heads), activation(heads), false, true); });
  op("matmul p v", batched, [&] { return matmul(activation(scores), activation(heads)); });

  // Two products forward, five backward.
  const Cost full = gflop(2.0 * B * H * T * T * D, 2.5), half = gflop(1.0 * B * H * T * (T + 1) * D, 2.5);
  const weft::AttentionOptions causal{.mask = weft::Mask::causal()};
  op("attention", full,
     [&] { return scaled_dot_product_attention(activation(heads), activation(heads), activation(heads)); });
  op("attention heads in place", full,
     [&] { return multi_head_attention(activation(x), activation(x), activation(x), H); });
  op("attention causal", half,
     [&] { return multi_head_attention(activation(x), activation(x), activation(x), H, causal); });
  op("attention causal dropout", half, [&] {
    return multi_head_attention(activation(x), activation(x), activation(x), H,
                                {.mask = weft::Mask::causal(), .dropout = 0.1});
  });
}

void Bench::elementwise() {
  const Array x = positive(), y = positive(), row = values({columns});
  const Tensor bias(row, true);
  const auto unary = [&](const char* name, auto f) {
    op(name, arrays(2, 3), [&x, f] { return f(activation(x)); });
  };
  unary("exp", [](const Tensor& t) { return exp(t); });
  unary("log", [](const Tensor& t) { return log(t); });
  unary("sqrt", [](const Tensor& t) { return sqrt(t); });
  unary("square", [](const Tensor& t) { return square(t); });
  unary("sin", [](const Tensor& t) { return sin(t); });
  unary("cos", [](const Tensor& t) { return cos(t); });
  unary("erf", [](const Tensor& t) { return erf(t); });
  unary("abs", [](const Tensor& t) { return abs(t); });
  unary("tanh", [](const Tensor& t) { return tanh(t); });
  unary("sigmoid", [](const Tensor& t) { return sigmoid(t); });
  unary("relu", [](const Tensor& t) { return relu(t); });
  unary("silu", [](const Tensor& t) { return silu(t); });
  unary("gelu", [](const Tensor& t) { return gelu(t); });
  unary("gelu tanh", [](const Tensor& t) { return gelu(t, weft::Gelu::tanh); });
  unary("clamp", [](const Tensor& t) { return clamp(t, 0.6, 1.4); });
  unary("pow 3", [](const Tensor& t) { return pow(t, 3.0); });

  op("add", arrays(3), [&] { return activation(x) + activation(y); });
  op("sub", arrays(3, 2), [&] { return activation(x) - activation(y); });
  op("mul", arrays(3, 5), [&] { return activation(x) * activation(y); });
  op("div", arrays(3, 5), [&] { return activation(x) / activation(y); });
  op("pow", arrays(3, 5), [&] { return pow(activation(x), activation(y)); });
  op("maximum", arrays(3, 5), [&] { return maximum(activation(x), activation(y)); });
  op("minimum", arrays(3, 5), [&] { return minimum(activation(x), activation(y)); });
  op("add scalar", arrays(2), [&] { return activation(x) + 2.0; });
  op("mul scalar", arrays(2, 2), [&] { return activation(x) * 2.0; });
  op("add row", arrays(2, 1), [&] { return activation(x) + bias; });
  op("mul row", arrays(2, 3), [&] { return activation(x) * bias; });

  const Tensor left(x), right(y);
  const Array condition = left < right;
  op("where", arrays(3.25, 3.25), [&] { return where(condition, activation(x), activation(y)); });
  op("masked_fill", arrays(2.25, 2.25), [&] { return masked_fill(activation(x), condition, 0.0); });
  work("less than", arrays(2.25), [&] { return left < right; });
}

void Bench::fused() {
  const Array x = values();
  const Tensor scale(values({columns}), true), shift(values({columns}), true);
  op("softmax", arrays(2, 3), [&] { return softmax(activation(x)); });
  op("log_softmax", arrays(2, 3), [&] { return log_softmax(activation(x)); });
  op("layer_norm", arrays(2, 3), [&] { return layer_norm(activation(x), scale); });
  op("rms_norm", arrays(2, 3), [&] { return rms_norm(activation(x), scale); });
  op("layer_norm with bias", arrays(2, 3), [&] { return layer_norm(activation(x), scale, shift); });
  op("dropout", arrays(2, 2), [&] { return dropout(activation(x), 0.1); });

  Array targets({rows_}, weft::int64);
  for (int64_t i = 0; i < rows_; ++i) targets.mutable_data<int64_t>()[i] = i * 7919 % columns;
  op("cross_entropy", arrays(1, 2), [&] { return cross_entropy(activation(x), targets).sum; });
  op("cross_entropy smoothed", arrays(1, 2),
     [&] { return cross_entropy(activation(x), targets, {.label_smoothing = 0.1}).sum; });

  const Tensor table(values({columns, columns}), true);
  // Backward reads and writes a row of the table's gradient for each of its own.
  op("embedding", arrays(2, 3), [&] { return embedding(targets, table); });
  Array index({rows_, columns}, weft::int64);
  for (int64_t i = 0; i < index.size(); ++i) index.mutable_data<int64_t>()[i] = i * 7919 % columns;
  op("gather", arrays(4, 4), [&] { return gather(activation(x), 1, index); });
  op("scatter_add", arrays(4, 4), [&] { return scatter_add(activation(x), {rows_, columns}, 1, index); });
}

void Bench::reductions() {
  const Array x = values();
  op("sum", arrays(1, 1), [&] { return sum(activation(x)); });
  op("sum over rows", arrays(1, 1), [&] { return sum(activation(x), {0}); });
  op("sum over columns", arrays(1, 1), [&] { return sum(activation(x), {1}); });
  op("mean over columns", arrays(1, 1), [&] { return mean(activation(x), {1}); });
  op("max over columns", arrays(1, 2), [&] { return max(activation(x), {1}); });
  op("var over columns", arrays(1, 2), [&] { return var(activation(x), {1}); });
  work("argmax over columns", arrays(1), [&] { return argmax(Tensor(x), 1); });
}

void Bench::movement() {
  const Array x = values(), half = values({rows_, columns / 2}), row = values({columns});
  const Array heads = x.reshape({-1, 16, 64});
  op("permute heads", arrays(2, 2), [&] { return permute(activation(heads), {1, 0, 2}); });
  op("transpose", arrays(2, 2), [&] { return transpose(activation(x), 0, 1); });
  op("expand", arrays(1, 1), [&] { return expand(activation(row), {rows_, columns}); });
  op("slice", arrays(1, 1.5), [&] { return slice(activation(x), 1, 0, columns / 2); });
  op("cat", arrays(2, 2), [&] { return weft::cat({activation(half), activation(half)}, 1); });
  op("stack", arrays(2, 2), [&] { return weft::stack({activation(half), activation(half)}); });
}

void Bench::updates() {
  Tensor p(values(), true);
  const Array gradient = values();
  const std::vector<weft::NamedTensor> parameters{{"p", p}};
  p.set_grad(gradient);
  work("grad_norm", arrays(1), [&] { return grad_norm(parameters); });
  weft::SGD sgd(parameters, {.momentum = 0.9});
  work("sgd with momentum", arrays(5), [&] { sgd.step(); });
  weft::AdamW adamw(parameters);
  work("adamw", arrays(7), [&] { adamw.step(); });
  work("grad_norm and adamw", arrays(8), [&] {
    p.set_grad(gradient);
    adamw.step(std::min(1.0, 1.0 / grad_norm(parameters)));
  });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Each operation, forward and backward");
  bench::Setup setup;
  std::string only;
  int64_t rows = 16384;
  bench::add_options(app, setup);
  app.add_option("--only", only, "Only the operations whose names contain this");
  app.add_option("--rows", rows, "Rows of 1,024 values")->check(CLI::Range(1, 1 << 20));
  CLI11_PARSE(app, argc, argv);
  return bench::run(setup, [&] { Bench(setup, rows, only).all(); });
}
