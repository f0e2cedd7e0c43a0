#include "op_table.h"

#include <doctest/doctest.h>
#include <weft/autograd/gradcheck.h>
#include <weft/lib/array/random.h>
#include <weft/lib/files/hdf5_file.h>

#include "checks.h"

namespace weft::test {

namespace {

Array uniform(const Shape& shape, double low, double high, const std::string& stream, size_t call) {
  return random_uniform(shape, low, high, random_key(0, stream_id(stream, call)), float32);
}

std::string differences(const char* what, const std::vector<Tensor>& found,
                        const std::vector<Tensor>& expected, double tolerance) {
  for (size_t k = 0; k < expected.size(); ++k) {
    if (const std::string text = difference(found[k].value(), expected[k].value(), tolerance, 1);
        !text.empty())
      return str(what, " of input ", k, ": ", text);
  }
  return {};
}

const StateDict& reference() {
  static const StateDict file = read_hdf5(WEFT_SOURCE_DIR "/tests/reference/ops.h5");
  return file;
}

/// The arrays prefix0, prefix1, ... of a case, undefined where the gradient was not asked for.
std::vector<Tensor> numbered(const StateDict& from, const std::string& prefix, size_t count) {
  std::vector<Tensor> found(count);
  for (size_t k = 0; k < count; ++k) {
    const std::string key = str(prefix, k);
    if (from.contains(key)) found[k] = Tensor(from.array(key));
  }
  return found;
}

void check_reference(const OpCase& row) {
  const StateDict& expected = reference().dict(row.name);
  const auto count = static_cast<size_t>(expected.integer("inputs"));
  const std::vector<Tensor> grads = numbered(expected, "d", count);
  for (const DType dtype : {float64, float32}) {
    CAPTURE(std::string(name_of(dtype)));
    const double tolerance = dtype == float64 ? 1e-12 : 2e-6;
    std::vector<Tensor> inputs, wanted;
    for (const Tensor& value : numbered(expected, "in", count)) {
      inputs.emplace_back(value.value().to(dtype).copy(), true);
    }
    const Tensor y = row.f(inputs);
    CHECK(difference(y.value(), expected.array("y"), tolerance, 1) == "");
    y.backward(Tensor(expected.array("g").to(dtype)));
    for (size_t k = 0; k < count; ++k) {
      CAPTURE(k);
      if (!grads[k].defined()) continue;
      const Tensor found = inputs[k].grad().defined() ? inputs[k].grad() : zeros(inputs[k].shape(), dtype);
      CHECK(difference(found.value(), grads[k].value(), tolerance, 1) == "");
    }
  }
}

void check_case(const OpCase& row) {
  const std::vector<Tensor> inputs = drawn(row.name, row.inputs);
  CHECK(gradcheck(row.f, inputs).failure == "");
  const Outcome in_double = run(row.f, inputs);
  const Outcome in_float = run(row.f, drawn(row.name, row.inputs, float32));
  CHECK(in_float.y.dtype() == float32);
  CHECK(difference(in_float, in_double, 4e-6) == "");
}

}  // namespace

std::vector<OpCase> op_table() {
  std::vector<OpCase> all;
  for (const auto family :
       {arithmetic_cases, pointwise_cases, reduction_cases, shaping_cases, product_cases, einsum_cases,
        indexing_cases, normalization_cases, attention_cases, rotary_cases, recurrent_cases,
        convolution_cases, additive_attention_cases, loss_cases, ctc_cases, dropout_cases}) {
    for (OpCase& row : family()) all.push_back(std::move(row));
  }
  return all;
}

std::vector<Tensor> drawn(const std::string& name, const std::vector<Draw>& draws, DType dtype) {
  std::vector<Tensor> inputs;
  for (size_t k = 0; k < draws.size(); ++k) {
    const auto& [shape, low, high] = draws[k];
    inputs.emplace_back(uniform(shape, low, high, name, k).to(dtype).copy(), true);
  }
  return inputs;
}

Outcome run(const Function& f, std::vector<Tensor> inputs, Tensor seed) {
  Outcome out;
  out.y = f(inputs);
  const auto weights = [&](const Tensor& like, size_t call) {
    return Tensor(uniform(like.shape(), 0.5, 1.5, "weights", call).to(like.dtype()));
  };
  if (!seed.defined()) seed = weights(out.y, 0);
  out.grads = grad({out.y}, inputs, {seed}, {.retain_graph = true});
  out.grads_with_graph = grad({out.y}, inputs, {seed}, {.create_graph = true});
  Tensor total;
  for (size_t k = 0; k < inputs.size(); ++k) {
    const Tensor part = sum(out.grads_with_graph[k] * weights(inputs[k], k + 1));
    total = total.defined() ? total + part : part;
  }
  if (total.defined() && total.requires_grad()) {
    out.second = grad({total}, inputs, {}, {.retain_graph = true});
  } else {
    for (const Tensor& input : inputs) out.second.push_back(zeros(input.shape(), input.dtype()));
  }
  out.y.backward(seed);
  for (const Tensor& input : inputs) {
    out.leaf_grads.push_back(input.grad().defined() ? input.grad() : zeros(input.shape(), input.dtype()));
  }
  return out;
}

std::string difference(const Outcome& found, const Outcome& expected, double tolerance) {
  if (const std::string text = difference(found.y.value(), expected.y.value(), tolerance, 1); !text.empty())
    return "value: " + text;
  // All of the gradients are held against the same one.
  for (const auto& [what, grads] : {std::pair{"gradient", &found.grads},
                                    {"gradient with graph", &found.grads_with_graph},
                                    {"gradient of the leaf", &found.leaf_grads}}) {
    if (const std::string text = differences(what, *grads, expected.grads, tolerance); !text.empty())
      return text;
  }
  return differences("second derivative", found.second, expected.second, tolerance);
}

void check_cases(const std::vector<OpCase>& cases) {
  for (const OpCase& row : cases) {
    CAPTURE(row.name);
    if (!row.inputs.empty()) check_case(row);
    if (row.inputs.empty() || reference().contains(row.name)) check_reference(row);
  }
}

void check_composed(const Function& fused, const Function& composed, const std::vector<Draw>& draws) {
  const Outcome expected = run(composed, drawn("composed", draws, float32));
  CHECK(difference(run(fused, drawn("composed", draws, float32)), expected, 4e-6) == "");
}

}  // namespace weft::test
