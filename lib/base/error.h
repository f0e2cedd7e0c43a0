// Errors: a few exception types, and one way to compose their texts.
//
// A text names the operation, the rule broken and every shape or value in it:
//   matmul: inner dimensions differ: a is (4, 3, 8), b is (6, 5)
#pragma once

#include <concepts>
#include <stdexcept>
#include <string>
#include <string_view>
#include <typeinfo>

namespace weft {

/// Base of all errors that weft throws.
struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};
/// Shapes or ranks that do not fit.
struct ShapeError : Error {
  using Error::Error;
};
/// An element type that an operation does not take.
struct TypeError : Error {
  using Error::Error;
};
/// An argument out of its range, an option that does not exist.
struct ValueError : Error {
  using Error::Error;
};
/// A call at the wrong time: backward through a freed graph, a value changed in place, no random scope.
struct StateError : Error {
  using Error::Error;
};
/// A file that is missing, unreadable, damaged or of another kind. The text begins with the path.
struct FileError : Error {
  using Error::Error;
};
/// NaN or infinity where a finite number is needed.
struct NumericError : Error {
  using Error::Error;
};
/// Memory that the system does not give. The text names the amount wanted.
struct MemoryError : Error {
  using Error::Error;
};

inline void append_to(std::string& text, std::string_view part) { text += part; }
/// Integers in decimal, bool as a word. A template, so that a text never converts to bool.
template <std::integral T>
void append_to(std::string& text, T part) {
  if constexpr (std::same_as<T, bool>) {
    text += part ? "true" : "false";
  } else if constexpr (!std::same_as<T, char>) {
    text += std::to_string(part);
  } else {
    text += part;
  }
}
/// Shortest decimal that reads back as the same number ("0.1", "1e-05", "nan").
void append_to(std::string& text, double part);
void append_to(std::string& text, float part);

/// Joins strings, numbers and whatever else has an `append_to(std::string&, value)` in its namespace.
template <class... Parts>
std::string str(const Parts&... parts) {
  std::string text;
  (append_to(text, parts), ...);
  return text;
}

/// Throws E with the joined text:
///   fail<ShapeError>("matmul: inner dimensions differ: a is ", a, ", b is ", b)
template <class E, class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  throw E(str(parts...));
}

/// The name of a type as it is written in C++: "weft::GPT".
std::string type_name(const std::type_info& type);

/// The candidate with the smallest edit distance to `name`, for "did you mean"; empty when none is near.
std::string nearest(std::string_view name, const std::string* begin, const std::string* end);

}  // namespace weft
