// Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3",
// SC 2011). There is no generator to advance: a value is a function of (seed, stream, step, sample, place),
// so it does not depend on threads, on the cut into micro-batches or on where a run was interrupted.
#pragma once

#include <weft/lib/array/array.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

namespace weft {

/// Key of one stream at one step; the counter is (sample, place).
struct RandomKey {
  uint32_t low = 0, high = 0;
};

/// 64 bits that name a stream, from its text and a call number (FNV-1a, then mixed).
uint64_t stream_id(std::string_view name, uint64_t call = 0);
RandomKey random_key(uint64_t seed, uint64_t stream, uint64_t step = 0);

/// The four 32-bit words of block `block` of `sample`. Place p of a sample is word p % 4 of block p / 4.
std::array<uint32_t, 4> philox(RandomKey key, uint64_t sample, uint64_t block);

/// A uniform double in [0, 1) with 53 random bits, from blocks of two words: draw n uses words 2 (n % 2) and
/// 2 (n % 2) + 1 of block n / 2.
double uniform_at(RandomKey key, uint64_t sample, uint64_t draw);
/// A uniform integer in [0, bound) by multiplication of the same 64 bits; bias below bound / 2^64. ValueError
/// for bound 0.
uint64_t integer_at(RandomKey key, uint64_t sample, uint64_t draw, uint64_t bound);

/// Values by place, computed in double and then rounded; float32 or float64, else TypeError. Uniform in
/// [low, high): place p is draw p of sample 0. Normal by Box-Muller: places 2 i and 2 i + 1 are
/// sqrt(-2 log(1 - u)) times cos and sin of 2 pi v, u and v being draws 2 i and 2 i + 1. ValueError when
/// low > high, deviation < 0, or one is not finite.
Array random_uniform(const Shape& shape, double low, double high, RandomKey key,
                     DType dtype = default_dtype());
Array random_normal(const Shape& shape, double mean, double deviation, RandomKey key,
                    DType dtype = default_dtype());

/// The element at `index` of a pseudo-random permutation of [0, count), computed, not stored: an
/// eight-round Feistel network over the next power of four, walked until it falls below count. (Four rounds
/// prefer some permutations of up to 20 elements visibly.) ValueError when index is not below count.
uint64_t permuted(RandomKey key, uint64_t index, uint64_t count);

/// Where random layers take their numbers: while it lives, this thread computes step `step` of the run
/// `seed`, and row 0 of a batch is sample `first_sample` of the step's whole batch.
///   RandomScope random({.seed = 1337, .step = k, .first_sample = micro * B});
class RandomScope {
 public:
  struct Options {
    uint64_t seed = 0;
    uint64_t step = 0;
    uint64_t first_sample = 0;
  };
  [[nodiscard]] explicit RandomScope(Options options);

  class Moment;
  /// This thread's scope as it stands, with the calls counted so far, or that there is none.
  static Moment moment();
  /// Draws once more what was drawn from that moment on, though its scope may have ended; counts apart from
  /// the scope of the thread.
  explicit RandomScope(const Moment& moment);
  ~RandomScope();
  RandomScope(const RandomScope&) = delete;
  RandomScope& operator=(const RandomScope&) = delete;

  struct Draw {
    RandomKey key;
    uint64_t first_sample;
  };
  /// The key for the next call of the stream `name` in this scope. StateError, naming `op`, without a scope.
  static Draw next(const char* op, std::string_view name);

 private:
  struct State;
  std::unique_ptr<State> state_;
  State* before_;

  static thread_local State* current_;
};

class RandomScope::Moment {
 private:
  friend class RandomScope;
  explicit Moment(std::shared_ptr<const State> state) : state_(std::move(state)) {}

  std::shared_ptr<const State> state_;  // null: no scope
};

}  // namespace weft
