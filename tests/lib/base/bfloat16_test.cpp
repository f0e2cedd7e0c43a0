#include <doctest/doctest.h>
#include <weft/lib/base/bfloat16.h>

#include <limits>

using namespace weft;

namespace {

/// The bits of x, rounded.
int rounded(float x) { return bfloat16_of(x); }

}  // namespace

TEST_CASE("bfloat16: ties go to the even neighbour, everything else to the nearest") {
  CHECK(rounded(1.0F) == 0x3F80);
  CHECK(rounded(-2.5F) == 0xC020);
  CHECK(rounded(0x1.01p0F) == 0x3F80);      // between 0x3F80 and 0x3F81
  CHECK(rounded(0x1.03p0F) == 0x3F82);      // between 0x3F81 and 0x3F82
  CHECK(rounded(0x1.010002p0F) == 0x3F81);  // just above the middle
  CHECK(rounded(0x1.02fffep0F) == 0x3F81);  // just below
  CHECK(rounded(-0x1.03p0F) == 0xBF82);
  CHECK(rounded(0x1.ffp0F) == 0x4000);  // into the next power of two
}

TEST_CASE("bfloat16: zeros, subnormal numbers, infinities and NaN") {
  using Limits = std::numeric_limits<float>;
  CHECK(rounded(0.0F) == 0);
  CHECK(rounded(-0.0F) == 0x8000);
  CHECK(rounded(0x1p-133F) == 1);  // the smallest
  CHECK(rounded(0x1p-134F) == 0);  // half of it: even
  CHECK(rounded(0x1.8p-133F) == 2);
  CHECK(rounded(-0x1.0002p-134F) == 0x8001);
  CHECK(rounded(0x1.fcp-127F) == 0x7F);  // the largest subnormal one
  CHECK(rounded(Limits::max()) == 0x7F80);
  CHECK(rounded(0x1.fefffep127F) == 0x7F7F);
  CHECK(rounded(Limits::infinity()) == 0x7F80);
  CHECK(rounded(-Limits::infinity()) == 0xFF80);
  CHECK(rounded(std::bit_cast<float>(0x7F800001U)) ==
        0x7FC0);  // signalling, with a payload that would be cut off
  CHECK(rounded(std::bit_cast<float>(0xFFFFFFFFU)) == 0xFFFF);
  CHECK(rounded(std::bit_cast<float>(0xFFA50000U)) == 0xFFE5);
}

TEST_CASE("bfloat16: every one of them comes back") {
  int wrong = 0;
  for (int bits = 0; bits < 65536; ++bits) {
    const float x = float_of_bfloat16(static_cast<uint16_t>(bits));
    wrong += bfloat16_of(x) != (std::isnan(x) ? bits | 0x40 : bits);
  }
  CHECK(wrong == 0);
  CHECK(float_of_bfloat16(0x3FC0) == 1.5F);
}
