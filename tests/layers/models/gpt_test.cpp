#include <doctest/doctest.h>
#include <weft/layers/models/gpt.h>
#include <weft/lib/array/random.h>

#include "decoding.h"
#include "model_reference.h"

namespace weft::test {

namespace {

const GPTConfig small_gpt{
    .vocab_size = 29, .block_size = 40, .n_layer = 2, .n_head = 2, .n_embd = 16, .bias = true};

/// A batch of eight takes the packed products of lib/kernels/gemm.cpp, a row of it the others.
const GPTConfig wide{
    .vocab_size = 29, .block_size = 40, .n_layer = 2, .n_head = 2, .n_embd = 72, .bias = true};

Array token_ids(const Shape& shape, int64_t vocab = 29) {
  return random_uniform(shape, 0, static_cast<double>(vocab), random_key(7, 7)).to(int64);
}

}  // namespace

TEST_CASE("gpt: logits, loss and every gradient equal PyTorch's from the same weights") {
  for (const char* name : {"gpt with bias", "gpt without bias"}) {
    CAPTURE(std::string(name));
    const StateDict& expected = reference(name);
    const NoInit no_init;
    GPT model(GPTConfig::from_state(expected.dict("config")));
    for (const DType dtype : {float32, float64}) {
      CAPTURE(std::string(name_of(dtype)));
      const double tolerance = dtype == float32 ? 1e-5 : 2e-7;
      model.to(dtype);
      model.load_state_dict(converted(expected.dict("weights"), dtype));
      const Array &ids = expected.array("ids"), &targets = expected.array("targets");
      CHECK(difference(model.forward(ids).value(), expected.array("logits"), tolerance) == "");
      const Tensor loss = model.loss({ids, targets}).mean();
      CHECK(difference(loss.value(), expected.array("loss"), tolerance) == "");
      loss.backward();
      check_grads(model, expected.dict("grads"), tolerance);
    }
  }
}

TEST_CASE("gpt: parameters, and GPT-2's first values") {
  const RandomScope random({.seed = 1});
  const GPT model(
      {.vocab_size = 65, .block_size = 64, .n_layer = 4, .n_head = 4, .n_embd = 128, .bias = true});
  const int64_t C = 128, block = 12 * C * C + 13 * C;
  CHECK(model.parameter_count() == (65 + 64) * C + 4 * block + 2 * C);
  for (const NamedTensor& p : model.parameters()) {
    CAPTURE(p.name);
    if (p.name.ends_with("bias")) {
      CHECK(p.tensor.value().identical(Array::zeros(p.tensor.shape())));
    } else if (p.tensor.rank() == 1) {
      CHECK(p.tensor.value().identical(Array::ones(p.tensor.shape())));
    } else {
      const bool last = p.name.ends_with("output.weight") || p.name.ends_with("down.weight");
      CHECK(std::sqrt(var(p.tensor).item()) ==
            doctest::Approx(last ? 0.02 / std::sqrt(8.0) : 0.02).scale(0).epsilon(0.03));
    }
  }
  const GPT lean({.vocab_size = 65, .block_size = 64, .n_layer = 4, .n_head = 4, .n_embd = 128});
  CHECK(lean.parameter_count() == (65 + 64) * C + 4 * (12 * C * C + 2 * C) + C);
}

TEST_CASE("gpt: first losses are near log V") {
  const RandomScope random({.seed = 1});
  const GPT model(small_gpt);
  CHECK(model.loss({token_ids({4, 40}), slice(Tensor(token_ids({4, 41})), 1, 1, 41).value()}).mean().item() ==
        doctest::Approx(std::log(29.0)).epsilon(0.02));
}

TEST_CASE("gpt: decoding with the cache has the bits of the full pass") {
  const RandomScope random({.seed = 1});
  const NoGrad no_grad;
  for (const GPTConfig& config : {small_gpt, wide}) {
    const GPT model(config);
    const Array ids = token_ids({8, 40});
    const Tensor whole = model.forward(ids);
    const auto state = model.start(8), state_of_row = model.start(1);
    for (int64_t begin = 0, end = 7; begin < 40; begin = end++) {
      const Tensor read = slice(Tensor(ids), 1, begin, end);
      const Tensor expected = reshape(slice(whole, 1, end - 1, end), {8, 29});
      CHECK(model.next(read.value(), {}, *state).value().identical(expected.value()));
      const Tensor row = model.next(slice(read, 0, 5, 6).value(), {}, *state_of_row);
      CHECK(row.value().identical(slice(expected, 0, 5, 6).value()));
      CHECK(state->length(3) == end);
    }
    refuses<ShapeError>([&] { model.next(token_ids({8, 1}), {}, *state); }, {"GPT", "row 0", "40 tokens"});
  }
}

TEST_CASE("gpt: rows of different lengths have the bits that each has alone, also when they are reordered") {
  const RandomScope random({.seed = 1});
  const NoGrad no_grad;
  for (const GPTConfig& config : {small_gpt, wide}) check_decoding(GPT(config), 29, 40);
}

TEST_CASE("gpt: what stands in the padding changes no bit of what counts") {
  const RandomScope random({.seed = 1});
  const NoGrad no_grad;
  const GPT model(small_gpt);
  const Array ids = token_ids({2, 12});
  const Tensor padded = model.forward(ids, {12, 7});
  const Array alone = slice(slice(Tensor(ids), 0, 1, 2), 1, 0, 7).value();
  CHECK(model.forward(alone).value().identical(slice(slice(padded, 0, 1, 2), 1, 0, 7).value()));
  CHECK_FALSE(padded.value().identical(model.forward(ids).value()));
  refuses<ShapeError>([&] { model.forward(ids, {12}); }, {"1", "(2, 2, 12, 12)"});
}

TEST_CASE("gpt: a row of a batch has the bits of the row alone, and of its beginning alone") {
  const RandomScope random({.seed = 1});
  const NoGrad no_grad;
  for (const GPTConfig& config : {small_gpt, wide}) {
    const GPT model(config);
    const Array ids = token_ids({8, 40});
    const Tensor whole = model.forward(ids);
    for (const int64_t r : {1, 7}) {
      const Array row = slice(Tensor(ids), 0, r, r + 1).value();
      CHECK(model.forward(row).value().identical(slice(whole, 0, r, r + 1).value()));
      const Array beginning = slice(Tensor(row), 1, 0, 11).value();
      CHECK(model.forward(beginning).value().identical(slice(slice(whole, 0, r, r + 1), 1, 0, 11).value()));
    }
  }
}

TEST_CASE("gpt: gradients of micro-batches are those of the whole batch, bit for bit, dropout on") {
  GPTConfig config = small_gpt;
  config.dropout = 0.1;
  const RandomScope init({.seed = 1});
  GPT model(config);
  const Array ids = token_ids({6, 20}), targets = slice(Tensor(token_ids({6, 21})), 1, 1, 21).value();
  const auto run = [&](int64_t micro) {
    model.zero_grad();
    for (int64_t begin = 0; begin < 6; begin += micro) {
      const RandomScope random({.seed = 2, .step = 9, .first_sample = static_cast<uint64_t>(begin)});
      const auto part = [&](const Array& all) { return slice(Tensor(all), 0, begin, begin + micro).value(); };
      model.loss({part(ids), part(targets)}).sum.backward();
    }
    std::vector<Array> grads;
    for (const auto& [name, tensor] : model.parameters()) grads.push_back(tensor.grad().value().copy());
    return grads;
  };
  const std::vector<Array> whole = run(6);
  for (const int64_t micro : {3, 1}) {
    const std::vector<Array> parts = run(micro);
    for (size_t k = 0; k < whole.size(); ++k) {
      CAPTURE(model.parameters()[k].name);
      CHECK(parts[k].identical(whole[k]));
    }
  }
}

TEST_CASE("gpt: configurations out of range are refused by name") {
  const auto with = [](auto change) {
    GPTConfig config = small_gpt;
    change(config);
    return [config] { GPT model(config); };
  };
  refuses<ValueError>(with([](GPTConfig& c) { c.n_head = 3; }), {"n_embd = 16", "n_head = 3"});
  refuses<ValueError>(with([](GPTConfig& c) { c.vocab_size = 0; }), {"vocab_size = 0"});
  refuses<ValueError>(with([](GPTConfig& c) { c.block_size = -1; }), {"block_size = -1"});
  refuses<ValueError>(with([](GPTConfig& c) { c.n_layer = 0; }), {"n_layer = 0"});
  refuses<ValueError>(with([](GPTConfig& c) { c.dropout = 1; }), {"dropout = 1"});
}

TEST_CASE("gpt: a configuration survives its state") {
  const GPTConfig again = GPTConfig::from_state(small_gpt.state());
  CHECK(again.vocab_size == 29);
  CHECK(again.block_size == 40);
  CHECK(again.n_layer == 2);
  CHECK(again.n_head == 2);
  CHECK(again.n_embd == 16);
  CHECK(again.dropout == 0);
  CHECK(again.bias);
  refuses<StateError>([] { GPTConfig::from_state(StateDict()); }, {"vocab_size"});
}

TEST_CASE("gpt: ids that do not fit") {
  const RandomScope random({.seed = 1});
  const GPT model(small_gpt);
  refuses<ShapeError>([&] { model.forward(token_ids({5})); }, {"GPT", "(5,)", "(B, T)"});
  refuses<ShapeError>([&] { model.forward(token_ids({1, 41})); }, {"GPT", "(1, 41)", "40"});
  refuses<ValueError>([&] { model.forward(Array::full({1, 2}, 29, int64)); }, {"29"});
  refuses<ShapeError>([&] { model.loss({token_ids({2, 4}), token_ids({2, 5})}); }, {"(2, 4, 29)", "(2, 5)"});
  KeyValueState wrong(1, 3);
  const auto right = model.start(1);
  const auto next = [&](const Shape& shape, const std::vector<int64_t>& lengths, DecoderState& state) {
    return [=, &model, &state] { model.next(Array::zeros(shape, int64), lengths, state); };
  };
  refuses<ValueError>(next({1, 1}, {}, wrong), {"GPT", "3 layers", "2"});
  refuses<ShapeError>(next({1, 0}, {}, *right), {"GPT", "(1, 0)"});
  refuses<ShapeError>(next({2, 1}, {}, *right), {"GPT", "(2, 1)", "1 rows"});
  refuses<ShapeError>(next({1, 2}, {1, 1}, *right), {"GPT", "2 lengths", "(1, 2)"});
  refuses<ShapeError>(next({1, 2}, {0}, *right), {"GPT", "row 0", "0 tokens"});
  refuses<ShapeError>(next({1, 2}, {3}, *right), {"GPT", "row 0", "3 tokens"});
  refuses<ValueError>([&] { right->select(std::vector<int64_t>{0, 1}); }, {"no row 1"});
  refuses<ValueError>([&] { right->length(1); }, {"no row 1"});
  refuses<ValueError>([&] { model.start(-1); }, {"-1 rows"});
  CHECK(right->length(0) == 0);
}

TEST_CASE("gpt: documents that share rows have the bits that each has alone") {
  const RandomScope random({.seed = 1});
  for (GPTConfig config : {small_gpt, wide}) {
    GPT model(config);
    check_documents_of(model, 29);
    config.block_size = 30;  // a row as long as the table of positions
    GPT full(config);
    check_documents_of(full, 29);
  }
}

}  // namespace weft::test
