// Gradcheck of a layer, in one line:
//
//   const DTypeScope doubles(float64);
//   GatedFeedForward layer(3, 5);
//   gradcheck(layer, x);
#pragma once

#include <weft/autograd/gradcheck.h>
#include <weft/layers/layer.h>

#include <concepts>
#include <tuple>
#include <type_traits>
#include <vector>

namespace weft {

/// gradcheck() of module(inputs...), or module.forward(inputs...) where it cannot be called, for the inputs
/// that are tensors, and for all parameters of the module that are not frozen: they must be float64
/// (TypeError; `module.to(float64)`). Other inputs, ids or masks, are given as they are. The inputs require a
/// gradient for the time being, and all values are restored. Dropout needs eval(), or its numbers would
/// differ between two calls.
template <std::derived_from<Module> M, class... Inputs>
requires(!std::convertible_to<Inputs, GradcheckOptions> && ...) GradcheckResult
    gradcheck(M& module, const Inputs&... inputs) {
  return gradcheck(module, GradcheckOptions{}, inputs...);
}

template <std::derived_from<Module> M, class... Inputs>
GradcheckResult gradcheck(M& module, GradcheckOptions options, const Inputs&... inputs) {
  std::vector<Tensor> all;
  const auto add = [&](const auto& input) {
    if constexpr (std::is_same_v<std::remove_cvref_t<decltype(input)>, Tensor>)
      all.push_back(is_floating(input.dtype()) ? Tensor(input.value(), true) : input);
  };
  (add(inputs), ...);
  const std::vector<NamedTensor> parameters = module.parameters();
  options.names.resize(all.size());
  for (const NamedTensor& p : parameters) {
    all.push_back(p.tensor);
    options.names.push_back(p.name);
  }
  return gradcheck(
      [&](const std::vector<Tensor>& given) {
        size_t next = 0;
        const auto given_or = [&](const auto& input) -> decltype(auto) {
          if constexpr (std::is_same_v<std::remove_cvref_t<decltype(input)>, Tensor>) {
            return (given[next++]);
          } else {
            return (input);
          }
        };
        // Braces, since arguments of a call have no order.
        const std::tuple<decltype(given_or(inputs))...> arguments{given_or(inputs)...};
        return std::apply([&](const auto&... each) -> Tensor { return detail::call_module(module, each...); },
                          arguments);
      },
      all, options);
}

}  // namespace weft
