#include <weft/lib/base/error.h>
#include <weft/lib/base/join.h>
#include <weft/lib/base/values.h>
#include <weft/lib/settings/setting.h>

#include <algorithm>
#include <cmath>
#include <ranges>

namespace weft {
namespace {

constexpr const char* must_know = "must_know";

template <class T>
const T& typed(const std::string& name, const SettingValue& value, const char* kind) {
  if (const T* found = std::get_if<T>(&value)) return *found;
  fail<StateError>("setting '", name, "' is ", text_of(value), ", not ", kind);
}

bool is_listed(const std::string& names, const std::string& name) {
  return std::ranges::any_of(std::views::split(names, ','),
                             [&](const auto part) { return std::string_view(part.begin(), part.end()) == name; });
}

}  // namespace

std::string wanted(const Setting& s) {
  if (std::holds_alternative<bool>(s.value)) return "true or false";
  if (std::holds_alternative<int64_t>(s.value)) return str("a whole number between ", s.least, " and ", s.most);
  if (std::holds_alternative<double>(s.value))
    return std::isinf(s.below) ? str("a number of at least ", s.from)
                               : str("a number from ", s.from, " to below ", s.below);
  return s.choices.empty() ? "a text" : joined(s.choices, " or ");
}

std::optional<SettingValue> fitting(const Setting& s, const SettingValue& value) {
  if (std::holds_alternative<double>(s.value)) {
    const auto* const whole = std::get_if<int64_t>(&value);
    const auto* const number = std::get_if<double>(&value);
    if (!whole && !number) return {};
    const double given = whole ? static_cast<double>(*whole) : *number;
    return given >= s.from && given < s.below ? std::optional<SettingValue>(given) : std::nullopt;
  }
  if (value.index() != s.value.index()) return {};
  if (const auto* const whole = std::get_if<int64_t>(&value); whole && (*whole < s.least || *whole > s.most))
    return {};
  if (const auto* const text = std::get_if<std::string>(&value))
    if (!s.choices.empty() && std::ranges::count(s.choices, *text) == 0) return {};
  return value;
}

std::optional<SettingValue> parsed(const Setting& s, std::string_view text) {
  try {
    if (std::holds_alternative<int64_t>(s.value))
      return fitting(s, parse_integer(s.name, text, std::numeric_limits<int64_t>::min(),
                                      std::numeric_limits<int64_t>::max()));
    if (std::holds_alternative<double>(s.value))
      return fitting(s, parse_number(s.name, text, -std::numeric_limits<double>::infinity()));
  } catch (const ValueError&) {
    return {};
  }
  if (!std::holds_alternative<bool>(s.value)) return fitting(s, std::string(text));
  if (text != "true" && text != "false") return {};
  return text == "true";
}

std::string text_of(const SettingValue& value) {
  return std::visit([](const auto& v) { return str(v); }, value);
}

const SettingValue& SettingValues::at(const std::string& name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) fail<StateError>("there is no setting '", name, "'");
  return found->second;
}

bool SettingValues::boolean(const std::string& name) const { return typed<bool>(name, at(name), "true or false"); }
int64_t SettingValues::integer(const std::string& name) const {
  return typed<int64_t>(name, at(name), "a whole number");
}
double SettingValues::number(const std::string& name) const {
  if (const auto* whole = std::get_if<int64_t>(&at(name))) return static_cast<double>(*whole);
  return typed<double>(name, at(name), "a number");
}
const std::string& SettingValues::text(const std::string& name) const {
  return typed<std::string>(name, at(name), "a text");
}

void put(StateDict& state, const std::string& name, const SettingValue& value) {
  if (const auto* const truth = std::get_if<bool>(&value)) return state.set(name, int64_t{*truth});
  std::visit(
      [&]<class T>(const T& v) {
        if constexpr (!std::is_same_v<T, bool>) state.set(name, v);
      },
      value);
}

SettingValue taken(const StateDict& state, const Setting& s) {
  std::string name = s.name;
  if (!state.contains(name) && !s.older_name.empty() && state.contains(s.older_name)) name = s.older_name;
  if (!state.contains(name)) {
    if (s.required) fail<StateError>("'", s.name, "' is missing");
    return s.value_before();
  }
  const StateDict::Value& found = state.entries().at(name);
  std::optional<SettingValue> value;
  if (const auto* const whole = std::get_if<int64_t>(&found)) {
    const bool truth = std::holds_alternative<bool>(s.value) && (*whole == 0 || *whole == 1);
    // A choice that was a switch before: its places count.
    const bool place = std::holds_alternative<std::string>(s.value) && name == s.older_name && *whole >= 0 &&
                       *whole < static_cast<int64_t>(s.choices.size());
    value = truth   ? fitting(s, *whole != 0)
            : place ? fitting(s, s.choices[static_cast<size_t>(*whole)])
                    : fitting(s, *whole);
  } else if (const auto* const number = std::get_if<double>(&found)) {
    value = fitting(s, *number);
  } else if (const auto* const text = std::get_if<std::string>(&found)) {
    value = fitting(s, *text);
  }
  if (!value) fail<StateError>("'", name, "' must be ", wanted(s));
  return *value;
}

void put_must_know(StateDict& state, const std::vector<Setting>& settings, const SettingValues& values) {
  std::string names;
  for (const Setting& s : settings)
    if (values.contains(s.name) && (s.required || values.at(s.name) != s.value_before()))
      names += (names.empty() ? "" : ",") + s.name;
  state.set(must_know, names);
}

std::vector<std::string> unknown_names(const StateDict& state, const std::vector<Setting>& settings,
                                       const std::vector<std::string>& known) {
  std::vector<std::string> unknown;
  const std::string needed = state.contains(must_know) ? state.text(must_know) : "";
  for (const std::string& name : state.keys()) {
    const bool is_known =
        name == must_know || std::ranges::count(known, name) > 0 ||
        std::ranges::any_of(settings, [&](const Setting& s) { return s.name == name || s.older_name == name; });
    if (is_known) continue;
    if (is_listed(needed, name))
      fail<StateError>("'", name, "' was written by a newer weft, and without it the results would be others");
    unknown.push_back(name);
  }
  return unknown;
}

}  // namespace weft
