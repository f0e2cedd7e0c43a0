// A config.json, read strictly: null counts as absent, and every error names the file, the key and what is
// there.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace weft {

class HuggingFaceConfig {
 public:
  /// FileError as hugging_face.h says.
  HuggingFaceConfig(const std::string& text, const std::string& path);

  const std::string& path() const { return path_; }
  bool has(const std::string& key) const;
  /// The value of a key; without `fallback`, FileError when it is absent.
  int64_t integer(const std::string& key, std::optional<int64_t> fallback = {}) const;
  double number(const std::string& key, std::optional<double> fallback = {}) const;
  bool boolean(const std::string& key, std::optional<bool> fallback = {}) const;
  std::string text(const std::string& key, std::optional<std::string> fallback = {}) const;
  /// A list of texts; empty when absent.
  std::vector<std::string> texts(const std::string& key) const;
  /// Whole numbers, or one alone; empty when absent.
  std::vector<int64_t> integers(const std::string& key) const;
  /// How many entries an object has; `fallback` when absent.
  int64_t entries(const std::string& key, int64_t fallback) const;
  /// Those that it has.
  std::vector<std::string> keys() const;
  /// The names under id2label by number; none where they are missing, not all there, or LABEL_0, LABEL_1, ...
  std::vector<std::string> label_names() const;
  /// The object of a key, an empty one when absent.
  HuggingFaceConfig object(const std::string& key) const;

  /// FileError unless the key has one of these values, of which the first is meant when it is absent.
  void allow(const std::string& key, const std::vector<nlohmann::json>& values) const;

 private:
  HuggingFaceConfig(nlohmann::json root, std::string path) : root_(std::move(root)), path_(std::move(path)) {}
  template <class T, class Is>
  T value(const std::string& key, const std::optional<T>& fallback, const char* kind, const Is& is) const;

  nlohmann::json root_;
  std::string path_;
};

}  // namespace weft
