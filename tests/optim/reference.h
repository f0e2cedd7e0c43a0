// PyTorch's optimizers from tests/reference/optim.h5, against ours.
#pragma once

#include <weft/autograd/ops.h>
#include <weft/lib/files/hdf5_file.h>
#include <weft/optim/optimizer.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "checks.h"

namespace weft::test {

inline const StateDict& reference(const std::string& name) {
  static const StateDict file = read_hdf5(WEFT_SOURCE_DIR "/tests/reference/optim.h5");
  return file.dict(name);
}

/// The parameters that PyTorch started from.
inline std::vector<NamedTensor> start(DType dtype = float32) {
  std::vector<NamedTensor> parameters;
  for (const char* name : {"weight", "bias"}) {
    parameters.push_back({name, Tensor(reference("start").array(name).to(dtype).copy(), true)});
  }
  return parameters;
}

/// Gives each parameter PyTorch's gradient of one of the ten steps.
inline void set_gradients(const std::vector<NamedTensor>& parameters, int64_t step) {
  for (NamedTensor p : parameters) {
    const Tensor all(reference("gradients").array(p.name).to(p.tensor.dtype()));
    p.tensor.set_grad(reshape(slice(all, 0, step, step + 1), p.tensor.shape()).value().copy());
  }
}

using MakeOptimizer = std::function<std::unique_ptr<Optimizer>(const std::vector<NamedTensor>&)>;

/// Ten steps with the same gradients, of the bias from step `bias_from` on, give the same parameters, in float and in
/// double.
inline void check_optimizer(const std::string& name, const MakeOptimizer& make, int64_t bias_from = 0) {
  CAPTURE(name);
  for (const DType dtype : {float32, float64}) {
    CAPTURE(std::string(name_of(dtype)));
    const std::vector<NamedTensor> parameters = start(dtype);
    const std::unique_ptr<Optimizer> optimizer = make(parameters);
    const auto agree = [&](const char* when) {
      for (const NamedTensor& p : parameters) {
        CAPTURE(p.name);
        const double tolerance = dtype == float32 ? 1e-6 : 1e-7;  // the file's numbers are rounded to float
        CHECK(difference(p.tensor.value(), reference(name).dict(when).array(p.name), tolerance) == "");
      }
    };
    for (int64_t step = 0; step < 10; ++step) {
      set_gradients(parameters, step);
      if (step < bias_from) Tensor(parameters[1].tensor).zero_grad();
      optimizer->step();
      if (step == 0) agree("first");
    }
    agree("tenth");
    CHECK(optimizer->steps() == 10);
  }
}

}  // namespace weft::test
