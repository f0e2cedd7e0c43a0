// A server of small models under way, and what it answers.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "http_client.h"
#include "program.h"

using Json = nlohmann::json;

/// Runs that write ("text"), chat ("chat") and answer ("pairs"), made once.
const Folder& trained();

class Served {
 public:
  /// Waits until it listens. False, and said, where the plug-in was not built.
  explicit Served(const std::string& model, const Arguments& more = {}, const Program::Options& options = {});
  explicit operator bool() const { return program_ != nullptr; }
  Program& program() { return *program_; }
  int port() const;

  HttpReply post(const std::string& path, const Json& body, const std::string& headers = "") const;
  /// Of a request that must be answered.
  Json answer(const std::string& path, const Json& body) const;
  /// A number of /metrics.
  double metric(const std::string& name) const;

 private:
  std::unique_ptr<Program> program_;
};

inline const std::string completions = "/v1/completions", chats = "/v1/chat/completions";

/// What is said in a stream's events, by choice, and the events.
struct Streamed {
  std::map<int64_t, std::string> texts = {}, finishes = {};
  std::vector<Json> events = {};
  bool done = false;
};
Streamed streamed(const std::string& body);
