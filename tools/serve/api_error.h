// What OpenAI's clients are told when a request cannot be done.
#pragma once

#include <weft/lib/base/error.h>
#include <weft/tools/http/http_server.h>

#include <nlohmann/json.hpp>
#include <string>

namespace weft::tools {

struct ApiError : Error {
  struct Kind {
    int status = 400;
    std::string type = "invalid_request_error";
    std::string param = {}, code = {};  ///< empty: null
  };
  ApiError(Kind of, const std::string& text) : Error(text), kind(std::move(of)) {}
  Kind kind;
};

/// {"error": {"message": ..., "type": ..., "param": ..., "code": ...}}
nlohmann::ordered_json error_json(const ApiError& error);
HttpAnswer error_answer(const ApiError& error);
/// For a status of HTTP that no handler gave.
ApiError error_of_status(int status, const std::string& text);

/// Throws one of status 400 that is about a parameter.
template <class... Parts>
[[noreturn]] void refuse_param(const std::string& param, const Parts&... parts) {
  throw ApiError({.param = param}, str(param, ": ", parts...));
}

}  // namespace weft::tools
