// Checks of gradients against central differences, for your own operations and layers too:
//
//   gradcheck([](const std::vector<Tensor>& in) { return cube(in[0]); }, {x});
#pragma once

#include <weft/autograd/tensor.h>

#include <functional>
#include <string>
#include <vector>

namespace weft {

struct GradcheckOptions {
  double eps = 1e-6;                 ///< step of the central difference
  double tolerance = 1e-6;           ///< |analytic - numeric| <= tolerance (1 + |numeric|)
  bool second_order = true;          ///< check the gradients of the gradients too
  std::vector<std::string> names{};  ///< of the inputs, for the text of a failure; the others have numbers
};

struct GradcheckResult {
  double worst = 0;     ///< largest |analytic - numeric| / (1 + |numeric|) found
  std::string failure;  ///< empty when all is well; else which input, which element, both numbers
  explicit operator bool() const { return failure.empty(); }
};

/// Compares d sum(f(inputs) . r) / d inputs, r fixed random numbers, with central differences, for every
/// element of every input that requires a gradient; with second_order the same for those gradients. Inputs
/// must be float64 (TypeError): in float a wrong rule hides behind rounding. They are restored afterwards.
/// Parameters of a layer that f uses are inputs like any other: pass them and let f ignore the argument.
GradcheckResult gradcheck(const std::function<Tensor(const std::vector<Tensor>&)>& f,
                          std::vector<Tensor> inputs, GradcheckOptions options = {});

}  // namespace weft
