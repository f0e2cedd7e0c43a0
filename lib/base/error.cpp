#include <cxxabi.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <utility>
#include <vector>

namespace weft {

namespace {

template <class T>
void append_number(std::string& text, T number) {
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  text.append(digits, end);
}

}  // namespace

void append_to(std::string& text, double part) { append_number(text, part); }
void append_to(std::string& text, float part) { append_number(text, part); }

namespace {

/// Letters put in, left out, replaced, or exchanged with the next (the optimal string alignment of Damerau).
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before, above(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    before = std::exchange(above, row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1), above[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

std::string nearest(std::string_view name, const std::string* begin, const std::string* end) {
  std::string best;
  // Half the letters wrong is no longer a typing error.
  const size_t most = name.size() < 4 ? 1 : std::max<size_t>(2, (name.size() - 1) / 2);
  size_t smallest = most + 1;
  for (const std::string* candidate = begin; candidate != end; ++candidate) {
    const size_t distance = edit_distance(name, *candidate);
    if (distance < smallest) {
      smallest = distance;
      best = *candidate;
    }
  }
  return best;
}

std::string type_name(const std::type_info& type) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, &status), std::free);
  return status == 0 ? name.get() : type.name();
}

}  // namespace weft
