#include <doctest/doctest.h>
#include <weft/autograd/ops/composed.h>
#include <weft/lib/base/math.h>

#include <cmath>
#include <functional>

#include "checks.h"
#include "op_table.h"

namespace weft::test {

namespace {

Function ctc(const Array& targets, const std::vector<int64_t>& lengths, int64_t blank) {
  return
      [=](const std::vector<Tensor>& in) { return ctc_loss(in[0], targets, lengths, {.blank = blank}).sum; };
}

/// The probability of labels by all paths, one after the other.
double by_all_paths(const Array& logits, const std::vector<int64_t>& labels, int64_t blank) {
  const int64_t T = logits.dim(0), V = logits.dim(1);
  const Array log_p = composed::log_softmax(Tensor(logits)).value();
  double sum = 0;
  std::vector<int64_t> path(static_cast<size_t>(T));
  const std::function<void(int64_t, double)> go = [&](int64_t t, double p) {
    if (t == T) {
      std::vector<int64_t> said;
      for (int64_t i = 0; i < T; ++i) {
        const int64_t one = path[static_cast<size_t>(i)];
        if (one != blank && (i == 0 || path[static_cast<size_t>(i - 1)] != one)) said.push_back(one);
      }
      if (said == labels) sum += math::exp(p);
      return;
    }
    for (int64_t v = 0; v < V; ++v) {
      path[static_cast<size_t>(t)] = v;
      go(t + 1, p + log_p.data<double>()[t * V + v]);
    }
  };
  go(0, 0);
  return sum;
}

}  // namespace

std::vector<OpCase> ctc_cases() {
  const std::string op = "ctc_loss(Tensor, Array, std::vector<int64_t>, CtcLossOptions)";
  const auto ids = [](std::initializer_list<int64_t> all, const Shape& shape) {
    return Array::from(all, shape);
  };
  return {{op, "ctc_loss: lengths", ctc(ids({1, 2, 2, 3, 1, -100}, {2, 3}), {7, 5}, 0), {{{2, 7, 4}}}},
          {op, "ctc_loss: blank last", ctc(ids({0, 0, 1, 2}, {1, 4}), {6}, 3), {{{1, 6, 4}}}},
          {op, "ctc_loss: no labels", ctc(ids({-100, -100, 2, -100}, {2, 2}), {4, 4}, 0), {{{2, 4, 3}}}},
          {op, "ctc_loss: just enough frames", ctc(ids({1, 1, 2}, {1, 3}), {}, 0), {{{1, 4, 3}}}}};
}

TEST_CASE("ctc: all cases of the table") { check_cases(ctc_cases()); }

TEST_CASE("ctc: the fused loss equals the composed form") {
  const Array targets = Array::from<int64_t>({4, 4, 1, 2, 9, -100}, {2, 3});
  const std::vector<int64_t> lengths{11, 8};
  check_composed(
      ctc(targets, lengths, 3),
      [=](const std::vector<Tensor>& in) { return sum(composed::ctc_rows(in[0], targets, lengths, 3)); },
      {{{2, 11, 12}, -4, 4}});
}

TEST_CASE("ctc: all paths, counted one by one") {
  const Array logits = drawn("paths", {{{5, 3}}})[0].value();
  for (const std::vector<int64_t>& labels :
       {std::vector<int64_t>{}, {1}, {1, 2}, {1, 1}, {2, 1, 2}, {2, 2, 1}, {1, 2, 1, 2, 1}}) {
    CAPTURE(labels.size());
    std::vector<int64_t> padded = labels;
    padded.resize(6, -100);
    const Loss loss = ctc_loss(Tensor(logits.reshape({1, 5, 3})), Array::from(padded, {1, 6}));
    CHECK(math::exp(-loss.rows.data<double>()[0]) ==
          doctest::Approx(by_all_paths(logits, labels, 0)).epsilon(1e-12));
    CHECK(loss.count == std::max<int64_t>(1, std::ssize(labels)));
  }
}

TEST_CASE("ctc: too few frames are infinite, or take no part") {
  const Array targets = Array::from<int64_t>({1, 1, 1, 2}, {2, 2});
  const Tensor logits = drawn("short", {{{2, 2, 3}}})[0];
  const Loss infinite = ctc_loss(logits, targets);  // equal labels need a frame between them
  CHECK(std::isinf(infinite.rows.data<double>()[0]));
  CHECK(std::isfinite(infinite.rows.data<double>()[1]));
  CHECK(infinite.count == 4);
  const Loss kept = ctc_loss(logits, targets, {}, {.zero_infinity = true});
  CHECK(kept.rows.data<double>()[0] == 0);
  CHECK(kept.sum.item() == infinite.rows.data<double>()[1]);
  CHECK(kept.count == 2);
  kept.sum.backward();
  const Array grad = logits.grad().value();
  for (int64_t i = 0; i < 6; ++i) CHECK(grad.data<double>()[i] == 0);
  CHECK(grad.data<double>()[6] != 0);
}

TEST_CASE("ctc: a row has the bits that it has alone, whatever is behind it") {
  const Array all = drawn("alone", {{{1, 9, 5}}}, float32)[0].value();
  const Array targets = Array::from<int64_t>({1, 2}, {1, 2});
  const Tensor whole(all), part = slice(whole, 1, 0, 6);
  CHECK(ctc_loss(whole, targets, {6}).rows.identical(ctc_loss(part, targets).rows));
}

TEST_CASE("ctc: what is refused, and how") {
  const Tensor logits = drawn("refused", {{{2, 4, 3}}})[0];
  const auto targets = [](std::initializer_list<int64_t> ids) { return Array::from(ids, {2, 2}); };
  CHECK_THROWS_WITH_AS(ctc_loss(logits, targets({1, 0, 1, 2})), "ctc_loss: the label 0 of row 0 is the blank",
                       ValueError);
  CHECK_THROWS_WITH_AS(ctc_loss(logits, targets({1, 2, 1, 3})),
                       "ctc_loss: the label 3 of row 1 is not one of 3 classes", ValueError);
  CHECK_THROWS_WITH_AS(ctc_loss(logits, targets({-100, 2, 1, 1})),
                       "ctc_loss: row 0 has a label behind one that is ignored", ValueError);
  CHECK_THROWS_WITH_AS(ctc_loss(logits, targets({1, 2, 1, 2}), {4, 5}),
                       "ctc_loss: a row of 5 frames, and the logits have 4", ValueError);
  CHECK_THROWS_WITH_AS(ctc_loss(logits, targets({1, 2, 1, 2}), {}, {.blank = 3}),
                       "ctc_loss: the blank 3 is not one of 3 classes", ValueError);
  CHECK_THROWS_AS(ctc_loss(logits, Array::zeros({2}, int64)), ShapeError);
  CHECK_THROWS_AS(ctc_loss(logits, targets({1, 2, 1, 2}), {4}), ShapeError);
}

}  // namespace weft::test
