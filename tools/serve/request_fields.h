// The parameters of a request, each of which is used or refused: none is passed over.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace weft::tools {

/// Reads an object, whose nulls are as if they were not there. ApiError that names the parameter for a value of another type
/// or out of its range.
class RequestFields {
 public:
  /// `path` goes before the names: "messages[2].". The object must outlive it.
  explicit RequestFields(const nlohmann::json& object, std::string path = "");

  /// nullptr for none.
  const nlohmann::json* take(const std::string& name);
  std::optional<double> number(const std::string& name, double least, double most);
  std::optional<int64_t> integer(const std::string& name, int64_t least, int64_t most);
  std::optional<bool> boolean(const std::string& name);
  std::optional<std::string> text(const std::string& name);
  std::string path_of(const std::string& name) const { return path_ + name; }

  /// A parameter of OpenAI's that is not served: refused but for values that ask for nothing.
  void refuse_but(const std::string& name, const std::vector<nlohmann::json>& nothing);
  /// ApiError that names the first parameter that was not taken, and the nearest of those that are.
  void refuse_others() const;

 private:
  const nlohmann::json& object_;
  std::string path_;
  std::set<std::string> known_;
};

}  // namespace weft::tools
