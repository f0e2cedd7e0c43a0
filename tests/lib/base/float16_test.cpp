#include <doctest/doctest.h>
#include <weft/lib/base/float16.h>

#include <cmath>
#include <limits>

using namespace weft;

namespace {

/// The bits of x, rounded.
int rounded_16(float x) { return float16_of(x); }

}  // namespace

TEST_CASE("float16: ties go to the even neighbour, everything else to the nearest") {
  CHECK(rounded_16(1.0F) == 0x3C00);
  CHECK(rounded_16(-2.5F) == 0xC100);
  CHECK(rounded_16(0x1.002p0F) == 0x3C00);     // between 0x3C00 and 0x3C01
  CHECK(rounded_16(0x1.006p0F) == 0x3C02);     // between 0x3C01 and 0x3C02
  CHECK(rounded_16(0x1.002002p0F) == 0x3C01);  // just above the middle
  CHECK(rounded_16(0x1.005ffep0F) == 0x3C01);  // just below
  CHECK(rounded_16(0x1.ffep0F) == 0x4000);     // into the next power of two
}

TEST_CASE("float16: zeros, subnormal numbers, the largest, infinities and NaN") {
  using Limits = std::numeric_limits<float>;
  CHECK(rounded_16(0.0F) == 0);
  CHECK(rounded_16(-0.0F) == 0x8000);
  CHECK(rounded_16(0x1p-24F) == 1);  // the smallest
  CHECK(rounded_16(0x1p-25F) == 0);  // half of it: even
  CHECK(rounded_16(0x1.8p-24F) == 2);
  CHECK(rounded_16(-0x1.0002p-25F) == 0x8001);
  CHECK(rounded_16(0x1.ff8p-15F) == 0x3FF);  // the largest subnormal one
  CHECK(rounded_16(0x1.fffp-15F) == 0x400);  // into the smallest that is not
  CHECK(rounded_16(Limits::denorm_min()) == 0);
  CHECK(rounded_16(float16_max) == 0x7BFF);
  CHECK(rounded_16(65519.996F) == 0x7BFF);
  CHECK(rounded_16(65520.0F) == 0x7C00);
  CHECK(rounded_16(-Limits::max()) == 0xFC00);
  CHECK(rounded_16(Limits::infinity()) == 0x7C00);
  CHECK(rounded_16(Limits::quiet_NaN()) == 0x7E00);
}

TEST_CASE("float16: every one of them comes back, and lies where it should") {
  int wrong = 0;
  for (int bits = 0; bits < 65536; ++bits) {
    const float x = float_of_float16(static_cast<uint16_t>(bits));
    if (std::isnan(x)) {
      wrong += (float16_of(x) & 0x7FFF) != 0x7E00 || (bits & 0x7FFF) <= 0x7C00;
      continue;
    }
    wrong += float16_of(x) != bits;
    const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
    if (exponent < 31)
      wrong +=
          std::abs(x) != std::ldexp(exponent > 0 ? 1024 + mantissa : mantissa, std::max(1, exponent) - 25);
  }
  CHECK(wrong == 0);
  CHECK(float_of_float16(0x3E00) == 1.5F);
}
