// Settings<C>: the settings of a part, tied to the members of a struct, from which its checks and its state follow:
//
//   struct MyConfig {
//     int64_t vocab_size = 0, n_layer = 4;
//     double dropout = 0.0;
//     static const Settings<MyConfig>& settings() {
//       static const Settings<MyConfig> all = {
//           Field(&MyConfig::vocab_size, "vocab_size", 1, 1 << 24).from_data().required(),
//           Field(&MyConfig::n_layer, "n_layer", 1, 1024, "blocks"),
//           Field(&MyConfig::dropout, "dropout", 0.0, 1.0, "probability of dropping a value in training")};
//       return all;
//     }
//   };
//
// A setting that is added later must reproduce, where a file lacks it, what was before: by its default or by before().
#pragma once

#include <weft/lib/base/error.h>
#include <weft/lib/settings/setting.h>

#include <cmath>
#include <functional>
#include <initializer_list>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace weft {

template <class C>
struct Field {
  Setting setting;
  std::function<SettingValue(const C&)> get;
  std::function<void(C&, const SettingValue&)> put;

  /// A whole number in least .. most; its default is the struct's.
  Field(int64_t C::*member, std::string name, int64_t least, int64_t most, std::string help = {})
      : Field(member, {.name = std::move(name),
                       .value = C().*member,
                       .help = std::move(help),
                       .least = least,
                       .most = most}) {}
  /// A number in [from, below).
  Field(double C::*member, std::string name, double from, double below, std::string help = {})
      : Field(member, {.name = std::move(name),
                       .value = C().*member,
                       .help = std::move(help),
                       .from = from,
                       .below = below}) {}
  Field(bool C::*member, std::string name, std::string help = {})
      : Field(member, {.name = std::move(name), .value = C().*member, .help = std::move(help)}) {}
  /// A text, one of `choices` if there are any.
  Field(std::string C::*member, std::string name, std::vector<std::string> choices, std::string help = {})
      : Field(member, {.name = std::move(name),
                       .value = C().*member,
                       .help = std::move(help),
                       .choices = std::move(choices)}) {}
  /// One of several values by their names: an enumeration, or a switch whose places have names.
  template <class E>
  requires(std::is_enum_v<E> || std::is_same_v<E, bool>)
      Field(E C::*member, std::string name, std::vector<std::pair<std::string, E>> values,
            std::string help = {})
      : setting{.name = std::move(name), .value = name_of(values, C().*member), .help = std::move(help)},
        get([member, values](const C& c) { return SettingValue(name_of(values, c.*member)); }),
        put([member, values](C& c, const SettingValue& value) {
          for (const auto& [called, one] : values)
            if (called == std::get<std::string>(value)) c.*member = one;
        }) {
    for (const auto& [called, one] : values) setting.choices.push_back(called);
  }

  /// The default that runs have, where it is not the struct's.
  Field in_runs(SettingValue value) const {
    Field changed = *this;
    if (!changed.setting.before) changed.setting.before = value;
    changed.setting.value = std::move(value);
    return changed;
  }
  Field before(SettingValue value) const { return with(&Setting::before, std::optional(std::move(value))); }
  Field formerly(std::string name) const { return with(&Setting::older_name, std::move(name)); }
  Field required() const { return with(&Setting::required, true); }
  Field from_data() const { return with(&Setting::from_data, true); }
  Field steers() const { return with(&Setting::steers, true); }

 private:
  template <class T>
  Field(T C::*member, Setting given)
      : setting(std::move(given)),
        get([member](const C& c) { return SettingValue(c.*member); }),
        put([member](C& c, const SettingValue& value) { c.*member = std::get<T>(value); }) {}
  template <class T>
  Field with(T Setting::*member, T value) const {
    Field changed = *this;
    changed.setting.*member = std::move(value);
    return changed;
  }
  template <class E>
  static std::string name_of(const std::vector<std::pair<std::string, E>>& values, E value) {
    for (const auto& [called, one] : values)
      if (one == value) return called;
    return values.front().first;
  }
};

template <class C>
class Settings {
 public:
  Settings(std::initializer_list<Field<C>> fields) : fields_(fields) {}

  const std::vector<Field<C>>& fields() const { return fields_; }
  /// The settings apart from the struct.
  std::vector<Setting> list() const {
    std::vector<Setting> all;
    for (const Field<C>& field : fields_) all.push_back(field.setting);
    return all;
  }
  const Field<C>* find(const std::string& name) const {
    for (const Field<C>& field : fields_)
      if (field.setting.name == name) return &field;
    return nullptr;
  }

  /// ValueError that names the part and the first member out of its limits.
  void check(const char* part, const C& config) const {
    for (const Field<C>& field : fields_) {
      const SettingValue value = field.get(config);
      if (fitting(field.setting, value)) continue;
      const Setting& s = field.setting;
      const bool whole = std::holds_alternative<int64_t>(value);
      fail<ValueError>(part, ": ", s.name, " = ", text_of(value), " is not ",
                       whole                                   ? str("between ", s.least, " and ", s.most)
                       : std::holds_alternative<double>(value) ? str("in [", s.from, ", ", s.below, ")")
                                                               : wanted(s));
    }
  }
  SettingValues values(const C& config) const {
    SettingValues all;
    for (const Field<C>& field : fields_) all.set(field.setting.name, field.get(config));
    return all;
  }
  /// Takes those that are given, of the right type; others stay.
  void take(C& config, const SettingValues& given) const {
    for (const Field<C>& field : fields_) {
      if (!given.contains(field.setting.name)) continue;
      const SettingValue& value = given.at(field.setting.name);
      const auto fit = fitting(field.setting, value);
      if (!fit)
        fail<ValueError>(field.setting.name, " must be ", wanted(field.setting), ", not ", text_of(value));
      field.put(config, *fit);
    }
  }
  StateDict state(const C& config) const {
    StateDict all;
    for (const Field<C>& field : fields_) put(all, field.setting.name, field.get(config));
    put_must_know(all, list(), values(config));
    return all;
  }
  /// What a state says, value_before() for what it lacks. StateError for a setting that is required and missing or of
  /// another type.
  C from_state(const StateDict& state) const {
    C config;
    for (const Field<C>& field : fields_) field.put(config, taken(state, field.setting));
    return config;
  }

 private:
  std::vector<Field<C>> fields_;
};

}  // namespace weft
