#include <weft/lib/base/advice.h>
#include <weft/lib/base/values.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <utility>

namespace weft {
namespace {

template <class T>
bool read_whole(std::string_view text, T& value) {
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

int64_t parse_integer(const std::string& name, std::string_view text, int64_t least, int64_t most) {
  int64_t value = 0;
  if (read_whole(text, value) && value >= least && value <= most) return value;
  // 1e6.
  Advice advice;
  constexpr double exact = 1e15;
  if (double number = 0; read_whole(text, number) && std::abs(number) < exact && number == std::floor(number))
    if (const auto whole = static_cast<int64_t>(number); whole >= least && whole <= most)
      advice = {.typed = {std::string(text)}, .meant = {str(whole)}};
  fail_with<ValueError>(std::move(advice), name, ": '", text, "' is not a whole number between ", least,
                        " and ", most);
}

double parse_number(const std::string& name, std::string_view text, double least, double most) {
  double value = 0;
  if (!read_whole(text, value) || !std::isfinite(value) || value < least || value > most) {
    const std::string range =
        std::isinf(most) ? str("of at least ", least) : str("between ", least, " and ", most);
    std::string pointed(text);
    std::replace(pointed.begin(), pointed.end(), ',', '.');
    double meant = 0;
    Advice advice{.typed = {std::string(text)}, .meant = {pointed}};
    if (pointed == text || !read_whole(pointed, meant) || !(meant >= least && meant <= most)) advice = {};
    fail_with<ValueError>(std::move(advice), name, ": '", text, "' is not a number ", range);
  }
  return value;
}

std::vector<int64_t> parse_ids(const std::string& name, std::string_view text, int64_t vocab_size) {
  std::vector<int64_t> ids;
  while (true) {
    const size_t comma = text.find(',');
    ids.push_back(parse_integer(name, text.substr(0, comma), 0, vocab_size - 1));
    if (comma == std::string_view::npos) return ids;
    text.remove_prefix(comma + 1);
  }
}

std::string grouped(int64_t number) {
  std::string digits = std::to_string(number);
  for (auto at = static_cast<int64_t>(digits.size()) - 3; at > (number < 0 ? 1 : 0); at -= 3)
    digits.insert(static_cast<size_t>(at), ",");
  return digits;
}

std::string fixed(double number, int digits) {
  char text[64];
  const int length = std::snprintf(text, sizeof text, "%.*f", digits, number);
  return length > 0 && static_cast<size_t>(length) < sizeof text ? std::string(text) : str(number);
}

std::string brief(double number) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g", number);
  return text;
}

std::string duration(double seconds) {
  if (!(seconds < 1e9)) return "?";
  const auto whole = static_cast<int64_t>(std::lround(seconds));
  if (whole < 60) return str(whole, " s");
  const auto two = [](int64_t n) { return str(n < 10 ? "0" : "", n); };
  const int64_t minutes = whole / 60;
  if (minutes < 60) return str(minutes, ":", two(whole % 60));
  return str(minutes / 60, ":", two(minutes % 60), ":", two(whole % 60));
}

std::string quoted(const std::string& path) {
  if (path.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+=,:@%") ==
          std::string::npos &&
      !path.empty())
    return path;
  std::string text = "'";
  for (const char c : path) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

}  // namespace weft
