#include <weft/lib/array/random.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/math.h>
#include <weft/lib/machine/parallel.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <utility>

namespace weft {

namespace {

__extension__ using Wide = unsigned __int128;

/// `n` counters side by side, word by word, so that the compiler makes vectors of them.
template <size_t n>
using Counters = std::array<std::array<uint32_t, n>, 4>;

template <size_t n>
void encrypt(Counters<n>& words, RandomKey key) {
  for (int round = 0; round < 10; ++round) {
    for (size_t i = 0; i < n; ++i) {
      const uint64_t a = uint64_t{0xD2511F53} * words[0][i], b = uint64_t{0xCD9E8D57} * words[2][i];
      words[0][i] = static_cast<uint32_t>(b >> 32) ^ words[1][i] ^ key.low;
      words[1][i] = static_cast<uint32_t>(b);
      words[2][i] = static_cast<uint32_t>(a >> 32) ^ words[3][i] ^ key.high;
      words[3][i] = static_cast<uint32_t>(a);
    }
    key.low += 0x9E3779B9;
    key.high += 0xBB67AE85;
  }
}

uint32_t low_half(uint64_t x) { return static_cast<uint32_t>(x); }
uint32_t high_half(uint64_t x) { return static_cast<uint32_t>(x >> 32); }
uint64_t both_words(uint32_t low, uint32_t high) { return low | uint64_t{high} << 32; }
double unit(uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

uint64_t bits_at(RandomKey key, uint64_t sample, uint64_t draw) {
  const auto words = philox(key, sample, draw / 2);
  return draw % 2 == 0 ? both_words(words[0], words[1]) : both_words(words[2], words[3]);
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood 2014).
uint64_t mixed(uint64_t x) {
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9;
  x = (x ^ x >> 27) * 0x94D049BB133111EB;
  return x ^ x >> 31;
}

struct Direction {
  double cos, sin;
};

/// That of 2 pi `turn`, 0 <= turn < 1. The quadrant is taken off before multiplying by pi, which is exact and
/// spares the reduction of the angle, most of the work.
Direction direction(double turn) {
  constexpr double half_pi = 1.5707963267948966;
  const int quadrant = static_cast<int>(4 * turn + 0.5);
  const double angle = (4 * turn - quadrant) * half_pi, c = math::cos(angle), s = math::sin(angle);
  switch (quadrant) {
    case 1:
      return {-s, c};
    case 2:
      return {-c, -s};
    case 3:
      return {s, -c};
    default:
      return {c, s};
  }
}

/// Calls f(place, u, v) with draws `place` and `place` + 1 of sample 0, for all even places below count.
template <class F>
void for_pairs(int64_t count, RandomKey key, F f) {
  constexpr size_t wide = 16;
  parallel_for((count + 1) / 2, 1 << 13, [=](int64_t begin, int64_t end) {
    for (int64_t first = begin; first < end; first += wide) {
      Counters<wide> words{};
      for (size_t i = 0; i < wide; ++i) {
        const uint64_t block = static_cast<uint64_t>(first) + i;
        words[0][i] = low_half(block);
        words[1][i] = high_half(block);
      }
      encrypt(words, key);
      const auto filled = static_cast<size_t>(std::min<int64_t>(wide, end - first));
      for (size_t i = 0; i < filled; ++i) {
        f(2 * (first + static_cast<int64_t>(i)), unit(both_words(words[0][i], words[1][i])),
          unit(both_words(words[2][i], words[3][i])));
      }
    }
  });
}

}  // namespace

uint64_t stream_id(std::string_view name, uint64_t call) {
  uint64_t hash = 0xCBF29CE484222325;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return mixed(hash + mixed(call));
}

RandomKey random_key(uint64_t seed, uint64_t stream, uint64_t step) {
  const auto words = philox({low_half(seed), high_half(seed)}, stream, step);
  return {words[0], words[1]};
}

std::array<uint32_t, 4> philox(RandomKey key, uint64_t sample, uint64_t block) {
  Counters<1> words{{{low_half(block)}, {high_half(block)}, {low_half(sample)}, {high_half(sample)}}};
  encrypt(words, key);
  return {words[0][0], words[1][0], words[2][0], words[3][0]};
}

double uniform_at(RandomKey key, uint64_t sample, uint64_t draw) { return unit(bits_at(key, sample, draw)); }

uint64_t integer_at(RandomKey key, uint64_t sample, uint64_t draw, uint64_t bound) {
  if (bound == 0) fail<ValueError>("integer_at: there is no integer in [0, 0)");
  return static_cast<uint64_t>(Wide{bits_at(key, sample, draw)} * bound >> 64);
}

Array random_uniform(const Shape& shape, double low, double high, RandomKey key, DType dtype) {
  if (!(low <= high) || !std::isfinite(high - low)) {
    fail<ValueError>("random_uniform: low ", low, " and high ", high,
                     " are not the ends of a finite interval");
  }
  Array y(shape, dtype);
  visit_floating("random_uniform", dtype, [&]<class T>(T) {
    T* to = y.mutable_data<T>();
    const int64_t count = y.size();
    // Rounding must not reach the open end.
    T below = static_cast<T>(high);
    if (low < high && static_cast<double>(below) >= high)
      below = std::nextafter(below, std::numeric_limits<T>::lowest());
    const auto value = [=](double u) { return std::min(static_cast<T>(low + (high - low) * u), below); };
    for_pairs(count, key, [=](int64_t place, double u, double v) {
      to[place] = value(u);
      if (place + 1 < count) to[place + 1] = value(v);
    });
  });
  return y;
}

Array random_normal(const Shape& shape, double mean, double deviation, RandomKey key, DType dtype) {
  if (!std::isfinite(mean) || !std::isfinite(deviation) || deviation < 0) {
    fail<ValueError>("random_normal: mean ", mean, " and deviation ", deviation,
                     " must be finite, the latter not negative");
  }
  Array y(shape, dtype);
  visit_floating("random_normal", dtype, [&]<class T>(T) {
    T* to = y.mutable_data<T>();
    const int64_t count = y.size();
    for_pairs(count, key, [=](int64_t place, double u, double v) {
      const double radius = deviation * std::sqrt(-2 * math::log(1 - u));
      const Direction towards = direction(v);
      to[place] = static_cast<T>(mean + radius * towards.cos);
      if (place + 1 < count) to[place + 1] = static_cast<T>(mean + radius * towards.sin);
    });
  });
  return y;
}

uint64_t permuted(RandomKey key, uint64_t index, uint64_t count) {
  if (index >= count) fail<ValueError>("permuted: the index ", index, " lies outside [0, ", count, ")");
  const auto half = std::max<uint64_t>(1, (std::bit_width(count - 1) + 1) / 2);
  const uint64_t low = (uint64_t{1} << half) - 1;
  do {
    uint64_t left = index >> half, right = index & low;
    for (uint64_t round = 0; round < 8; ++round) {
      left ^= philox(key, round, right)[0] & low;
      std::swap(left, right);
    }
    index = left << half | right;
  } while (index >= count);
  return index;
}

struct RandomScope::State {
  Options options;
  std::map<std::string, uint64_t, std::less<>> calls;
};

thread_local RandomScope::State* RandomScope::current_ = nullptr;

RandomScope::RandomScope(Options options)
    : state_(std::make_unique<State>(State{options, {}})), before_(std::exchange(current_, state_.get())) {}

RandomScope::RandomScope(const Moment& moment)
    : state_(moment.state_ ? std::make_unique<State>(*moment.state_) : nullptr),
      before_(std::exchange(current_, state_.get())) {}

RandomScope::~RandomScope() { current_ = before_; }

RandomScope::Moment RandomScope::moment() {
  return Moment(current_ ? std::make_shared<const State>(*current_) : nullptr);
}

RandomScope::Draw RandomScope::next(const char* op, std::string_view name) {
  if (current_ == nullptr) {
    fail<StateError>(op, ": needs random numbers for \"", name,
                     "\" and there is no RandomScope on this thread; open one around the step: RandomScope "
                     "random({.seed = 1337, .step = k})");
  }
  auto calls = current_->calls.find(name);
  if (calls == current_->calls.end()) calls = current_->calls.emplace(name, 0).first;
  const Options& options = current_->options;
  return {random_key(options.seed, stream_id(name, calls->second++), options.step), options.first_sample};
}

}  // namespace weft
