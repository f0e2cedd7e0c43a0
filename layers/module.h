// Module: a layer (layer.h), or a model made of layers. Creation is registration:
//
//   struct Gated : weft::Layer<Gated> {
//     weft::Linear &value, &gate;
//     explicit Gated(int64_t width)
//         : value(child<weft::Linear>("value", width, width)), gate(child<weft::Linear>("gate", width,
//         width)) {}
//     weft::Tensor forward(const weft::Tensor& x) const { return value(x) * sigmoid(gate(x)); }
//   };
//
// A module that another one merely holds, as a member or in a vector, would neither be trained nor saved. So
// child() and build() refuse what has built one, a call refuses one that is called so, and the step of an optimizer
// what backward reached but nobody asked for (StateError). A tensor that requires a gradient and is no parameter() is
// refused by the second step.
//
// Names make the path, "blocks.3.attention.query.weight", which is the key in a checkpoint and in the
// optimizer. Parameters with random first values take them from the RandomScope of the thread that builds the
// module:
//   const RandomScope random({.seed = 1337});
//   Gated layer(128);
#pragma once

#include <weft/autograd/named_tensor.h>
#include <weft/layers/buffer_tensor.h>
#include <weft/layers/forward_hooks.h>
#include <weft/layers/init.h>
#include <weft/layers/parameter.h>
#include <weft/lib/array/state_dict.h>
#include <weft/lib/profile/profile.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weft {

class Module {
 public:
  Module();
  virtual ~Module();
  /// Children are held by reference, so a module stays where it is.
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  /// Parameters of this module and all below it, in order of creation, each with its path from here.
  std::vector<NamedTensor> parameters() const;
  std::vector<NamedTensor> named_parameters() const { return parameters(); }
  /// Arrays that are saved but not trained.
  std::vector<NamedTensor> buffers() const;
  std::vector<NamedTensor> named_buffers() const { return buffers(); }
  /// Number of trained values; with `frozen`, of all.
  int64_t parameter_count(bool frozen = true) const;
  int64_t num_parameters(bool frozen = true) const { return parameter_count(frozen); }
  /// The module below this one at a path ("blocks.0.attention"). ValueError that lists the names there.
  Module& at(const std::string& path);
  Module& get_submodule(const std::string& path) { return at(path); }
  const std::vector<std::pair<std::string, std::unique_ptr<Module>>>& children() const { return children_; }

  /// Switches dropout and the like on and off, here and below. Modules begin in training.
  void train(bool on = true);
  void eval() { train(false); }
  bool training() const { return training_; }
  /// Stops, or starts again, the gradients of all parameters here and below; those that are there are forgotten.
  void freeze(bool frozen = true);
  void zero_grad();
  /// Converts parameters and buffers to float32 or float64. Gradients are dropped.
  void to(DType dtype);

  /// Parameters and buffers by path, as copies: a snapshot to keep, and to come back to.
  StateDict state_dict() const;
  /// The same without copies: the arrays of the module, which change when it is trained. For writing a
  /// checkpoint on the spot.
  StateDict shared_state_dict() const;
  /// Overwrites them. All must be there, nothing else, with equal shapes and types: otherwise StateError with
  /// three lists of names, and nothing is changed.
  void load_state_dict(const StateDict& state);
  /// Takes what fits by name, shape and type, and reports the rest: for fine-tuning.
  LoadReport load_matching(const StateDict& state);

  /// Path from the root of the tree to this module; "" for the root.
  std::string path() const;

  /// Calls `hook` before, or after, forward() of each call of this layer (layer.h), in the order of
  /// registration; a hook that returns nothing observes. Of a block under recompute, in backward once more.
  /// StateError in a call of a layer that has a hook and whose result is neither a tensor nor has one `y`.
  template <class Hook>
  RemovableHandle register_forward_pre_hook(Hook hook) {
    return hooks_.add(as_forward_pre_hook(std::move(hook)));
  }
  template <class Hook>
  RemovableHandle register_forward_hook(Hook hook) {
    return hooks_.add(as_forward_hook(std::move(hook)));
  }

  /// Builds a module that is nobody's child. StateError when it holds another that is nobody's child either, unless all
  /// the other's parameters are frozen.
  template <class M, class... Arguments>
  static std::unique_ptr<M> build(Arguments&&... arguments) {
    Construction construction;
    auto made = std::make_unique<M>(std::forward<Arguments>(arguments)...);
    construction.check(*made);
    return made;
  }

 protected:
  /// While it lives, the profiler (lib/profile.h) counts time for this module, or for a part of it. A layer
  /// that is called needs it for its parts alone: `const LayerScope layer = profile_scope("head");`
  LayerScope profile_scope(std::string_view part = {}) const {
    return LayerScope([&] {
      const std::string whole = path();
      return str(whole, whole.empty() || part.empty() ? "" : ".", part);
    });
  }
  /// Registers a parameter: `Parameter scale = parameter("scale", {8}, init::ones());`. ValueError for a name that is
  /// taken, empty or holds '/'.
  Parameter parameter(const std::string& name, const Shape& shape, const Init& init);
  /// Registers an array that is saved with the module but not trained: `BufferTensor running;`.
  BufferTensor buffer(const std::string& name, Array value);
  /// Builds a module below this one. Dots in a name are part of the path: child<Block>(str("blocks.", i),
  /// ...). StateError as from build().
  template <class M, class... Arguments>
  M& child(const std::string& name, Arguments&&... arguments) {
    std::unique_ptr<M> made = build<M>(std::forward<Arguments>(arguments)...);
    M& reference = *made;
    adopt(name, std::move(made));
    return reference;
  }

  /// A call of a layer, while it lasts. StateError when a layer calls one that is in nobody's tree and whose
  /// parameters nobody has asked for, though those of its own tree have been: held without being a child.
  class Calling {
   public:
    explicit Calling(const Module& module) : before_(current_) {
      if (before_ != nullptr && module.parent_ == nullptr) module.check_known_to(*before_);
      current_ = &module;
    }
    ~Calling() { current_ = before_; }
    Calling(const Calling&) = delete;
    Calling& operator=(const Calling&) = delete;

   private:
    static constinit thread_local const Module* current_;
    const Module* const before_;
  };

  const ForwardHooks& forward_hooks() const { return hooks_; }
  /// "MultiHeadAttention", for errors.
  std::string type() const;

 private:
  /// Gathers the modules that this thread makes while it lives and that nobody adopts.
  class Construction {
   public:
    Construction();
    ~Construction();
    Construction(const Construction&) = delete;
    Construction& operator=(const Construction&) = delete;
    /// StateError when `made` has built others that are nobody's children.
    void check(const Module& made) const;

   private:
    friend class Module;
    static constinit thread_local Construction* current_;
    std::vector<const Module*> modules_;
    Construction* const before_;
  };

  void check_known_to(const Module& caller) const;
  std::map<std::string, Array> arrays() const;
  void adopt(const std::string& name, std::unique_ptr<Module> made);
  void check_name(const std::string& name) const;
  template <class Visit>
  void walk(const std::string& prefix, const Visit& visit) const;

  std::vector<NamedTensor> parameters_;
  std::vector<std::pair<std::string, BufferTensor>> buffers_;
  std::vector<std::pair<std::string, std::unique_ptr<Module>>> children_;
  ForwardHooks hooks_;
  Module* parent_ = nullptr;
  std::string name_;
  bool training_ = true;
  mutable bool asked_ = false;  // for its parameters
  uint64_t number_;             // in the order of creation
};

}  // namespace weft
