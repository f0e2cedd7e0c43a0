#include "series.h"

#include <weft/lib/base/error.h>

#include <algorithm>
#include <cmath>

namespace weft::tools {
namespace {

int level_of(size_t lines, size_t most) {
  int level = 0;
  while (((lines + (size_t{1} << level) - 1) >> level) > std::max<size_t>(1, most)) ++level;
  return level;
}

/// {least, mean, largest} of the finite ones.
struct Bucket {
  float least = 0, mean = 0, largest = 0;
};
Bucket bucket_of(std::span<const float> values) {
  double sum = 0;
  int64_t count = 0;
  float least = std::numeric_limits<float>::infinity(), largest = -least;
  for (const float v : values) {
    if (!std::isfinite(v)) continue;
    least = std::min(least, v);
    largest = std::max(largest, v);
    sum += static_cast<double>(v);
    ++count;
  }
  constexpr float none = std::numeric_limits<float>::quiet_NaN();
  if (count == 0) return {none, none, none};
  return {least, static_cast<float>(sum / static_cast<double>(count)), largest};
}

/// `"name": [of each]`.
template <class Of>
void append_array(std::string& json, std::string_view name, size_t count, Of of) {
  json += str(json.back() == '{' ? "" : ",", "\"", name, "\":[");
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) json += ',';
    append_number(json, of(i));
  }
  json += ']';
}

}  // namespace

void append_number(std::string& json, float value) {
  if (std::isfinite(value))
    append_to(json, value);
  else
    json += "null";
}

void append_number(std::string& json, double value) {
  if (std::isfinite(value))
    append_to(json, value);
  else
    json += "null";
}

void Series::add(int64_t step, double tokens, double seconds, std::span<const double> values) {
  steps_.push_back(step);
  tokens_.push_back(tokens);
  seconds_.push_back(seconds);
  for (size_t i = 0; i < values_.size(); ++i) values_[i].push_back(static_cast<float>(values[i]));
}

void Series::clear() { *this = Series(names_); }

size_t Series::column(std::string_view name) const {
  const auto found = std::ranges::find(names_, name);
  if (found == names_.end()) fail<ValueError>("series: there is no '", name, "'");
  return static_cast<size_t>(found - names_.begin());
}

const std::vector<float>& Series::operator[](std::string_view name) const { return values_[column(name)]; }

bool Series::tells(std::string_view name) const {
  return std::ranges::any_of((*this)[name], [](float v) { return std::isfinite(v); });
}

Series::Cut Series::whole(size_t most) const {
  const int level = level_of(size(), most);
  return {level, 0, (size() + (size_t{1} << level) - 1) >> level};
}

Series::Cut Series::between(Axis axis, double from, double to, size_t most) const {
  const auto lines = [&](const auto& at) {
    const auto place = [&](size_t i) { return static_cast<double>(at[i]); };
    size_t begin = 0, end = at.size();
    while (begin < end && !(place(begin) >= from)) ++begin;
    while (end > begin && !(place(end - 1) <= to)) --end;
    return std::pair(begin, end);
  };
  const auto [begin, end] = axis == Axis::step     ? lines(steps_)
                            : axis == Axis::tokens ? lines(tokens_)
                                                   : lines(seconds_);
  const int level = level_of(end - begin, most);
  const size_t all = whole(size()).end == 0 ? 0 : (size() + (size_t{1} << level) - 1) >> level;
  const size_t first = begin >> level, behind = (end + (size_t{1} << level) - 1) >> level;
  return {level, first > 0 ? first - 1 : 0, std::min(all, behind + 1)};
}

std::string Series::json(const Cut& cut) const {
  const size_t width = size_t{1} << cut.level, count = cut.end - cut.first;
  const auto begin_of = [&](size_t i) { return (cut.first + i) * width; };
  const auto end_of = [&](size_t i) { return std::min(size(), begin_of(i) + width); };
  const auto middle = [&](const auto& at) {
    return [&](size_t i) { return static_cast<double>(at[(begin_of(i) + end_of(i) - 1) / 2]); };
  };
  std::string json = str("{\"level\":", cut.level, ",\"first\":", cut.first, ",\"count\":", size());
  append_array(json, "step", count, middle(steps_));
  const auto told = [](double value) { return std::isfinite(value); };
  if (std::ranges::any_of(tokens_, told)) append_array(json, "tokens", count, middle(tokens_));
  if (std::ranges::any_of(seconds_, told)) append_array(json, "seconds", count, middle(seconds_));
  for (size_t column = 0; column < names_.size(); ++column) {
    const std::vector<float>& values = values_[column];
    if (!tells(names_[column])) continue;
    if (cut.level == 0) {
      append_array(json, names_[column], count, [&](size_t i) { return values[begin_of(i)]; });
      continue;
    }
    std::vector<Bucket> buckets(count);
    for (size_t i = 0; i < count; ++i)
      buckets[i] = bucket_of(std::span(values).subspan(begin_of(i), end_of(i) - begin_of(i)));
    json += str(",\"", names_[column], "\":{");
    append_array(json, "min", count, [&](size_t i) { return buckets[i].least; });
    append_array(json, "mean", count, [&](size_t i) { return buckets[i].mean; });
    append_array(json, "max", count, [&](size_t i) { return buckets[i].largest; });
    json += '}';
  }
  return json + "}";
}

}  // namespace weft::tools
