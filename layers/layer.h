// Layer: a module that is called, which is all but the outermost of them. Its class needs only forward():
//
//   struct Gated : weft::Layer<Gated> {
//     weft::Linear &value, &gate;
//     explicit Gated(int64_t width)
//         : value(child<weft::Linear>("value", width, width)), gate(child<weft::Linear>("gate", width,
//         width)) {}
//     weft::Tensor forward(const weft::Tensor& x) const { return value(x) * sigmoid(gate(x)); }
//   };
//   ... gated(x) ...
//
// A call is forward(), of any overload, with what belongs to every call: the profiler counts its time for this
// layer (lib/profile.h), and the hooks that were registered see it. forward() called by its name is that alone,
// as in PyTorch.
#pragma once

#include <weft/layers/module.h>

#include <tuple>
#include <type_traits>
#include <utility>

namespace weft {

namespace detail {

/// What hooks see of one input of a call: tensors, and arrays as tensors without history.
template <class Input>
constexpr bool is_seen = std::is_same_v<std::remove_cvref_t<Input>, Tensor> ||
                         std::is_same_v<std::remove_cvref_t<Input>, Array>;

inline Tensor seen(const Tensor& x) { return x; }
inline Tensor seen(const Array& x) { return x.defined() ? Tensor(x) : Tensor(); }

/// The input that a call goes on with: `next`, in its turn, where hooks see it.
template <class Input>
decltype(auto) taken(std::remove_reference_t<Input>& input, const std::vector<Tensor>& inputs, size_t& next) {
  if constexpr (std::is_same_v<std::remove_cvref_t<Input>, Tensor>) {
    return static_cast<const Tensor&>(inputs[next++]);
  } else if constexpr (std::is_same_v<std::remove_cvref_t<Input>, Array>) {
    const Tensor& x = inputs[next++];
    return x.defined() ? x.value() : Array();
  } else {
    return static_cast<Input&&>(input);
  }
}

template <class Output>
concept HasTensor = requires(Output& output) {
  { output.y } -> std::same_as<Tensor&>;
};

}  // namespace detail

/// `Base` is Module, or the layer or model that Derived builds on: `struct Mine : Layer<Mine, Linear>`.
template <class Derived, class Base = Module>
class Layer : public Base {
 public:
  using Base::Base;

  template <class... Inputs>
  auto operator()(Inputs&&... inputs) const
      -> decltype(std::declval<const Derived&>().forward(std::forward<Inputs>(inputs)...)) {
    return call(static_cast<const Derived&>(*this), std::forward<Inputs>(inputs)...);
  }
  template <class... Inputs>
  auto operator()(Inputs&&... inputs)
      -> decltype(std::declval<Derived&>().forward(std::forward<Inputs>(inputs)...)) {
    return call(static_cast<Derived&>(*this), std::forward<Inputs>(inputs)...);
  }

 private:
  template <class Self, class... Inputs>
  static decltype(auto) call(Self& self, Inputs&&... inputs) {
    const LayerScope scope = static_cast<const Layer&>(self).profile_scope();
    const typename Base::Calling calling(self);
    if (self.has_forward_hooks()) return call_hooked(self, std::forward<Inputs>(inputs)...);
    return self.forward(std::forward<Inputs>(inputs)...);
  }

  template <class Self, class... Inputs>
  static decltype(auto) call_hooked(Self& self, Inputs&&... given) {
    std::vector<Tensor> inputs;
    const auto see = [&](const auto& input) {
      if constexpr (detail::is_seen<decltype(input)>) inputs.push_back(detail::seen(input));
    };
    (see(given), ...);
    self.run_forward_pre_hooks(inputs);
    size_t next = 0;
    // Braces, since arguments of a call have no order.
    std::tuple<decltype(detail::taken<Inputs>(given, inputs, next))...> arguments{
        detail::taken<Inputs>(given, inputs, next)...};
    const auto forward = [&](auto&&... taken) -> decltype(auto) {
      return self.forward(std::forward<decltype(taken)>(taken)...);
    };
    using Output = decltype(std::apply(forward, std::move(arguments)));
    if constexpr (std::is_same_v<std::remove_cvref_t<Output>, Tensor>) {
      Tensor y = std::apply(forward, std::move(arguments));
      self.run_forward_hooks(inputs, y);
      return y;
    } else if constexpr (!std::is_reference_v<Output> && detail::HasTensor<Output>) {
      Output output = std::apply(forward, std::move(arguments));
      self.run_forward_hooks(inputs, output.y);
      return output;
    } else {
      self.refuse_forward_hooks();
      return std::apply(forward, std::move(arguments));
    }
  }
};

}  // namespace weft
