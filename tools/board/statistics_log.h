// statistics.jsonl of a run (train/watch/update_statistics.h): of each tensor some numbers, as they go on over the steps.
//
// A line has parts (weights, gradients, updates, activations), a part has rows by path, a row has measures (norm, std, mean,
// min, max; ratio; zero). However long a run is, a measure keeps at most `most_columns` columns: when they are full each
// two become one, with the value of the two that is farther from 0, and what is not finite is farthest: so what explodes
// for one line is seen for ever.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace weft::tools {

class StatisticsLog {
 public:
  static constexpr size_t most_columns = 512;
  /// Numbers of a line that are kept; those behind are left out.
  static constexpr size_t most_rows = 20'000;

  /// False for a line that is none of these, or not behind the one before: nothing is taken from it.
  bool take(std::string_view line);
  void clear() { *this = StatisticsLog(); }

  size_t lines() const { return lines_; }
  bool empty() const { return lines_ == 0; }
  /// Whether a line had more than most_rows numbers.
  bool left_out() const { return left_out_; }
  int64_t last_step() const { return last_step_; }
  /// What there is: [["weights", ["mean", "std", ...]], ...].
  std::string parts_json() const;
  /// {"lines": n, "step": [...], "rows": [paths], "values": [[of each column] of each row]}, null where a number is
  /// missing or not finite; in at most `most` columns. No rows for a part or measure that is not there.
  std::string json(std::string_view part, std::string_view measure, size_t most = most_columns) const;
  /// How many numbers a line has.
  size_t rows() const { return rows_.size(); }

 private:
  struct Row {
    std::string part, measure, path;
    std::vector<float> values;  ///< a column each; NaN where a line has none, infinite where it is not finite
  };

  /// Of one number of a line; nullptr where there are too many.
  Row* row(const std::string& part, const std::string& measure, const std::string& path);
  void put(const char* part, const char* measure, const std::string& path, double value);
  void open_column(int64_t step);
  void halve();

  std::vector<Row> rows_;
  std::unordered_map<std::string, size_t> index_;  ///< of rows_, by part, measure and path
  std::vector<int64_t> steps_;                     ///< of each column, its first line's
  size_t lines_ = 0, stride_ = 1, in_last_ = 0;
  int64_t last_step_ = -1;
  bool left_out_ = false;
};

}  // namespace weft::tools
