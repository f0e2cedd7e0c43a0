// A layer of one's own: a gated linear unit, checked against numeric gradients and trained to copy its input.
#include <weft/weft.h>

#include <cstdio>

namespace {

struct Gated : weft::Module {
  weft::Linear &value, &gate;
  explicit Gated(int64_t width)
      : value(child<weft::Linear>("value", width, width)), gate(child<weft::Linear>("gate", width, width)) {}
  weft::Tensor forward(const weft::Tensor& x) { return value(x) * sigmoid(gate(x)); }
};

}  // namespace

int main() {
  const weft::RandomScope random({.seed = 1});
  {
    const weft::DTypeScope doubles(weft::float64);
    Gated gated(3);
    const weft::Tensor x(weft::Array::from({1.0, -1.0, 0.5, 2.0, 0.0, 1.5}, {2, 3}), true);
    const auto checked = weft::gradcheck([&](const auto& inputs) { return gated.forward(inputs[0]); }, {x});
    if (!checked) {
      std::printf("gradients: %s\n", checked.failure.c_str());
      return 1;
    }
  }

  Gated gated(4);
  const weft::Tensor x(weft::Array::from({1.0f, -1.0f, 0.5f, 2.0f, 0.0f, 1.5f, -0.5f, 1.0f}, {2, 4}));
  weft::AdamW optimizer(gated.parameters(), {.lr = 0.05});
  double first = 0, last = 0;
  for (int step = 0; step < 200; ++step) {
    const weft::Tensor loss = mean(square(gated.forward(x) - x));
    last = loss.item();
    if (step == 0) first = last;
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
  }
  std::printf("%s: loss %.4f, after training %.4f\n", gated.parameters().front().name.c_str(), first, last);
  return last < 0.1 * first ? 0 : 1;
}
