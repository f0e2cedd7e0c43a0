#include <weft/lib/array/state_dict.h>

#include <algorithm>
#include <bit>

namespace weft {
namespace {

/// Well-formed UTF-8: no stray or missing continuation bytes, no overlong forms, surrogates or numbers past
/// U+10FFFF.
bool is_utf8(const std::string& text) {
  constexpr uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<uint8_t>(text[i]);
    const int length = lead < 0x80 ? 1 : std::countl_one(lead);
    if (length == 1 && lead >= 0x80) return false;
    if (length > 4 || i + static_cast<size_t>(length) > text.size()) return false;
    uint32_t code = length == 1 ? lead : lead & (0x7Fu >> length);
    for (int k = 1; k < length; ++k) {
      const auto byte = static_cast<uint8_t>(text[i + static_cast<size_t>(k)]);
      if ((byte & 0xC0) != 0x80) return false;
      code = code << 6 | (byte & 0x3Fu);
    }
    if (code < smallest[length] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
    i += static_cast<size_t>(length);
  }
  return true;
}

void check_key(const std::string& key) {
  if (key.empty() || key == "." || key.find('/') != std::string::npos ||
      key.find('\0') != std::string::npos || !is_utf8(key))
    fail<ValueError>("state: '", key,
                     "' cannot be a key: it must be UTF-8 text, not empty, not '.', without '/' and NUL");
}

struct Describe {
  std::string operator()(int64_t value) const { return str("the integer ", value); }
  std::string operator()(double value) const { return str("the number ", value); }
  std::string operator()(const std::string&) const { return "a text"; }
  std::string operator()(const Array& array) const {
    return str("an array ", array.shape(), " ", array.dtype());
  }
  std::string operator()(const std::shared_ptr<StateDict>&) const { return "a dict"; }
};

template <class T>
const T& as(const StateDict::Value& value, const std::string& key, const char* kind) {
  if (const T* wanted = std::get_if<T>(&value)) return *wanted;
  fail<StateError>("state: wanted ", kind, " '", key, "', but it is ", std::visit(Describe{}, value));
}

struct SameValue {
  bool operator()(int64_t a, int64_t b) const { return a == b; }
  bool operator()(double a, double b) const {
    return std::bit_cast<uint64_t>(a) == std::bit_cast<uint64_t>(b);
  }
  bool operator()(const std::string& a, const std::string& b) const { return a == b; }
  bool operator()(const Array& a, const Array& b) const { return a.identical(b); }
  bool operator()(const std::shared_ptr<StateDict>& a, const std::shared_ptr<StateDict>& b) const {
    return identical(*a, *b);
  }
  template <class A, class B>
  bool operator()(const A&, const B&) const {
    return false;
  }
};

void append_list(std::string& text, const char* title, const std::vector<std::string>& names) {
  if (names.empty()) return;
  if (!text.empty()) text += "\n";
  text += title;
  constexpr size_t most = 100;  // of another model it may be thousands
  for (size_t i = 0; i < std::min(names.size(), most); ++i) text += "\n  " + names[i];
  if (names.size() > most) text += str("\n  and ", names.size() - most, " more");
}

}  // namespace

void StateDict::set(const std::string& key, int64_t value) {
  check_key(key);
  entries_[key] = value;
}

void StateDict::set(const std::string& key, double value) {
  check_key(key);
  entries_[key] = value;
}

void StateDict::set(const std::string& key, std::string value) {
  check_key(key);
  entries_[key] = std::move(value);
}

void StateDict::set(const std::string& key, Array value) {
  check_key(key);
  if (!value.defined()) fail<ValueError>("state: the array for '", key, "' is not defined");
  entries_[key] = std::move(value);
}

void StateDict::set(const std::string& key, StateDict value) {
  check_key(key);
  entries_[key] = std::make_shared<StateDict>(std::move(value));
}

const StateDict::Value& StateDict::at(const std::string& key, const char* kind) const {
  const auto found = entries_.find(key);
  if (found == entries_.end())
    fail<StateError>("state: wanted ", kind, " '", key, "', but there is no such entry");
  return found->second;
}

int64_t StateDict::integer(const std::string& key) const {
  return as<int64_t>(at(key, "the integer"), key, "the integer");
}

double StateDict::number(const std::string& key) const {
  const Value& value = at(key, "the number");
  if (const auto* whole = std::get_if<int64_t>(&value)) return static_cast<double>(*whole);
  return as<double>(value, key, "the number");
}

const std::string& StateDict::text(const std::string& key) const& {
  return as<std::string>(at(key, "the text"), key, "the text");
}

const Array& StateDict::array(const std::string& key) const& {
  return as<Array>(at(key, "the array"), key, "the array");
}

const StateDict& StateDict::dict(const std::string& key) const& {
  return *as<std::shared_ptr<StateDict>>(at(key, "the dict"), key, "the dict");
}

std::vector<std::string> StateDict::keys() const {
  std::vector<std::string> keys;
  keys.reserve(entries_.size());
  for (const auto& [key, value] : entries_) keys.push_back(key);
  return keys;
}

StateDict StateDict::copy() const {
  StateDict made = *this;
  for (auto& [key, value] : made.entries_) {
    if (auto* const array = std::get_if<Array>(&value)) *array = array->copy();
    if (auto* const below = std::get_if<std::shared_ptr<StateDict>>(&value))
      *below = std::make_shared<StateDict>((*below)->copy());
  }
  return made;
}

bool identical(const StateDict& a, const StateDict& b) {
  if (a.size() != b.size()) return false;
  for (auto x = a.entries().begin(), y = b.entries().begin(); x != a.entries().end(); ++x, ++y)
    if (x->first != y->first || !std::visit(SameValue{}, x->second, y->second)) return false;
  return true;
}

std::string LoadReport::message() const {
  std::string text;
  append_list(text, "missing from the state:", missing);
  append_list(text, "in the state, but not wanted:", unexpected);
  append_list(text, "of another shape or type:", mismatched);
  return text;
}

LoadReport compare_arrays(const std::map<std::string, Array>& wanted, const StateDict& state) {
  LoadReport report;
  for (const auto& [name, array] : wanted) {
    const auto entry = state.entries().find(name);
    if (entry == state.entries().end()) {
      report.missing.push_back(name);
      continue;
    }
    const auto* found = std::get_if<Array>(&entry->second);
    if (found != nullptr && found->shape() == array.shape() && found->dtype() == array.dtype()) continue;
    const std::string what =
        found != nullptr ? str(found->shape(), " ", found->dtype()) : std::visit(Describe{}, entry->second);
    report.mismatched.push_back(str(name, ": wanted ", array.shape(), " ", array.dtype(), ", found ", what));
  }
  for (const auto& [name, value] : state.entries())
    if (!wanted.contains(name)) report.unexpected.push_back(name);
  return report;
}

}  // namespace weft
