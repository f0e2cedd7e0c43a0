#include <weft/lib/base/error.h>
#include <weft/lib/machine/parallel.h>
#include <weft/train/watch/tensor_statistics.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

namespace weft {
namespace {

constexpr int64_t tile = 1 << 16;
constexpr size_t lanes = 16;

/// Sum of of(0), of(1), ..., by 16 partial sums.
template <class Of>
double sum_of(int64_t count, const Of& of) {
  std::array<double, lanes> sums{};
  int64_t i = 0;
  for (; i + static_cast<int64_t>(lanes) <= count; i += lanes)
    for (size_t lane = 0; lane < lanes; ++lane) sums[lane] += of(i + static_cast<int64_t>(lane));
  for (size_t lane = 0; i < count; ++i, ++lane) sums[lane] += of(i);
  double sum = 0;
  for (const double one : sums) sum += one;
  return sum;
}

double square(double x) { return x * x; }

template <class T>
TensorStatistics of_tile(const T* x, int64_t count) {
  const auto n = static_cast<double>(count);
  TensorStatistics s{.count = count};
  const auto value = [x](int64_t i) { return static_cast<double>(x[i]); };
  const double mean = sum_of(count, value) / n;
  s.mean = mean;
  s.std = std::sqrt(sum_of(count, [=](int64_t i) { return square(value(i) - mean); }) / n);
  s.norm = std::sqrt(sum_of(count, [=](int64_t i) { return square(value(i)); }));
  T least = x[0], most = x[0];
  bool number = true;
  int64_t zeros = 0;
  for (int64_t i = 0; i < count; ++i) {
    least = x[i] < least ? x[i] : least;
    most = x[i] > most ? x[i] : most;
    number = number && x[i] == x[i];
    zeros += x[i] == T(0);
  }
  s.zero = static_cast<double>(zeros) / n;
  s.min = number ? static_cast<double>(least) : std::numeric_limits<double>::quiet_NaN();
  s.max = number ? static_cast<double>(most) : std::numeric_limits<double>::quiet_NaN();
  return s;
}

template <class T>
std::vector<int64_t> histogram_of(const T* x, int64_t count, double min, double max) {
  constexpr auto last = static_cast<int64_t>(TensorStatistics::bins - 1);
  const double each = static_cast<double>(TensorStatistics::bins) / (max - min);
  std::vector<int64_t> all(TensorStatistics::bins);
  // Equal values, and those so near each other that no stretch between them has a width.
  if (!std::isfinite(each)) {
    all[0] = count;
    return all;
  }
  const auto tiles = static_cast<size_t>((count + tile - 1) / tile);
  std::vector<std::array<int64_t, TensorStatistics::bins>> counts(tiles);
  parallel_for(count, tile, [&](int64_t begin, int64_t end) {
    auto& found = counts[static_cast<size_t>(begin / tile)];
    for (int64_t i = begin; i < end; ++i) {
      const auto bin = static_cast<int64_t>((static_cast<double>(x[i]) - min) * each);
      ++found[static_cast<size_t>(std::min(bin, last))];
    }
  });
  for (const auto& found : counts)
    for (size_t bin = 0; bin < found.size(); ++bin) all[bin] += found[bin];
  return all;
}

}  // namespace

void TensorStatistics::add(const TensorStatistics& more) {
  histogram.clear();
  if (more.count == 0) return;
  if (count == 0) {
    *this = more;
    histogram.clear();
    return;
  }
  const auto here = static_cast<double>(count), there = static_cast<double>(more.count), n = here + there;
  const double apart = more.mean - mean;
  std = std::sqrt((square(std) * here + square(more.std) * there + square(apart) * here * there / n) / n);
  mean += apart * there / n;
  // Either's NaN stays.
  min = more.min < min || more.min != more.min ? more.min : min;
  max = more.max > max || more.max != more.max ? more.max : max;
  norm = std::sqrt(square(norm) + square(more.norm));
  zero = (zero * here + more.zero * there) / n;
  count += more.count;
}

TensorStatistics TensorStatistics::scaled(double factor) const {
  TensorStatistics s = *this;
  for (double* const value : {&s.mean, &s.std, &s.min, &s.max, &s.norm}) *value *= factor;
  return s;
}

TensorStatistics statistics_of(const Array& x, bool histogram) {
  if (x.dtype() == bfloat16) return statistics_of(x.to(float32), histogram);
  return visit_floating("statistics_of", x.dtype(), [&]<class T>(T) {
    TensorStatistics all;
    if (x.size() == 0) return all;
    const T* const values = x.data<T>();
    std::vector<TensorStatistics> parts(static_cast<size_t>((x.size() + tile - 1) / tile));
    parallel_for(x.size(), tile, [&](int64_t begin, int64_t end) {
      parts[static_cast<size_t>(begin / tile)] = of_tile(values + begin, end - begin);
    });
    for (const TensorStatistics& part : parts) all.add(part);
    if (histogram && std::isfinite(all.min) && std::isfinite(all.max))
      all.histogram = histogram_of(values, x.size(), all.min, all.max);
    return all;
  });
}

double distance(const Array& a, const Array& b) {
  if (a.shape() != b.shape()) fail<ShapeError>("distance: a is ", a.shape(), " and b ", b.shape());
  const Array other = b.to(a.dtype());
  return visit_floating("distance", a.dtype(), [&]<class T>(T) {
    const T *const x = a.data<T>(), *const y = other.data<T>();
    std::vector<double> parts(static_cast<size_t>((a.size() + tile - 1) / tile));
    parallel_for(a.size(), tile, [&](int64_t begin, int64_t end) {
      parts[static_cast<size_t>(begin / tile)] = sum_of(end - begin, [=](int64_t i) {
        return square(static_cast<double>(x[begin + i]) - static_cast<double>(y[begin + i]));
      });
    });
    double sum = 0;
    for (const double part : parts) sum += part;
    return std::sqrt(sum);
  });
}

}  // namespace weft
