#include <weft/exchange/json_internal.h>
#include <weft/lib/settings/settings.h>
#include <weft/tools/serve/api_error.h>
#include <weft/tools/serve/request_fields.h>

#include <algorithm>
#include <utility>

namespace weft::tools {

using nlohmann::json;

RequestFields::RequestFields(const json& object, std::string path)
    : object_(object), path_(std::move(path)) {}

const json* RequestFields::take(const std::string& name) {
  known_.insert(name);
  const auto at = object_.find(name);
  return at == object_.end() || at->is_null() ? nullptr : &*at;
}

std::optional<double> RequestFields::number(const std::string& name, double least, double most) {
  const json* const value = take(name);
  if (!value) return std::nullopt;
  if (!value->is_number() || value->get<double>() < least || value->get<double>() > most)
    refuse_param(path_of(name), shown(*value), " is not a number from ", least, " to ", most);
  return value->get<double>();
}

std::optional<int64_t> RequestFields::integer(const std::string& name, int64_t least, int64_t most) {
  const json* const value = take(name);
  if (!value) return std::nullopt;
  const bool fits = value->is_number_integer() &&
                    (!value->is_number_unsigned() || value->get<uint64_t>() <= uint64_t{INT64_MAX}) &&
                    value->get<int64_t>() >= least && value->get<int64_t>() <= most;
  if (!fits) refuse_param(path_of(name), shown(*value), " is not a whole number from ", least, " to ", most);
  return value->get<int64_t>();
}

std::optional<bool> RequestFields::boolean(const std::string& name) {
  const json* const value = take(name);
  if (!value) return std::nullopt;
  if (!value->is_boolean()) refuse_param(path_of(name), shown(*value), " is neither true nor false");
  return value->get<bool>();
}

std::optional<std::string> RequestFields::text(const std::string& name) {
  const json* const value = take(name);
  if (!value) return std::nullopt;
  if (!value->is_string()) refuse_param(path_of(name), shown(*value), " is no text");
  return value->get<std::string>();
}

void RequestFields::refuse_but(const std::string& name, const std::vector<json>& nothing) {
  const json* const value = take(name);
  if (!value || std::ranges::find(nothing, *value) != nothing.end()) return;
  refuse_param(path_of(name), "is not served; leave it out");
}

void RequestFields::refuse_others() const {
  for (const auto& [name, value] : object_.items()) {
    if (known_.contains(name) || value.is_null()) continue;
    const std::vector<std::string> all(known_.begin(), known_.end());
    const std::string near = nearest(name, all.data(), all.data() + all.size());
    throw ApiError({.param = path_of(name), .code = "unknown_parameter"},
                   str("there is no parameter '", path_of(name), "'",
                       near.empty() ? "" : str("; did you mean '", near, "'?")));
  }
}

}  // namespace weft::tools
