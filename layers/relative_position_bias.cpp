#include <weft/layers/relative_position_bias.h>
#include <weft/lib/base/math.h>

#include <algorithm>
#include <cmath>

namespace weft {

int64_t relative_position_bucket(int64_t distance, const RelativePositionBiasOptions& options) {
  const int64_t buckets = options.bidirectional ? options.buckets / 2 : options.buckets;
  const int64_t first = options.bidirectional && distance > 0 ? buckets : 0;
  const int64_t away = options.bidirectional ? std::abs(distance) : std::max<int64_t>(0, -distance);
  const int64_t exact = buckets / 2;
  if (away < exact) return first + away;
  const double share = math::log(static_cast<double>(away) / static_cast<double>(exact)) /
                       math::log(static_cast<double>(options.max_distance) / static_cast<double>(exact));
  // Where a bucket begins exactly at a distance, rounding may leave the quotient below the whole number.
  constexpr double slack = 1e-6;
  const double beyond = std::floor(share * static_cast<double>(buckets - exact) + slack);
  return first + std::min(buckets - 1, exact + static_cast<int64_t>(beyond));
}

RelativePositionBias::RelativePositionBias(int64_t heads, const RelativePositionBiasOptions& given)
    : weight(
          parameter("weight", {given.buckets, heads}, given.weight_init.value_or(init::normal(0.0, 0.02)))),
      options(given) {
  const int64_t one_way = given.bidirectional ? given.buckets / 2 : given.buckets;
  if (one_way < 2)
    fail<ValueError>("RelativePositionBias: ", given.buckets, " buckets: needs at least 2 a direction");
  if (given.max_distance <= one_way / 2)
    fail<ValueError>("RelativePositionBias: the max_distance ", given.max_distance, " is not beyond the ",
                     one_way / 2, " distances that have a bucket each");
}

Tensor RelativePositionBias::forward(int64_t samples, int64_t T, int64_t S,
                                     std::span<const int64_t> offsets) const {
  if (!offsets.empty() && static_cast<int64_t>(offsets.size()) != samples)
    fail<ShapeError>("RelativePositionBias: ", offsets.size(), " offsets for ", samples, " samples");
  const bool alike = offsets.empty() && !(grad_enabled() && weight.requires_grad());
  Array ids({alike ? 1 : samples, T, S}, int64);
  int64_t* const values = ids.mutable_data<int64_t>();
  for (int64_t b = 0; b < ids.dim(0); ++b) {
    const int64_t offset = offsets.empty() ? 0 : offsets[static_cast<size_t>(b)];
    // A key's bucket depends on the distance alone.
    std::vector<int64_t> of_distance;
    for (int64_t away = -(offset + T - 1); away < S - offset; ++away)
      of_distance.push_back(relative_position_bucket(away, options));
    for (int64_t t = 0; t < T; ++t)
      std::copy_n(of_distance.begin() + (T - 1 - t), S, values + (b * T + t) * S);
  }
  return permute(embedding(ids, weight), {0, 3, 1, 2});
}

}  // namespace weft
