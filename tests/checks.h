// What the tests of several rooms ask: whether arrays agree, and whether a call is refused in the right
// words.
#pragma once

#include <doctest/doctest.h>
#include <weft/lib/array/array.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace weft::test {

/// Empty when shapes agree and no element is further than tolerance times the largest expected (or `floor`,
/// if that is more) from the other; NaN agrees with NaN, an infinity with itself. Else what differs.
inline std::string difference(const Array& found, const Array& expected, double tolerance,
                              double floor = 0.0) {
  if (!(found.shape() == expected.shape()))
    return str("shape is ", found.shape(), ", expected ", expected.shape());
  const Array a = found.to(float64), b = expected.to(float64);
  double largest = floor;
  for (const double value : b.values<double>()) {
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  }
  for (size_t i = 0; i < a.values<double>().size(); ++i) {
    const double x = a.values<double>()[i], wanted = b.values<double>()[i];
    if (x == wanted || (std::isnan(x) && std::isnan(wanted))) continue;
    if (!(std::abs(x - wanted) <= tolerance * largest))
      return str("element ", i, " of ", found.shape(), " is ", x, ", expected ", wanted);
  }
  return {};
}

/// The text of the E that f throws; a note when it throws none.
template <class E, class F>
std::string refusal(F&& f) {
  try {
    f();
  } catch (const E& error) {
    return error.what();
  }
  return "(nothing was refused)";
}

/// f throws E, and its text contains all parts.
template <class E, class F>
void refuses(F&& f, const std::vector<std::string>& parts) {
  const std::string text = refusal<E>(f);
  for (const std::string& part : parts) {
    CHECK_MESSAGE(text.find(part) != std::string::npos, "'" << text << "' does not say '" << part << "'");
  }
}

}  // namespace weft::test
