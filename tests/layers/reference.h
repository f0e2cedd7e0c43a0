// PyTorch's layers from tests/reference/layers.h5, against ours.
#pragma once

#include <weft/autograd/ops.h>
#include <weft/layers/module.h>
#include <weft/lib/files/hdf5_file.h>

#include <functional>
#include <map>
#include <string>

#include "checks.h"

namespace weft::test {

inline const StateDict& reference(const std::string& name) {
  static const StateDict file = read_hdf5(WEFT_SOURCE_DIR "/tests/reference/layers.h5");
  return file.dict(name);
}

inline StateDict converted(const StateDict& arrays, DType dtype) {
  StateDict result;
  for (const std::string& key : arrays.keys()) result.set(key, arrays.array(key).to(dtype).copy());
  return result;
}

/// Every gradient within tolerance of the largest value in PyTorch's. A bias of keys moves all scores of a
/// softmax alike: its gradient is 0 but for rounding, which is held against all gradients.
inline void check_grads(const Module& module, const StateDict& expected, double tolerance) {
  CHECK(module.parameters().size() == expected.size());
  double largest = 0;
  for (const std::string& key : expected.keys())
    largest = std::max(largest, max(abs(Tensor(expected.array(key)))).item());
  for (const NamedTensor& p : module.parameters()) {
    CAPTURE(p.name);
    REQUIRE(p.tensor.grad().defined());
    const double floor = p.name.ends_with("key.bias") ? largest : 0;
    CHECK(difference(p.tensor.grad().value(), expected.array(p.name), tolerance, floor) == "");
  }
}

using Inputs = std::map<std::string, Tensor>;

/// Loads PyTorch's weights and compares the value, and the gradients of weights and inputs, in float and in
/// double.
inline void check_layer(const std::string& name, Module& module,
                        const std::function<Tensor(const Inputs&)>& f) {
  CAPTURE(name);
  const StateDict& expected = reference(name);
  for (const DType dtype : {float32, float64}) {
    CAPTURE(std::string(name_of(dtype)));
    const double tolerance = dtype == float32 ? 5e-6 : 2e-7;  // the file's numbers are rounded to float
    module.to(dtype);
    module.load_state_dict(converted(expected.dict("weights"), dtype));
    Inputs inputs;
    for (const std::string key : {"x", "memory"}) {
      if (expected.contains(key)) inputs.emplace(key, Tensor(expected.array(key).to(dtype).copy(), true));
    }
    const Tensor y = f(inputs);
    CHECK(difference(y.value(), expected.array("y"), tolerance) == "");
    y.backward(Tensor(expected.array("g").to(dtype)));
    check_grads(module, expected.dict("grads"), tolerance);
    for (const auto& [key, input] : inputs) {
      CHECK(difference(input.grad().value(), expected.array("d" + key), tolerance) == "");
    }
  }
}

}  // namespace weft::test
