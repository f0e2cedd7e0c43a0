// The fields of a model's configuration as a table, of which its check and its state are made:
//   const ConfigField<GPTConfig> fields[] = {{"n_layer", &GPTConfig::n_layer, 1, 1024}, ...};
#pragma once

#include <weft/lib/array/state_dict.h>
#include <weft/lib/base/error.h>

#include <variant>

namespace weft {

template <class Config>
struct ConfigField {
  const char* name;
  std::variant<int64_t Config::*, double Config::*, bool Config::*> member;
  /// Integers may be least .. most; other numbers lie in [least, most).
  double least = 0, most = 1;
};

/// ValueError that names the model and the first field out of range.
template <class Config, size_t N>
void check_fields(const char* model, const Config& config, const ConfigField<Config> (&fields)[N]) {
  for (const ConfigField<Config>& field : fields) {
    if (const auto* whole = std::get_if<int64_t Config::*>(&field.member)) {
      const int64_t value = config.*(*whole);
      const auto least = static_cast<int64_t>(field.least), most = static_cast<int64_t>(field.most);
      if (value < least || value > most)
        fail<ValueError>(model, ": ", field.name, " = ", value, " is not between ", least, " and ", most);
    } else if (const auto* number = std::get_if<double Config::*>(&field.member)) {
      const double value = config.*(*number);
      if (!(value >= field.least && value < field.most))
        fail<ValueError>(model, ": ", field.name, " = ", value, " is not in [", field.least, ", ", field.most,
                         ")");
    }
  }
}

template <class Config, size_t N>
StateDict state_of(const Config& config, const ConfigField<Config> (&fields)[N]) {
  StateDict state;
  for (const ConfigField<Config>& field : fields) {
    if (const auto* number = std::get_if<double Config::*>(&field.member)) {
      state.set(field.name, config.*(*number));
    } else if (const auto* whole = std::get_if<int64_t Config::*>(&field.member)) {
      state.set(field.name, config.*(*whole));
    } else {
      state.set(field.name, static_cast<int64_t>(config.*std::get<bool Config::*>(field.member)));
    }
  }
  return state;
}

/// StateError for a field that the state lacks or has of another kind.
template <class Config, size_t N>
Config config_of(const StateDict& state, const ConfigField<Config> (&fields)[N]) {
  Config config;
  for (const ConfigField<Config>& field : fields) {
    if (const auto* number = std::get_if<double Config::*>(&field.member)) {
      config.*(*number) = state.number(field.name);
    } else if (const auto* whole = std::get_if<int64_t Config::*>(&field.member)) {
      config.*(*whole) = state.integer(field.name);
    } else {
      config.*std::get<bool Config::*>(field.member) = state.integer(field.name) != 0;
    }
  }
  return config;
}

}  // namespace weft
