// Random numbers one after another, for generators; and the split of a sample by what it says.
#pragma once

#include <weft/lib/array/random.h>
#include <weft/lib/base/error.h>

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace weft {

/// The draws 0, 1, 2, ... of one sample (lib/random.h): a generator that is given Draws makes a function of
/// (key, sample).
class Draws {
 public:
  Draws(RandomKey key, uint64_t sample) : key_(key), sample_(sample) {}

  /// In [0, 1).
  double uniform() { return uniform_at(key_, sample_, next_++); }
  bool chance(double probability) { return uniform() < probability; }
  /// In [0, bound). ValueError for bound 0.
  uint64_t below(uint64_t bound) { return integer_at(key_, sample_, next_++, bound); }
  /// In [low, high].
  int64_t between(int64_t low, int64_t high) {
    return low + static_cast<int64_t>(below(static_cast<uint64_t>(high - low) + 1));
  }
  template <class T>
  const T& one_of(const std::vector<T>& all) {
    return all[below(all.size())];
  }
  /// Which of the weights, each taken with probability weight / sum.
  size_t weighted(const std::vector<double>& weights);
  /// `count` of the numbers 0, ..., size - 1, in rising order, each choice as likely. ValueError when count
  /// is beyond size.
  std::vector<int64_t> subset(int64_t size, int64_t count);

 private:
  RandomKey key_;
  uint64_t sample_;
  uint64_t next_ = 0;
};

/// One sample in ten validates.
enum class Split { train, validation };
/// The split of a sample that says `content`: validation when its hash is a multiple of 10. So nothing that
/// is in one split is ever in the other, whatever the seeds.
Split split_of(std::string_view content);

/// make(Draws&), drawn until split_of(content(made)) is `split`: a function of all arguments. ValueError when
/// it never is: there are too few samples.
template <class Make, class Content>
auto draw_in(Split split, uint64_t seed, std::string_view stream, uint64_t sample, Make make,
             Content content) {
  for (uint64_t attempt = 0; attempt < 5000; ++attempt) {
    Draws draws(random_key(seed, stream_id(stream), attempt), sample);
    auto made = make(draws);
    if (split_of(std::invoke(content, made)) == split) return made;
  }
  fail<ValueError>(stream, ": too few different samples to divide into training and validation");
}

}  // namespace weft
