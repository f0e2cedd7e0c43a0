#include <weft/tools/commands/json_line.h>
#include <weft/tools/serve/api_error.h>

namespace weft::tools {
namespace {

nlohmann::ordered_json or_null(const std::string& text) {
  return text.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(text);
}

}  // namespace

nlohmann::ordered_json error_json(const ApiError& error) {
  const ApiError::Kind& kind = error.kind;
  return {{"error",
           {{"message", error.what()},
            {"type", kind.type},
            {"param", or_null(kind.param)},
            {"code", or_null(kind.code)}}}};
}

HttpAnswer error_answer(const ApiError& error) {
  return {.status = error.kind.status, .body = json_line(error_json(error))};
}

ApiError error_of_status(int status, const std::string& text) {
  return {{.status = status, .type = status < 500 ? "invalid_request_error" : "server_error"}, text};
}

}  // namespace weft::tools
