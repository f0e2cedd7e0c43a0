// Array expressions over weft's buffers, through weft::xt.
#include <weft/lib/xt.h>

#include <cstdio>
#include <xtensor/xmath.hpp>

int main() {
  const weft::Array a = weft::Array::from({1.0f, 2.0f, 3.0f, 4.0f}, {2, 2});
  // An immediate sum over an axis of dynamic rank is what crashes without the flag that weft::xt brings.
  const auto sums = xt::sum(weft::as_xt<float>(a), {0}, xt::evaluation_strategy::immediate);
  std::printf("%g %g\n", static_cast<double>(sums(0)), static_cast<double>(sums(1)));
  return sums(0) == 4.0f && sums(1) == 6.0f ? 0 : 1;
}
