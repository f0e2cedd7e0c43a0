// Containers: Sequential, a chain of layers, and ModuleList, layers that the module which holds them calls.
// Paths are PyTorch's: "net.0.weight", "blocks.3.attention.query.weight".
#pragma once

#include <weft/layers/layer.h>

#include <cstdint>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace weft {

/// Each layer is given what the one before it gave:
///   struct Net : Layer<Net> {
///     Sequential& net;
///     Net() : net(child<Sequential>("net").add<Linear>(8, 32).add<GELU>().add<Linear>(32, 8)) {}
///     Tensor forward(const Tensor& x) const { return net(x); }
///   };
/// or alone: `Sequential net; net.add<Linear>(8, 32).add<GELU>();`
class Sequential : public Layer<Sequential> {
 public:
  /// Builds M(arguments...) at the end of the chain, as child "0", "1", ... M is called with a tensor, or
  /// with ids, and gives a tensor.
  template <class M, class... Arguments>
  Sequential& add(Arguments&&... arguments) {
    return add_module<M>(str(chain_.size()), std::forward<Arguments>(arguments)...);
  }
  /// The same under a name of its own.
  template <class M, class... Arguments>
  Sequential& add_module(const std::string& name, Arguments&&... arguments) {
    M& made = child<M>(name, std::forward<Arguments>(arguments)...);
    chain_.push_back({&made, [&made](const Tensor& x) -> Tensor {
                        if constexpr (detail::CallableWith<M, const Tensor&>) {
                          return detail::call_module(made, x);
                        } else {
                          return detail::call_module(made, x.value());
                        }
                      }});
    return *this;
  }

  /// x through all layers in order; x itself without any.
  Tensor forward(Tensor x) const {
    for (const Link& link : chain_) x = link.call(x);
    return x;
  }
  /// For a chain that begins with an embedding.
  Tensor forward(const Array& ids) const { return forward(Tensor(ids)); }

  size_t size() const { return chain_.size(); }
  bool empty() const { return chain_.empty(); }
  /// The layers, in order. ValueError beyond the last.
  Module& operator[](size_t index) const {
    if (index >= size()) fail<ValueError>("Sequential: there is no layer ", index, " among ", size());
    return *chain_[index].module;
  }

 private:
  struct Link {
    Module* module;
    std::function<Tensor(const Tensor&)> call;
  };
  std::vector<Link> chain_;
};

/// Layers of one type, children "0", "1", ...:
///   ModuleList<EncoderBlock>& blocks;
///   ... blocks(child<ModuleList<EncoderBlock>>("blocks")) { for (...) blocks.append(width, heads, options);
///   }
///   ... blocks(child<ModuleList<EncoderBlock>>("blocks", n_layer, width, heads, options))
///   for (const EncoderBlock& block : blocks) x = block(x);
template <class M>
class ModuleList : public Module {
 public:
  ModuleList() = default;
  /// `count` of them, all made alike: M(arguments...).
  template <class... Arguments>
  explicit ModuleList(int64_t count, const Arguments&... arguments) {
    for (int64_t i = 0; i < count; ++i) append(arguments...);
  }
  /// Builds M(arguments...) behind the others.
  template <class... Arguments>
  M& append(Arguments&&... arguments) {
    return *items_.emplace_back(&child<M>(str(items_.size()), std::forward<Arguments>(arguments)...));
  }

  size_t size() const { return items_.size(); }
  bool empty() const { return items_.empty(); }
  /// ValueError beyond the last.
  M& operator[](size_t index) const {
    if (index >= size()) fail<ValueError>("ModuleList: there is no module ", index, " among ", size());
    return *items_[index];
  }

  class Iterator {
   public:
    using difference_type = std::ptrdiff_t;
    using value_type = M;
    Iterator() = default;
    explicit Iterator(M* const* at) : at_(at) {}
    M& operator*() const { return **at_; }
    M* operator->() const { return *at_; }
    Iterator& operator++() { return ++at_, *this; }
    Iterator operator++(int) { return Iterator(at_++); }
    bool operator==(const Iterator&) const = default;

   private:
    M* const* at_ = nullptr;
  };
  Iterator begin() const { return Iterator(items_.data()); }
  Iterator end() const { return Iterator(items_.data() + items_.size()); }

 private:
  std::vector<M*> items_;
};

}  // namespace weft
