// StateDict: a tree of named arrays, numbers and texts. Modules, optimizers, loaders and schedules turn
// themselves into one and back; the checkpoint writer knows nothing else.
#pragma once

#include <weft/lib/array/array.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace weft {

class StateDict {
 public:
  using Value = std::variant<int64_t, double, std::string, Array, std::shared_ptr<StateDict>>;

  /// Adds or replaces an entry. A key is any non-empty UTF-8 text without '/' and NUL that is not "."
  /// (ValueError).
  void set(const std::string& key, int64_t value);
  void set(const std::string& key, double value);
  void set(const std::string& key, std::string value);
  void set(const std::string& key, Array value);
  void set(const std::string& key, StateDict value);
  void set(const std::string& key, int value) { set(key, static_cast<int64_t>(value)); }
  void set(const std::string& key, const char* value) { set(key, std::string(value)); }

  bool contains(const std::string& key) const { return entries_.contains(key); }
  /// The entry of that key. StateError that names the key and what is there when it is missing or of another
  /// kind; number() takes an integer too.
  int64_t integer(const std::string& key) const;
  double number(const std::string& key) const;
  const std::string& text(const std::string& key) const&;
  const Array& array(const std::string& key) const&;
  const StateDict& dict(const std::string& key) const&;
  /// Of a state that ends with the expression, `for (... : model.state_dict().entries())`, values of their own.
  std::string text(const std::string& key) && { return std::as_const(*this).text(key); }
  Array array(const std::string& key) && { return std::as_const(*this).array(key); }
  StateDict dict(const std::string& key) && { return std::as_const(*this).dict(key); }

  /// All entries in the order of their keys' bytes.
  const std::map<std::string, Value>& entries() const& { return entries_; }
  std::map<std::string, Value> entries() && { return std::move(entries_); }
  std::vector<std::string> keys() const;
  /// The same with buffers of its own: it stays as it is when the arrays that this one holds are changed.
  StateDict copy() const;
  bool empty() const { return entries_.empty(); }
  size_t size() const { return entries_.size(); }

 private:
  const Value& at(const std::string& key, const char* kind) const;
  std::map<std::string, Value> entries_;
};

/// Same keys, kinds and values; arrays bit for bit.
bool identical(const StateDict& a, const StateDict& b);

/// What a strict load found: checked before anything is changed.
struct LoadReport {
  std::vector<std::string> missing;     ///< wanted, but not in the state
  std::vector<std::string> unexpected;  ///< in the state, but not wanted
  std::vector<std::string> mismatched;  ///< "name: wanted (3, 4) float32, found (4, 3) float32"
  bool ok() const { return missing.empty() && unexpected.empty() && mismatched.empty(); }
  /// Three paragraphs that list the names, the first hundred of each; empty when ok().
  std::string message() const;
};

/// Compares the arrays of `state` with those wanted, by name, shape and type.
LoadReport compare_arrays(const std::map<std::string, Array>& wanted, const StateDict& state);

}  // namespace weft
