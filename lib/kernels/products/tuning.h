// How products are cut for the caches: nothing here changes a bit of a result, only the speed. bench_tune measures it.
#pragma once

#include <weft/lib/machine/caches.h>

#include <cstdint>
#include <limits>
#include <string>

namespace weft::kernels {

struct ProductTuning {
  int64_t depth = 512;  ///< of k at a time
  int64_t panels =
      10;  ///< of the block that a thread packs for itself, which stays in its second cache, where they hold
           ///< 16 floats for each k; twice as many where they hold 8
  int64_t shared_rows =
      560;  ///< most rows of the operand that all share, whose block of k fits the second cache beside
  int64_t near_floats = int64_t{1} << 17;    ///< that the second cache holds beside others
  int64_t cached_floats = int64_t{3} << 18;  ///< of a product that needs nothing fetched ahead
  int64_t shared_floats = int64_t{1} << 21;  ///< of the shared operand, packed at a time
  /// Of a result that is not read soon, from which on it goes around the caches. None: with second caches of 512 KB (AMD
  /// Zen 3) nothing was gained by it.
  int64_t streamed_floats = std::numeric_limits<int32_t>::max();

  /// The defaults were measured with second caches of 1 MB (AMD Zen 5), and nothing larger gained with 2 MB (Intel Sapphire
  /// Rapids); for smaller ones what must fit is smaller by as much.
  static ProductTuning of(const Caches& caches);
  /// "depth=512 panels=10 ...", as WEFT_TUNING takes it.
  std::string text() const;
};

/// That in use: of this processor's caches, and what WEFT_TUNING sets of it, such as "depth=256 panels=20". ValueError for
/// another word there, or a number below 1.
const ProductTuning& product_tuning();

/// While it lives, products are cut so; for one thread of a program that measures or tests.
class TuningScope {
 public:
  explicit TuningScope(const ProductTuning& tuning);
  ~TuningScope();
  TuningScope(const TuningScope&) = delete;
  TuningScope& operator=(const TuningScope&) = delete;

 private:
  const ProductTuning tuning_;
  const ProductTuning* before_;
};

}  // namespace weft::kernels
