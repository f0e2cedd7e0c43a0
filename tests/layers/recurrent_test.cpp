#include <doctest/doctest.h>
#include <weft/layers/recurrent.h>
#include <weft/lib/array/random.h>

#include <cmath>

#include "reference.h"

namespace weft::test {

namespace {

Tensor with_axis(const Tensor& state) { return reshape(state, {state.dim(0), 1, state.dim(1)}); }

/// y, then all last states, as tests/reference/layers.py has it; `memory` holds the first ones, (B, states,
/// H).
Tensor joined(const Recurrent& layer, const Inputs& in, const std::vector<int64_t>& lengths = {}) {
  RecurrentStates initial;
  const auto count = static_cast<int64_t>(layer.weights.size());
  if (in.contains("memory"))
    for (int64_t k = 0; k < count; ++k) {
      const Tensor& all = in.at("memory");
      const auto state = [&](int64_t n) {
        return reshape(slice(all, 1, n, n + 1), {all.dim(0), layer.width});
      };
      initial.push_back({state(k), layer.cell == RecurrentCell::lstm ? state(count + k) : Tensor()});
    }
  const RecurrentOutput out = layer(in.at("x"), lengths, initial);
  std::vector<Tensor> parts = {reshape(out.y, {out.y.dim(0), -1, layer.width})};
  for (const RecurrentState& state : out.states) parts.push_back(with_axis(state.h));
  for (const RecurrentState& state : out.states)
    if (state.c.defined()) parts.push_back(with_axis(state.c));
  return cat(parts, 1);
}

}  // namespace

TEST_CASE("recurrent layers: equal PyTorch's, weight by weight: layers, directions, states, padding") {
  const RandomScope random({});
  for (const auto& [name, cell] : {std::pair{"lstm", RecurrentCell::lstm}, {"gru", RecurrentCell::gru}}) {
    const RecurrentOptions deep{.layers = 2, .bidirectional = true};
    Recurrent plain(cell, 8, 6), bare(cell, 8, 6, {.bias = false}), both(cell, 8, 6, deep);
    check_layer(name, plain, [&](const Inputs& in) { return joined(plain, in); });
    check_layer(str(name, " without bias"), bare, [&](const Inputs& in) { return joined(bare, in); });
    check_layer(str(name, " deep"), both, [&](const Inputs& in) { return joined(both, in); });
    check_layer(str(name, " padded"), both, [&](const Inputs& in) { return joined(both, in, {2, 5}); });
  }
}

TEST_CASE("recurrent layers: names and first values are PyTorch's") {
  const RandomScope random({.seed = 1});
  const LSTM layer(70, 100, {.layers = 2, .bidirectional = true});
  std::string names;
  for (const NamedTensor& p : layer.parameters()) {
    names += p.name + " ";
    CAPTURE(p.name);
    CHECK(max(abs(p.tensor)).item() <= 0.1);
    CHECK(std::sqrt(var(p.tensor).item()) == doctest::Approx(0.1 / std::sqrt(3.0)).scale(0).epsilon(0.1));
  }
  CHECK(names ==
        "weight_ih_l0 weight_hh_l0 bias_ih_l0 bias_hh_l0 "
        "weight_ih_l0_reverse weight_hh_l0_reverse bias_ih_l0_reverse bias_hh_l0_reverse "
        "weight_ih_l1 weight_hh_l1 bias_ih_l1 bias_hh_l1 "
        "weight_ih_l1_reverse weight_hh_l1_reverse bias_ih_l1_reverse bias_hh_l1_reverse ");
  CHECK(layer.parameters()[8].tensor.shape() == Shape{400, 200});
  CHECK(GRU(70, 100).parameters()[1].tensor.shape() == Shape{300, 100});
}

TEST_CASE("recurrent layers: dropout between layers in training alone, the same numbers in micro-batches") {
  const RandomScope build({.seed = 5});
  LSTM layer(4, 8, {.layers = 2, .dropout = 0.5});
  const Tensor x(random_uniform({3, 5, 4}, -1, 1, random_key(0, 1)));
  const auto run = [&](const Tensor& rows, uint64_t first) {
    const RandomScope random({.seed = 7, .first_sample = first});
    return layer(rows).y;
  };
  const Tensor dropped = run(x, 0);
  CHECK(run(slice(x, 0, 1, 3), 1).value().identical(slice(dropped, 0, 1, 3).value()));
  layer.eval();
  CHECK_FALSE(run(x, 0).value().identical(dropped.value()));
  LSTM without(4, 8, {.layers = 2});
  without.load_state_dict(layer.state_dict());
  CHECK(without(x).y.value().identical(run(x, 0).value()));
}

TEST_CASE("recurrent layers: reading goes on from the states to the bits of the whole") {
  const RandomScope random({.seed = 6});
  const NoGrad no_grad;
  const Tensor x(random_uniform({2, 9, 12}, -1, 1, random_key(0, 2)));
  for (const RecurrentCell cell : {RecurrentCell::lstm, RecurrentCell::gru}) {
    const Recurrent layer(cell, 12, 20, {.layers = 2});
    const Tensor whole = layer(x).y;
    RecurrentStates states = layer.zero_states(2);
    for (int64_t t = 0; t < 9; ++t) {
      const RecurrentOutput out = layer(slice(x, 1, t, t + 1), std::vector<int64_t>{}, states);
      CHECK(out.y.value().identical(slice(whole, 1, t, t + 1).value()));
      states = out.states;
    }
  }
}

TEST_CASE("recurrent layers: arguments that do not fit") {
  const RandomScope random({});
  refuses<ValueError>([] { LSTM layer(0, 4); }, {"LSTM", "0 inputs"});
  refuses<ValueError>([] { GRU layer(4, 0); }, {"GRU", "0 units"});
  refuses<ValueError>([] { GRU layer(4, 4, {.layers = 0}); }, {"GRU", "0 layers"});
  refuses<ValueError>([] { LSTM layer(4, 4, {.dropout = 1.0}); }, {"LSTM", "dropout 1"});
  const LSTM layer(4, 3, {.layers = 2});
  refuses<ValueError>(
      [&] {
        layer(zeros({2, 5, 4}), std::vector<int64_t>{}, RecurrentStates{{zeros({2, 3})}});
      },
      {"LSTM", "1 initial", "2 layers"});
  refuses<ShapeError>([&] { layer(zeros({2, 5, 3})); }, {"lstm", "(2, 5, 3)"});
}

}  // namespace weft::test
