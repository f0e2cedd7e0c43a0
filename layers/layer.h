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
// A call is forward(), of any overload, with what belongs to every call: the profiler counts its time for
// this layer (lib/profile.h), and the hooks that were registered see it. forward() called by its name is that
// alone, as in PyTorch. Arguments in braces need their type: attention(x, Mask{}, bias).
#pragma once

#include <weft/layers/module.h>

#include <concepts>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

namespace weft {

namespace detail {

/// What hooks see of one input of a call: tensors, and arrays as tensors without history.
template <class Input>
constexpr bool is_seen = std::is_base_of_v<Tensor, std::remove_cvref_t<Input>> ||
                         std::is_same_v<std::remove_cvref_t<Input>, Array>;

inline Tensor seen(const Tensor& x) { return x; }
inline Tensor seen(const Array& x) { return x.defined() ? Tensor(x) : Tensor(); }

/// The input that a call goes on with: `next`, in its turn, where hooks see it.
template <class Input>
decltype(auto) taken(std::remove_reference_t<Input>& input, const std::vector<Tensor>& inputs, size_t& next) {
  if constexpr (std::is_base_of_v<Tensor, std::remove_cvref_t<Input>>) {
    return static_cast<const Tensor&>(inputs[next++]);
  } else if constexpr (std::is_same_v<std::remove_cvref_t<Input>, Array>) {
    const Tensor& x = inputs[next++];
    return x.defined() ? x.value() : Array();
  } else {
    return static_cast<Input&&>(input);
  }
}

/// A module that can be called, or has a forward(), with these.
template <class M, class... Inputs>
concept CallableWith = requires(M& module, Inputs&&... inputs) {
  module(static_cast<Inputs&&>(inputs)...);
}
|| requires(M& module, Inputs&&... inputs) { module.forward(static_cast<Inputs&&>(inputs)...); };

/// The call, or forward() of a module that cannot be called.
template <class M, class... Inputs>
decltype(auto) call_module(M& module, Inputs&&... inputs) {
  if constexpr (requires { module(std::forward<Inputs>(inputs)...); }) {
    return module(std::forward<Inputs>(inputs)...);
  } else {
    return module.forward(std::forward<Inputs>(inputs)...);
  }
}

/// Whether the layer says that its call does nothing now, and is not worth a line of a profile.
template <class M>
bool idle(const M& module) {
  if constexpr (requires {
                  { module.idle() } -> std::same_as<bool>;
                }) {
    return module.idle();
  } else {
    return false;
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

  // Self is Derived, which is complete where it is called.
  template <class... Inputs, class Self = Derived>
  auto operator()(Inputs&&... inputs) const
      -> decltype(std::declval<const Self&>().forward(std::forward<Inputs>(inputs)...)) {
    return call(static_cast<const Derived&>(*this), std::forward<Inputs>(inputs)...);
  }
  template <class... Inputs, class Self = Derived>
  auto operator()(Inputs&&... inputs)
      -> decltype(std::declval<Self&>().forward(std::forward<Inputs>(inputs)...)) {
    return call(static_cast<Derived&>(*this), std::forward<Inputs>(inputs)...);
  }

 private:
  template <class Self, class... Inputs>
  static auto call(Self& self, Inputs&&... inputs)
      -> decltype(self.forward(std::forward<Inputs>(inputs)...)) {
    const LayerScope scope([&] { return detail::idle(self) ? std::string() : self.path(); });
    const typename Base::Calling calling(self);
    if (self.forward_hooks().any()) return call_hooked(self, std::forward<Inputs>(inputs)...);
    return self.forward(std::forward<Inputs>(inputs)...);
  }

  template <class Self, class... Inputs>
  static auto call_hooked(Self& self, Inputs&&... given)
      -> decltype(self.forward(std::forward<Inputs>(given)...)) {
    using Output = decltype(self.forward(std::forward<Inputs>(given)...));
    std::vector<Tensor> inputs;
    [[maybe_unused]] const auto see = [&](const auto& input) {
      if constexpr (detail::is_seen<decltype(input)>) inputs.push_back(detail::seen(input));
    };
    (see(given), ...);
    self.forward_hooks().before(self, self.type(), inputs);
    size_t next = 0;
    // Braces, since arguments of a call have no order.
    std::tuple<decltype(detail::taken<Inputs>(given, inputs, next))...> arguments{
        detail::taken<Inputs>(given, inputs, next)...};
    const auto forward = [&](auto&&... taken) -> decltype(auto) {
      return self.forward(std::forward<decltype(taken)>(taken)...);
    };
    if constexpr (std::is_same_v<Output, Tensor>) {
      Tensor y = std::apply(forward, std::move(arguments));
      self.forward_hooks().after(self, inputs, y);
      return y;
    } else if constexpr (detail::HasTensor<Output>) {
      Output output = std::apply(forward, std::move(arguments));
      self.forward_hooks().after(self, inputs, output.y);
      return output;
    } else {
      self.forward_hooks().refuse_result(self.type());
      return std::apply(forward, std::move(arguments));
    }
  }
};

}  // namespace weft
