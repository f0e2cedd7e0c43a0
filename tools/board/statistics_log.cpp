#include "statistics_log.h"

#include <weft/lib/base/error.h>
#include <weft/train/watch/update_statistics.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "series.h"

namespace weft::tools {
namespace {

using nlohmann::ordered_json;

constexpr float none = std::numeric_limits<float>::quiet_NaN();

float farther(float a, float b) {
  if (std::isnan(a)) return b;
  if (std::isnan(b)) return a;
  return std::abs(b) > std::abs(a) ? b : a;
}

}  // namespace

StatisticsLog::Row* StatisticsLog::row(const std::string& part, const std::string& measure,
                                       const std::string& path) {
  const auto found = index_.find(str(part, '\n', measure, '\n', path));
  if (found != index_.end()) return &rows_[found->second];
  if (rows_.size() >= most_rows) {
    left_out_ = true;
    return nullptr;
  }
  index_.emplace(str(part, '\n', measure, '\n', path), rows_.size());
  rows_.push_back({part, measure, path, std::vector<float>(steps_.size(), none)});
  return &rows_.back();
}

void StatisticsLog::open_column(int64_t step) {
  if (in_last_ == stride_ && steps_.size() == most_columns) halve();
  if (in_last_ < stride_ && !steps_.empty()) return;
  steps_.push_back(step);
  for (Row& row : rows_) row.values.push_back(none);
  in_last_ = 0;
}

void StatisticsLog::halve() {
  const size_t half = steps_.size() / 2;
  for (size_t i = 0; i < half; ++i) steps_[i] = steps_[2 * i];
  steps_.resize(half);
  for (Row& row : rows_) {
    for (size_t i = 0; i < half; ++i) row.values[i] = farther(row.values[2 * i], row.values[2 * i + 1]);
    row.values.resize(half);
  }
  stride_ *= 2;
  in_last_ = stride_;
}

void StatisticsLog::put(const char* part, const char* measure, const std::string& path, double value) {
  Row* const into = row(part, measure, path);
  if (into == nullptr) return;
  float& last = into->values.back();
  last = farther(last, std::isfinite(value) ? static_cast<float>(value) : static_cast<float>(nonfinite));
}

bool StatisticsLog::take(std::string_view line) {
  const auto told = UpdateStatistics::from_line(line);
  if (!told || told->step < 0 || told->step <= last_step_) return false;
  open_column(told->step);
  const auto put_all = [&](const char* part, const auto& tensors, const char* own, auto of_own) {
    for (const auto& [path, s] : tensors) {
      put(part, own, path, s.*of_own);
      put(part, "std", path, s.std);
      put(part, "mean", path, s.mean);
      put(part, "min", path, s.min);
      put(part, "max", path, s.max);
    }
  };
  put_all("weights", told->weights, "norm", &TensorStatistics::norm);
  put_all("gradients", told->gradients, "norm", &TensorStatistics::norm);
  for (const auto& [path, ratio] : told->ratios) put("updates", "ratio", path, ratio);
  put_all("activations", told->activations, "zero", &TensorStatistics::zero);
  last_step_ = told->step;
  ++lines_;
  ++in_last_;
  return true;
}

std::string StatisticsLog::parts_json() const {
  ordered_json parts = ordered_json::object();
  for (const Row& row : rows_) parts[row.part][row.measure] = true;
  ordered_json list = ordered_json::array();
  for (const auto& [part, measures] : parts.items()) {
    ordered_json names = ordered_json::array();
    for (const auto& [measure, is_there] : measures.items()) names.push_back(measure);
    list.push_back({part, names});
  }
  return list.dump(-1, ' ', true, ordered_json::error_handler_t::replace);
}

std::string StatisticsLog::json(std::string_view part, std::string_view measure, size_t most) const {
  size_t width = 1;
  while ((steps_.size() + width - 1) / width > std::max<size_t>(1, most)) width *= 2;
  std::string json = str("{\"lines\":", lines_, ",\"step\":["), paths, values;
  for (size_t i = 0; i < steps_.size(); i += width) json += str(i > 0 ? "," : "", steps_[i]);
  for (const Row& row : rows_) {
    if (row.part != part || row.measure != measure) continue;
    paths += str(paths.empty() ? "" : ",",
                 ordered_json(row.path).dump(-1, ' ', true, ordered_json::error_handler_t::replace));
    values += values.empty() ? "[" : ",[";
    for (size_t i = 0; i < row.values.size(); i += width) {
      if (i > 0) values += ',';
      float value = none;
      for (size_t j = i; j < std::min(row.values.size(), i + width); ++j)
        value = farther(value, row.values[j]);
      append_number(values, value);
    }
    values += ']';
  }
  return str(json, "],\"rows\":[", paths, "],\"values\":[", values, "]}");
}

}  // namespace weft::tools
