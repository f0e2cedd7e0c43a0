#include <weft/train/watch/update_statistics.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

namespace weft {
namespace {

using nlohmann::ordered_json;
using Tensors = UpdateStatistics::ByPath<TensorStatistics>;

ordered_json values_of(const TensorStatistics& s) {
  return {{"mean", s.mean}, {"std", s.std}, {"min", s.min}, {"max", s.max}};
}

ordered_json told(const Tensors& tensors) {
  ordered_json all = ordered_json::object();
  for (const auto& [path, s] : tensors) {
    ordered_json one = values_of(s);
    one["norm"] = s.norm;
    if (!s.histogram.empty()) one["histogram"] = s.histogram;
    all[path] = std::move(one);
  }
  return all;
}

double number(const ordered_json& from, const char* key) {
  const ordered_json& value = from.at(key);
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

Tensors tensors_of(const ordered_json& from) {
  Tensors all;
  for (const auto& [path, one] : from.items()) {
    TensorStatistics s{.mean = number(one, "mean"),
                       .std = number(one, "std"),
                       .min = number(one, "min"),
                       .max = number(one, "max")};
    if (one.contains("norm")) s.norm = number(one, "norm");
    if (one.contains("zero")) s.zero = number(one, "zero");
    if (one.contains("histogram")) s.histogram = one.at("histogram").get<std::vector<int64_t>>();
    s.count = std::accumulate(s.histogram.begin(), s.histogram.end(), int64_t{0});
    all.emplace_back(path, std::move(s));
  }
  return all;
}

}  // namespace

std::string UpdateStatistics::line() const {
  ordered_json changes = ordered_json::object(), outputs = ordered_json::object();
  for (const auto& [path, ratio] : ratios) changes[path] = {{"ratio", ratio}};
  for (const auto& [path, s] : activations) {
    outputs[path] = values_of(s);
    outputs[path]["zero"] = s.zero;
  }
  const ordered_json all{{"step", step},
                         {"weights", told(weights)},
                         {"gradients", told(gradients)},
                         {"updates", std::move(changes)},
                         {"activations", std::move(outputs)}};
  return all.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::optional<UpdateStatistics> UpdateStatistics::from_line(std::string_view line) {
  try {
    const ordered_json from = ordered_json::parse(line);
    UpdateStatistics all{.step = from.at("step").get<int64_t>(),
                         .weights = tensors_of(from.at("weights")),
                         .gradients = tensors_of(from.at("gradients")),
                         .activations = tensors_of(from.at("activations"))};
    for (const auto& [path, one] : from.at("updates").items())
      all.ratios.emplace_back(path, number(one, "ratio"));
    return all;
  } catch (const ordered_json::exception&) {
    return std::nullopt;
  }
}

}  // namespace weft
