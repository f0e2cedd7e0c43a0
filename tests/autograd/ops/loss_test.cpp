#include <doctest/doctest.h>
#include <weft/autograd/ops/composed.h>

#include <cmath>

#include "checks.h"
#include "op_table.h"

namespace weft::test {

namespace {

Array targets() { return Array::from<int64_t>({1, 4, 0, -100, 2, 2}, {2, 3}); }

Function entropy(const Array& labels, CrossEntropyOptions options = {}) {
  return [=](const std::vector<Tensor>& in) { return cross_entropy(in[0], labels, options).sum; };
}

}  // namespace

std::vector<OpCase> loss_cases() {
  std::vector<OpCase> cases;
  const std::string op = "cross_entropy(Tensor, Array, CrossEntropyOptions)";
  cases.push_back({op, "cross_entropy", entropy(targets()), {{{2, 3, 5}}}});
  cases.push_back(
      {op, "cross_entropy: smoothing", entropy(targets(), {.label_smoothing = 0.1}), {{{2, 3, 5}}}});
  cases.push_back(
      {op, "cross_entropy: smoothing alone", entropy(targets(), {.label_smoothing = 1}), {{{2, 3, 5}}}});
  cases.push_back({op,
                   "cross_entropy: ignore a class",
                   entropy(Array::from<int64_t>({1, 2, 2}, {3}), {.ignore_index = 2}),
                   {{{3, 4}}}});
  cases.push_back({op, "cross_entropy: all ignored", entropy(Array::full({3}, -100, int64)), {{{3, 4}}}});
  cases.push_back({op, "cross_entropy: one row", entropy(Array::from<int64_t>({2}, {})), {{{4}}}});
  cases.push_back({op, "cross_entropy: one class", entropy(Array::zeros({3}, int64)), {{{3, 1}}}});
  cases.push_back({op, "cross_entropy: no rows", entropy(Array::zeros({0}, int64)), {{{0, 4}}}});
  const Array shares = Array::from<float>({0.2F, 0.3F, 0.5F, 0.0F, 1.0F, 0.0F}, {2, 3});
  cases.push_back({op, "cross_entropy: shares", entropy(shares), {{{2, 3}}}});
  cases.push_back(
      {op, "cross_entropy: shares, smoothing", entropy(shares, {.label_smoothing = 0.1}), {{{2, 3}}}});
  const Function squares = [](const std::vector<Tensor>& in) { return mse_loss(in[0], in[1]); };
  cases.push_back({"mse_loss(Tensor, Tensor)", "mse_loss", squares, {{{2, 3}}, {{2, 3}}}});
  cases.push_back({op, "cross_entropy: large numbers", entropy(Array::from<int64_t>({0, 1}, {2})), {}});
  return cases;
}

TEST_CASE("loss: all cases of the table") { check_cases(loss_cases()); }

TEST_CASE("loss: fused cross-entropy equals the composed form") {
  const Array labels = Array::from<int64_t>({1, 36, 0, -1, 20}, {5});
  for (const double smoothing : {0.0, 0.1, 1.0}) {
    check_composed(entropy(labels, {-1, smoothing}),
                   [=](const std::vector<Tensor>& in) {
                     return sum(composed::cross_entropy_rows(in[0], labels, -1, smoothing));
                   },
                   {{{5, 37}, -4, 4}});
  }
}

TEST_CASE("loss: shares of the classes, of which one whole is the class itself") {
  const Tensor logits(Array::from<float>({1, -2, 0.5F, 3, 0, 1}, {2, 3}), true);
  const Array whole = Array::from<float>({0, 1, 0, 1, 0, 0}, {2, 3});
  for (const double smoothing : {0.0, 0.2}) {
    const Loss by_class =
                   cross_entropy(logits, Array::from<int64_t>({1, 0}, {2}), {.label_smoothing = smoothing}),
               by_share = cross_entropy(logits, whole, {.label_smoothing = smoothing});
    CHECK(by_share.count == 2);
    for (int64_t row = 0; row < 2; ++row)
      CHECK(by_share.rows.at({row}) == doctest::Approx(by_class.rows.at({row})).epsilon(1e-5));
  }
  refuses<ShapeError>(
      [&] {
        cross_entropy(logits, Array::zeros({2, 4}, float32));
      },
      {"floating targets (2, 4)", "(2, 3)"});
}

TEST_CASE("loss: sum, count and rows; the mean is over the rows that took part") {
  for (const DType dtype : {float32, float64}) {
    const Tensor logits(Array::zeros({2, 3, 5}, dtype), true);
    const Loss loss = cross_entropy(logits, targets());
    CHECK(loss.count == 5);
    CHECK(loss.rows.size() == 6);
    CHECK(loss.sum.item() == doctest::Approx(5 * std::log(5.0)));
    CHECK(loss.mean().item() == doctest::Approx(std::log(5.0)));
    loss.mean().backward();
    CHECK(logits.grad().value().at({0, 0, 1}) == doctest::Approx(-0.8 / 5));
    CHECK(logits.grad().value().at({1, 0, 1}) == 0);
  }
}

TEST_CASE("loss: a meter does not notice the batches") {
  const std::vector<Tensor> logits = drawn("meter", {{{7, 5}}}, float32);
  const Array labels = Array::from<int64_t>({1, 4, 0, -100, 2, 2, 3}, {7});
  LossMeter whole, parts;
  whole.add(cross_entropy(logits[0], labels));
  const std::vector<Tensor> cut = split(logits[0], 3, 0), cut_labels = split(Tensor(labels), 3, 0);
  for (size_t k = 0; k < cut.size(); ++k) parts.add(cross_entropy(cut[k], cut_labels[k].value()));
  CHECK(whole.sum() == parts.sum());
  CHECK(whole.count() == 6);
  CHECK(parts.count() == 6);
  CHECK(whole.mean() == whole.sum() / 6);
  CHECK(whole.mean() == doctest::Approx(cross_entropy(logits[0], labels).mean().item()));
}

TEST_CASE("loss: arguments that do not fit") {
  const Tensor logits = zeros({2, 3, 5});
  refuses<ShapeError>([&] { cross_entropy(logits, Array::zeros({2}, int64)); },
                      {"cross_entropy", "(2, 3, 5)", "(2,)"});
  refuses<ShapeError>([&] { cross_entropy(zeros({}), Array::zeros({}, int64)); }, {"cross_entropy", "()"});
  refuses<ShapeError>([&] { cross_entropy(logits, Array::zeros({2, 3})); }, {"floating targets (2, 3)"});
  for (const DType dtype : {float32, float64}) {
    const Tensor x = zeros({3, 5}, dtype);
    refuses<ValueError>(
        [&] {
          cross_entropy(x, Array::from<int64_t>({0, 5, 0}, {3}));
        },
        {"cross_entropy", "target 5", "row 1"});
    refuses<ValueError>(
        [&] {
          cross_entropy(x, Array::from<int64_t>({0, 0, -1}, {3}));
        },
        {"cross_entropy", "target -1", "row 2"});
    refuses<ValueError>([&] { cross_entropy(x, Array::full({3}, -100, int64)).mean(); },
                        {"no row took part"});
  }
  refuses<ValueError>([&] { cross_entropy(logits, targets(), {.label_smoothing = 1.5}); },
                      {"label_smoothing", "1.5"});
  refuses<ValueError>([&] { LossMeter().mean(); }, {"no row took part"});
}

}  // namespace weft::test
