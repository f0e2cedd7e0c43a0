// One step of a tokenizer as Hugging Face's tokenizer.json names it: a normalizer, a split, a decoder. What a step says is
// kept as it was read, so that it can be written again.
#pragma once

#include <weft/lib/array/state_dict.h>
#include <weft/lib/base/error.h>

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace weft {

struct TokenizerStep {
  std::string type;  ///< "NFC", "ByteLevel"
  std::map<std::string, std::string> texts =
      {};  ///< "content"; of a pattern "pattern.Regex" or "pattern.String"
  std::map<std::string, int64_t> numbers = {};  ///< and what is true or false
  bool operator==(const TokenizerStep&) const = default;
};

/// What a step says, read by name; in the end all must have been read.
class StepReader {
 public:
  /// `part` is "normalizer"; messages name it.
  StepReader(const TokenizerStep& step, const char* part) : step_(step), part_(part) {}

  std::string text(const char* name, const char* otherwise = nullptr);
  int64_t number(const char* name, int64_t otherwise);
  bool flag(const char* name, bool otherwise);
  bool has(const char* name) const { return step_.texts.contains(name) || step_.numbers.contains(name); }
  /// ValueError for a setting that nobody asked for.
  void finish() const;
  /// ValueError: "normalizer NFC: " and the rest.
  template <class... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    fail<ValueError>(part_, " ", step_.type, ": ", parts...);
  }

 private:
  const TokenizerStep& step_;
  const char* part_;
  std::set<std::string> read_;
};

StateDict state_of(const std::vector<TokenizerStep>& steps);
/// StateError for a state that no steps wrote.
std::vector<TokenizerStep> steps_of(const StateDict& state);

}  // namespace weft
