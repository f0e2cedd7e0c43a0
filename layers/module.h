// Module: a layer, or a model made of layers. Creation is registration:
//
//   struct Gated : weft::Module {
//     weft::Linear &value, &gate;
//     explicit Gated(int64_t width)
//         : value(child<weft::Linear>("value", width, width)), gate(child<weft::Linear>("gate", width,
//         width)) {}
//     weft::Tensor forward(const weft::Tensor& x) { return value(x) * sigmoid(gate(x)); }
//   };
//
// Names make the path, "blocks.3.attention.query.weight", which is the key in a checkpoint and in the
// optimizer. Parameters with random first values take them from the RandomScope of the thread that builds the
// module:
//   const RandomScope random({.seed = 1337});
//   Gated layer(128);
#pragma once

#include <weft/autograd/named_tensor.h>
#include <weft/layers/init.h>
#include <weft/lib/array/state_dict.h>
#include <weft/lib/profile/profile.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weft {

class Module {
 public:
  Module() = default;
  virtual ~Module() = default;
  /// Children are held by reference, so a module stays where it is.
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  /// Parameters of this module and all below it, in order of creation, each with its path from here.
  std::vector<NamedTensor> parameters() const;
  /// Arrays that are saved but not trained.
  std::vector<NamedTensor> buffers() const;
  /// Number of trained values; with `frozen`, of all.
  int64_t parameter_count(bool frozen = true) const;
  /// The module below this one at a path ("blocks.0.attention"). ValueError that lists the names there.
  Module& at(const std::string& path);
  const std::vector<std::pair<std::string, std::unique_ptr<Module>>>& children() const { return children_; }

  /// Switches dropout and the like on and off, here and below. Modules begin in training.
  void train(bool on = true);
  void eval() { train(false); }
  bool training() const { return training_; }
  /// Stops, or starts again, the gradients of all parameters here and below.
  void freeze(bool frozen = true);
  void zero_grad();
  /// Converts parameters and buffers to float32 or float64. Gradients are dropped.
  void to(DType dtype);

  /// Parameters and buffers by path.
  StateDict state_dict() const;
  /// Overwrites them. All must be there, nothing else, with equal shapes and types: otherwise StateError with
  /// three lists of names, and nothing is changed.
  void load_state_dict(const StateDict& state);
  /// Takes what fits by name, shape and type, and reports the rest: for fine-tuning.
  LoadReport load_matching(const StateDict& state);

  /// Path from the root of the tree to this module; "" for the root.
  std::string path() const;

 protected:
  /// What a forward begins with, so that the profiler (lib/profile.h) counts its time for this module, or for
  /// a part of it: `const LayerScope layer = profile_scope();`
  LayerScope profile_scope(std::string_view part = {}) const {
    return LayerScope([&] {
      const std::string whole = path();
      return str(whole, whole.empty() || part.empty() ? "" : ".", part);
    });
  }
  /// Registers a parameter. ValueError for a name that is taken, empty or holds '/'.
  Tensor parameter(const std::string& name, const Shape& shape, const Init& init);
  /// Registers an array that is saved with the module but not trained.
  Tensor buffer(const std::string& name, Array value);
  /// Builds a module below this one. Dots in a name are part of the path: child<Block>(str("blocks.", i),
  /// ...).
  template <class M, class... Arguments>
  M& child(const std::string& name, Arguments&&... arguments) {
    auto made = std::make_unique<M>(std::forward<Arguments>(arguments)...);
    M& reference = *made;
    adopt(name, std::move(made));
    return reference;
  }
  /// So many of them, NAME.0, NAME.1, ..., all made alike.
  template <class M, class... Arguments>
  std::vector<M*> child_list(const std::string& name, int64_t count, const Arguments&... arguments) {
    std::vector<M*> made;
    for (int64_t i = 0; i < count; ++i) made.push_back(&child<M>(str(name, ".", i), arguments...));
    return made;
  }

 private:
  void adopt(const std::string& name, std::unique_ptr<Module> made);
  void check_name(const std::string& name) const;
  template <class Visit>
  void walk(const std::string& prefix, const Visit& visit) const;

  std::vector<NamedTensor> parameters_, buffers_;
  std::vector<std::pair<std::string, std::unique_ptr<Module>>> children_;
  Module* parent_ = nullptr;
  std::string name_;
  bool training_ = true;
};

}  // namespace weft
