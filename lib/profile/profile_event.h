// What a profile consists of; profile.h takes one.
#pragma once

#include <cstdint>
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

}  // namespace weft
