// Profiler: what kernels, operations, layers and phases took, in time, arithmetic and memory.
//
//   start_profile();
//   for (int k = 0; k < 10; ++k) {
//     const PhaseScope step("step");
//     const Loss loss = [&] { const PhaseScope phase("forward"); return model.loss(batch); }();
//     loss.sum.backward();                                       // names itself the phase "backward",
//     train_step(optimizer, {.lr = 1e-3, .count = loss.count});  // and this "optimizer"
//   }
//   const Profile profile = stop_profile();
//   std::cout << profile_table(profile);
//   write_file("trace.json", profile_trace(profile));  // opens in ui.perfetto.dev and chrome://tracing
//
// While no profile is taken, a scope costs the relaxed load of one atomic, and records nothing. Results are
// the same bits either way. Any thread may use scopes; each has its own list of events.
#pragma once

#include <weft/lib/base/error.h>

#include <atomic>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// One stretch of time on one thread. Texts live as long as the program.
struct ProfileEvent {
  enum class Kind { phase, layer, op, kernel };

  Kind kind = Kind::kernel;
  std::string_view name{};   ///< "forward"; "blocks.0.attention"; "linear"; "matmul"
  std::string_view phase{};  ///< the innermost phase around it, or itself; empty when there is none
  std::string_view layer{};  ///< the layer it works for, in backward too
  std::string_view op{};     ///< of a kernel: the operation that it computes, or whose gradient
  int64_t parent = -1;       ///< index of the event that encloses it; -1 for none
  int thread = 0;            ///< from 0, in the order of their first events
  int64_t begin = 0;         ///< nanoseconds since start_profile
  int64_t end = 0;
  int64_t flop = 0;         ///< of a kernel: arithmetic of products, a multiply-add being two; else 0
  int64_t bytes = 0;        ///< of a kernel: what it reads and writes at least
  int64_t used_before = 0;  ///< memory_stats().in_use at the beginning,
  int64_t used_after = 0;   ///< at the end,
  int64_t peak = 0;         ///< and at most in between
  std::string shapes{};     ///< of a kernel: "(768, 128) (512, 128)"

  double seconds() const { return 1e-9 * static_cast<double>(end - begin); }
};

struct Profile {
  std::vector<ProfileEvent> events;  ///< thread after thread, each in order of beginning
  int64_t duration = 0;              ///< nanoseconds from start to stop
};

/// Begins a profile. StateError when one is being taken already.
void start_profile();
/// Ends it. Events that are under way end here. StateError when none is being taken.
Profile stop_profile();

/// Tables by phase, by operation and by layer: per "step" if there are such phases, else of the whole.
std::string profile_table(const Profile& profile);
/// Chrome's trace event format, JSON: nested slices, and the memory in use as a counter.
std::string profile_trace(const Profile& profile);

namespace detail {
inline std::atomic<bool> profiling{false};
struct OpenEvent;
void name_kernels(const char* op);
std::string_view current_layer();
}  // namespace detail

/// Whether a profile is being taken.
inline bool profiling() { return detail::profiling.load(std::memory_order_relaxed); }

struct KernelWork {
  int64_t flop, bytes;
  std::string shapes{};
};

/// What has a shape and bytes, and may have neither: an Array, which this file need not know.
template <class T>
concept KernelOperand = requires(const T& x, std::string& text) {
  { x.defined() } -> std::same_as<bool>;
  { x.nbytes() } -> std::convertible_to<size_t>;
  append_to(text, x.shape());
};

/// An event that lasts as long as the scope lives.
class ProfileScope {
 public:
  ProfileScope(const ProfileScope&) = delete;
  ProfileScope& operator=(const ProfileScope&) = delete;

 protected:
  ProfileScope() = default;
  ~ProfileScope() {
    if (open_ != nullptr) end();
  }
  void begin(ProfileEvent::Kind kind, std::string_view name, std::string_view layer = {});
  /// A kernel that another kernel calls belongs to that one, and is not recorded.
  void begin_kernel(const char* name, KernelWork work);
  /// One operand, named perhaps more than once.
  struct Operand {
    const void* identity;
    int64_t bytes;
    std::string shape;
  };
  void begin_kernel(const char* name, int64_t flop, std::initializer_list<Operand> operands);

 private:
  void end();
  detail::OpenEvent* open_ = nullptr;
};

/// Part of a step, or the step itself.
struct PhaseScope : ProfileScope {
  explicit PhaseScope(const char* name) {
    if (profiling()) begin(ProfileEvent::Kind::phase, name);
  }
};

/// The forward pass of a layer; `path` gives its name, and is not called unless a profile is being taken. A
/// layer without a name is none.
struct LayerScope : ProfileScope {
  template <std::invocable Path>
  explicit LayerScope(const Path& path) {
    if (profiling()) begin(ProfileEvent::Kind::layer, path());
  }
};

/// The gradient of an operation, or the update of a parameter, for the layer where it belongs.
struct OpScope : ProfileScope {
  OpScope(const char* name, std::string_view layer) {
    if (profiling()) begin(ProfileEvent::Kind::op, name, layer);
  }
};

/// A kernel, with the arrays that it reads and writes, those that are defined; one that it reads and writes is
/// named twice:
///   const KernelScope profile("linear", 2 * rows * outputs * inputs, x, weight, bias, y);
/// or with a function that counts its work, called only while a profile is taken.
struct KernelScope : ProfileScope {
  template <KernelOperand... Operands>
  KernelScope(const char* name, int64_t flop, const Operands&... operands) {
    if (profiling()) begin_kernel(name, flop, {described(operands)...});
  }
  template <std::invocable Count>
  KernelScope(const char* name, const Count& count) {
    if (profiling()) begin_kernel(name, count());
  }

 private:
  template <class T>
  static Operand described(const T& x) {
    if (!x.defined()) return {};
    return {&x, static_cast<int64_t>(x.nbytes()), str(x.shape())};
  }
};

/// The kernels that this thread has run since the last operation, layer or phase computed this one.
inline void profile_op(const char* op) {
  if (profiling()) detail::name_kernels(op);
}
/// The layer whose forward pass this thread is in, while a profile is taken; else empty.
inline std::string_view profiled_layer() {
  return profiling() ? detail::current_layer() : std::string_view();
}

}  // namespace weft
