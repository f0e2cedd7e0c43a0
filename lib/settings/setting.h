// What may be set of a part (a model, a task, an optimizer, a run): its name, default, limits and help in one place.
// Checks, --help, --set, TOML and files all follow from it. settings.h ties settings to the members of a struct,
// registry.h keeps parts by name.
#pragma once

#include <weft/lib/array/state_dict.h>

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace weft {

using SettingValue = std::variant<bool, int64_t, double, std::string>;

struct Setting {
  std::string name;
  SettingValue value;  ///< default, whose type is the setting's
  std::string help = {};
  /// A whole number lies in least .. most, another number in [from, below); a text is one of `choices`, if there are
  /// any.
  int64_t least = std::numeric_limits<int64_t>::min(), most = std::numeric_limits<int64_t>::max();
  double from = -std::numeric_limits<double>::infinity(), below = std::numeric_limits<double>::infinity();
  std::vector<std::string> choices = {};
  /// What a file means that lacks the setting, as older ones do: what reproduces how it was. Else the default.
  std::optional<SettingValue> before = {};
  std::string older_name = {};  ///< what files called it before
  bool required = false;        ///< has no default: a file must have it
  bool from_data = false;       ///< is told by the data, and no key of a run
  bool steers = false;          ///< of a run: may change on resume, as no result depends on it

  const SettingValue& value_before() const { return before ? *before : value; }
};

/// "a whole number between 1 and 1024".
std::string wanted(const Setting& setting);
/// The value as the setting's type (a whole number may stand for any number), if it is in its limits.
std::optional<SettingValue> fitting(const Setting& setting, const SettingValue& value);
/// What was typed, read as the setting's type; nothing when it is none or out of its limits.
std::optional<SettingValue> parsed(const Setting& setting, std::string_view text);
/// "true", "3", "0.1", "cosine".
std::string text_of(const SettingValue& value);

/// Settings that were given, by name.
class SettingValues {
 public:
  SettingValues() = default;
  SettingValues(std::initializer_list<std::pair<const std::string, SettingValue>> values) : values_(values) {}

  void set(const std::string& name, SettingValue value) { values_[name] = std::move(value); }
  bool contains(const std::string& name) const { return values_.contains(name); }
  /// StateError, naming it, for one that is not there or of another type; number() takes a whole number too.
  const SettingValue& at(const std::string& name) const;
  bool boolean(const std::string& name) const;
  int64_t integer(const std::string& name) const;
  double number(const std::string& name) const;
  const std::string& text(const std::string& name) const;
  const std::map<std::string, SettingValue>& entries() const { return values_; }
  bool operator==(const SettingValues&) const = default;

 private:
  std::map<std::string, SettingValue> values_;
};

/// Puts it into a state: numbers and texts as they are, true as 1 and false as 0.
void put(StateDict& state, const std::string& name, const SettingValue& value);
/// A setting out of a state: value_before() where the state lacks it, under its older name too. StateError that names
/// it for one that is required and missing, of another type or out of its limits.
SettingValue taken(const StateDict& state, const Setting& setting);

/// Names that a reader of a state must know, since it would get other results without them: those whose values are not
/// value_before(). They travel with the state as the text `must_know`.
void put_must_know(StateDict& state, const std::vector<Setting>& settings, const SettingValues& values);
/// What `state` holds beside `settings`, `known` and must_know: names that a newer version wrote. StateError, which
/// names it, for one that must be known.
std::vector<std::string> unknown_names(const StateDict& state, const std::vector<Setting>& settings,
                                       const std::vector<std::string>& known = {});

}  // namespace weft
