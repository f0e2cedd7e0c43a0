#include <doctest/doctest.h>
#include <weft/autograd/ops/composed.h>

#include <cmath>

#include "checks.h"
#include "op_table.h"

namespace weft::test {

namespace {

constexpr RecurrentCell lstm_cell = RecurrentCell::lstm, gru_cell = RecurrentCell::gru;
constexpr int64_t B = 3, T = 4, I = 3, H = 2;

int64_t gates_of(RecurrentCell cell) { return cell == lstm_cell ? 4 : 3; }

/// What is given of x, weights ih and hh, biases and first state, in this order.
struct Given {
  bool biases = true, state = true;
};

Recurrence run_cell(RecurrentCell cell, const std::vector<Tensor>& in, const Given& given,
                    RecurrenceOptions options) {
  size_t next = 3;
  RecurrentWeights weights{in[1], in[2], {}, {}};
  if (given.biases) weights.bias_ih = in[next++], weights.bias_hh = in[next++];
  if (given.state) options.initial.h = in[next++];
  if (given.state && cell == lstm_cell) options.initial.c = in[next++];
  return cell == lstm_cell ? lstm(in[0], weights, options) : gru(in[0], weights, options);
}

/// y and the last state, joined along time.
Function joined(RecurrentCell cell, const Given& given, const RecurrenceOptions& options) {
  return [=](const std::vector<Tensor>& in) {
    const Recurrence made = run_cell(cell, in, given, options);
    std::vector<Tensor> parts = {made.y};
    for (const Tensor& state : {made.state.h, made.state.c})
      if (state.defined()) parts.push_back(reshape(state, {state.dim(0), 1, state.dim(1)}));
    return cat(parts, 1);
  };
}

std::vector<Draw> draws_of(RecurrentCell cell, const Given& given, int64_t batch = B, int64_t tokens = T,
                           int64_t inputs = I, int64_t width = H) {
  const int64_t G = gates_of(cell) * width;
  std::vector<Draw> draws = {{{batch, tokens, inputs}}, {{G, inputs}}, {{G, width}}};
  if (given.biases) draws.insert(draws.end(), {{{G}}, {{G}}});
  if (given.state) draws.push_back({{batch, width}});
  if (given.state && cell == lstm_cell) draws.push_back({{batch, width}});
  return draws;
}

}  // namespace

std::vector<OpCase> recurrent_cases() {
  std::vector<OpCase> cases;
  for (const RecurrentCell cell : {lstm_cell, gru_cell}) {
    const std::string name = cell == lstm_cell ? "lstm" : "gru";
    const std::string op = name + "(Tensor, RecurrentWeights, RecurrenceOptions)";
    const auto row = [&](const char* how, const Given& given, const RecurrenceOptions& options,
                         const std::vector<Draw>& draws) {
      cases.push_back({op, str(name, ": ", how), joined(cell, given, options), draws});
    };
    const Given all{}, weights{.biases = false, .state = false};
    const auto sized = [&](int64_t b, int64_t t, int64_t i, int64_t h) {
      return draws_of(cell, all, b, t, i, h);
    };
    row("all", all, {}, draws_of(cell, all));
    row("weights alone", weights, {}, draws_of(cell, weights));
    row("reverse", all, {.reverse = true}, draws_of(cell, all));
    row("lengths", all, {.lengths = {4, 1, 2}}, draws_of(cell, all));
    row("lengths, reverse", all, {.lengths = {2, 4, 1}, .reverse = true}, draws_of(cell, all));
    row("no tokens in a sample", all, {.lengths = {0, 3, 0}}, draws_of(cell, all));
    row("no tokens in a sample, reverse", all, {.lengths = {0, 3, 0}, .reverse = true}, draws_of(cell, all));
    row("documents", all, {.documents = {{0, 1, 3}, {0}, {0, 2}}}, draws_of(cell, all));
    row("documents, reverse", all,
        {.lengths = {4, 2, 3}, .documents = {{0, 1, 3}, {0, 2}, {0, 1}}, .reverse = true},
        draws_of(cell, all));
    row("size 1", all, {}, sized(1, 1, 1, 1));
    row("no samples", all, {}, sized(0, 2, 3, 2));
    row("no tokens", all, {}, sized(2, 0, 3, 2));
    row("no inputs", all, {}, sized(2, 2, 0, 2));
    row("no units", all, {}, sized(2, 2, 3, 0));
  }
  return cases;
}

TEST_CASE("recurrent: all cases of the table") { check_cases(recurrent_cases()); }

TEST_CASE("recurrent: fused equals composed, in sizes of which none fits the vectors") {
  for (const RecurrentCell cell : {lstm_cell, gru_cell}) {
    CAPTURE(static_cast<int>(cell));
    const std::vector<Draw> draws = [&] {
      std::vector<Draw> small = draws_of(cell, {}, 5, 7, 19, 37);
      for (size_t k = 1; k < small.size(); ++k) small[k].low = -0.4, small[k].high = 0.4;
      return small;
    }();
    for (const bool reverse : {false, true})
      for (const bool documents : {false, true}) {
        RecurrenceOptions options{.lengths = {7, 0, 3, 6, 1}, .reverse = reverse};
        if (documents) options.documents = {{0, 3, 4}, {0, 1}, {0, 2, 5}, {0, 5}, {0}};
        check_composed(
            joined(cell, {}, options),
            [&](const std::vector<Tensor>& in) {
              RecurrenceOptions whole = options;
              whole.initial.h = in[5];
              if (cell == lstm_cell) whole.initial.c = in[6];
              return composed::recurrence(cell, in[0], {in[1], in[2], in[3], in[4]}, whole);
            },
            draws);
      }
  }
}

namespace {

/// The gradients of the parameters after backward through some rows of the batch at a time.
std::vector<Array> gradients_in_parts(RecurrentCell cell, int64_t rows, const RecurrenceOptions& options) {
  std::vector<Tensor> in = drawn("parts", draws_of(cell, {.state = false}, 6, 5, 9, 20), float32);
  const Array x = in[0].value();
  for (int64_t b = 0; b < 6; b += rows) {
    in[0] = slice(Tensor(x), 0, b, b + rows);
    RecurrenceOptions part = options;
    if (!part.lengths.empty())
      part.lengths = {options.lengths.begin() + b, options.lengths.begin() + b + rows};
    sum(square(joined(cell, {.state = false}, part)(in))).backward();
  }
  std::vector<Array> grads;
  for (size_t k = 1; k < in.size(); ++k) grads.push_back(in[k].grad().value());
  return grads;
}

}  // namespace

TEST_CASE("recurrent: gradients of a batch have the same bits in micro-batches") {
  for (const RecurrentCell cell : {lstm_cell, gru_cell})
    for (const RecurrenceOptions& options :
         {RecurrenceOptions{}, RecurrenceOptions{.lengths = {5, 1, 0, 4, 2, 3}, .reverse = true}}) {
      const std::vector<Array> whole = gradients_in_parts(cell, 6, options);
      for (const int64_t rows : {1, 2, 3}) {
        const std::vector<Array> parts = gradients_in_parts(cell, rows, options);
        for (size_t k = 0; k < whole.size(); ++k) {
          CAPTURE(rows);
          CAPTURE(k);
          CHECK(parts[k].identical(whole[k]));
        }
      }
    }
}

TEST_CASE("recurrent: neither other rows, nor padding, nor a cut of the time changes a bit") {
  const NoGrad no_grad;
  for (const RecurrentCell cell : {lstm_cell, gru_cell}) {
    const std::vector<Tensor> in = drawn("bits", draws_of(cell, {}, 20, 9, 33, 65), float32);
    const Recurrence whole = run_cell(cell, in, {}, {});
    const auto row = [](const Tensor& x, int64_t b) { return slice(x, 0, b, b + 1); };
    const auto part = [&](const Tensor& x, const RecurrentState& from) {
      std::vector<Tensor> given = {x, in[1], in[2], in[3], in[4], from.h};
      if (cell == lstm_cell) given.push_back(from.c);
      return run_cell(cell, given, {}, {});
    };
    RecurrentState state{row(in[5], 17), cell == lstm_cell ? row(in[6], 17) : Tensor()};
    for (const auto& [begin, end] : {std::pair{0, 5}, {5, 6}, {6, 9}}) {
      const Recurrence made = part(slice(row(in[0], 17), 1, begin, end), state);
      CHECK(made.y.value().identical(slice(row(whole.y, 17), 1, begin, end).value()));
      state = made.state;
    }
    CHECK(state.h.value().identical(row(whole.state.h, 17).value()));
    if (cell == lstm_cell) CHECK(state.c.value().identical(row(whole.state.c, 17).value()));

    std::vector<int64_t> lengths(20, 9);
    lengths[3] = 4;
    std::vector<Tensor> spoiled = in;
    Array x = in[0].value().copy();
    for (int64_t k = 4 * 33; k < 9 * 33; ++k) x.mutable_data<float>()[3 * 9 * 33 + k] = NAN;
    spoiled[0] = Tensor(x);
    const Recurrence padded = run_cell(cell, spoiled, {}, {.lengths = lengths});
    const Tensor y = row(padded.y, 3);
    CHECK(slice(y, 1, 0, 4).value().identical(slice(row(whole.y, 3), 1, 0, 4).value()));
    CHECK(slice(y, 1, 4, 9).value().identical(Array::zeros({1, 5, 65})));
    CHECK(reshape(row(padded.state.h, 3), {65})
              .value()
              .identical(reshape(slice(row(whole.y, 3), 1, 3, 4), {65}).value()));
    CHECK(row(padded.y, 4).value().identical(row(whole.y, 4).value()));
  }
}

TEST_CASE("recurrent: backward again through a graph that was kept, from another gradient") {
  for (const RecurrentCell cell : {lstm_cell, gru_cell}) {
    const std::vector<Tensor> in = drawn("again", draws_of(cell, {}), float32);
    const auto fresh = [&](double seed) {
      const Tensor y = run_cell(cell, in, {}, {}).y;
      return grad({y}, {in[2]}, {full(y.shape(), seed)})[0].value();
    };
    const Tensor y = run_cell(cell, in, {}, {}).y;
    for (const double seed : {1.0, -2.0})
      CHECK(grad({y}, {in[2]}, {full(y.shape(), seed)}, {.retain_graph = true})[0].value().identical(
          fresh(seed)));
  }
}

TEST_CASE("recurrent: of nothing, however long, at once") {
  const int64_t huge = int64_t{1} << 40;
  for (const DType dtype : {float32, float64}) {
    const auto z = [&](const Shape& shape) { return zeros(shape, dtype); };
    CHECK(lstm(z({0, huge, 3}), {z({8, 3}), z({8, 2}), {}, {}}).y.shape() == Shape{0, huge, 2});
    CHECK(gru(z({2, huge, 0}), {z({0, 0}), z({0, 0}), {}, {}}).y.shape() == Shape{2, huge, 0});
    refuses<MemoryError>([&] { gru(z({2, huge, 0}), {z({3, 0}), z({3, 1}), {}, {}}); }, {"bytes"});
  }
}

TEST_CASE("recurrent: arguments that do not fit") {
  const auto z = [](const Shape& shape) { return zeros(shape); };
  const RecurrentWeights good{z({8, 3}), z({8, 2}), z({8}), z({8})};
  const Tensor x = z({2, 4, 3});
  CHECK_NOTHROW(lstm(x, good));
  refuses<ShapeError>([&] { lstm(z({2, 3}), good); }, {"lstm", "x is (2, 3)", "(8, 3)", "(8, 2)"});
  refuses<ShapeError>([&] { lstm(z({2, 4, 5}), good); }, {"lstm", "(2, 4, 5)", "(8, 3)"});
  refuses<ShapeError>([&] { gru(x, good); }, {"gru", "(3 H, H)", "(8, 2)"});
  refuses<ShapeError>([&] { lstm(x, {z({4, 3}), z({8, 2}), {}, {}}); }, {"lstm", "(4, 3)", "(8, 2)"});
  refuses<ShapeError>([&] { lstm(x, {z({8, 3}), z({8, 2}), z({4}), {}}); }, {"lstm", "bias is (4,)", "(8,)"});
  refuses<ShapeError>(
      [&] {
        lstm(x, good, {.initial = {z({2, 3})}});
      },
      {"lstm", "initial state", "(2, 3)", "(2, 2)"});
  refuses<ShapeError>([&] { lstm(x, good, {.lengths = {1}}); }, {"lstm", "1 lengths", "(2, 4, 3)"});
  refuses<ValueError>([&] { lstm(x, good, {.lengths = {1, 5}}); }, {"lstm", "5 of sample 1", "[0, 4]"});
  refuses<ValueError>([&] { lstm(x, good, {.lengths = {-1, 2}}); }, {"lstm", "-1 of sample 0"});
  refuses<ValueError>(
      [&] {
        gru(x, {z({6, 3}), z({6, 2}), {}, {}}, {.initial = {.c = z({2, 2})}});
      },
      {"gru", "no"});
  refuses<TypeError>([&] { lstm(x, {z({8, 3}), zeros({8, 2}, float64), {}, {}}); }, {"float32", "float64"});
}

TEST_CASE("recurrent: a document has the bits that it has alone, and so have its gradients") {
  const DocumentBegins documents = {{0, 1, 4}, {0, 5}};
  for (const RecurrentCell cell : {lstm_cell, gru_cell})
    for (const bool reverse : {false, true})
      for (const DType dtype : {float32, float64}) {
        CAPTURE(reverse);
        const Given given{.state = false};
        const auto draws = draws_of(cell, given, 2, 9, 5, 18);
        const std::vector<Tensor> in = drawn("documents", draws, dtype),
                                  again = drawn("documents", draws, dtype);
        const Tensor y = run_cell(cell, in, given, {.documents = documents, .reverse = reverse}).y;
        sum(square(y)).backward();
        for (const Document& of : documents_of(documents, 2, 9)) {
          CAPTURE(of.first);
          const auto own = [&](const Tensor& x) {
            return slice(slice(x, 0, of.row, of.row + 1), 1, of.first, of.first + of.tokens);
          };
          std::vector<Tensor> one = again;
          one[0] = Tensor(own(Tensor(again[0].value())).value(), true);
          const Tensor alone = run_cell(cell, one, given, {.reverse = reverse}).y;
          // In double products are BLAS's, whose bits change with the number of rows.
          const double tolerance = dtype == float32 ? 0 : 1e-14;
          CHECK(difference(own(y).value(), alone.value(), tolerance) == "");
          sum(square(alone)).backward();
          CHECK(difference(own(in[0].grad()).value(), one[0].grad().value(), tolerance) == "");
        }
        for (size_t k = 1; k < in.size(); ++k)
          CHECK(difference(in[k].grad().value(), again[k].grad().value(), dtype == float32 ? 0 : 1e-13) ==
                "");
      }
  const std::vector<Tensor> in = drawn("documents", draws_of(lstm_cell, {}, 2, 9), float32);
  refuses<ValueError>(
      [&] {
        run_cell(lstm_cell, in, {}, {.documents = {{0, 9}, {0}}});
      },
      {"lstm", "row 0", "9"});
}

}  // namespace weft::test
