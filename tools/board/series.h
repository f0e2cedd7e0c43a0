// Numbers that a run logs line by line, and what a screen shows of them.
//
// A curve of n lines is drawn in at most W buckets. Bucket k of level L is the lines k 2^L to (k + 1) 2^L - 1, and L is the
// smallest with ceil(n / 2^L) <= W. Of each bucket the smallest, the mean and the largest value are kept, so that a spike
// of one line is seen at any level. Buckets do not move while lines are added: all but the last stay as they were until
// the level rises, which happens each time the run has doubled; so a page asks for the buckets from its last one on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weft::tools {

/// What a line does not tell, and what it tells of a number that is not finite, which JSON writes as null.
inline constexpr double untold = std::numeric_limits<double>::quiet_NaN();
inline constexpr double nonfinite = std::numeric_limits<double>::infinity();

class Series {
 public:
  /// What curves are drawn against.
  enum class Axis { step, tokens, seconds };
  /// Of the values of a line, in the order of names.
  explicit Series(std::vector<std::string> names) : names_(std::move(names)), values_(names_.size()) {}

  /// Steps ascend. Values may be `untold` or `nonfinite`.
  void add(int64_t step, double tokens, double seconds, std::span<const double> values);
  void clear();

  size_t size() const { return steps_.size(); }
  bool empty() const { return steps_.empty(); }
  const std::vector<std::string>& names() const { return names_; }
  const std::vector<int64_t>& steps() const { return steps_; }
  const std::vector<double>& tokens() const { return tokens_; }
  const std::vector<double>& seconds() const { return seconds_; }
  /// ValueError for a name that it has not.
  const std::vector<float>& operator[](std::string_view name) const;
  /// Whether any line told it.
  bool tells(std::string_view name) const;

  struct Cut {
    int level = 0;
    size_t first = 0, end = 0;  ///< buckets
  };
  /// The whole, in at most `most` buckets.
  Cut whole(size_t most) const;
  /// What lies in [from, to] of an axis, whose places ascend where they are told, and one bucket on each side, so that lines go
  /// on beyond the edges.
  Cut between(Axis axis, double from, double to, size_t most) const;

  /// {"level": L, "first": k, "count": n, "step": [...], "tokens": [...], "seconds": [...], "loss": ...}: of each bucket
  /// the step, tokens and seconds (where they are told) of the line in its middle; of each name that is told {"min": [...], "mean": [...],
  /// "max": [...]}, of level 0 an array of the values; null where no value of the bucket is finite.
  std::string json(const Cut& cut) const;

 private:
  size_t column(std::string_view name) const;

  std::vector<std::string> names_;
  std::vector<int64_t> steps_;
  std::vector<double> tokens_, seconds_;
  std::vector<std::vector<float>> values_;
};

/// A number of JSON that reads back as the same float; null for one that is not finite.
void append_number(std::string& json, float value);
void append_number(std::string& json, double value);

}  // namespace weft::tools
