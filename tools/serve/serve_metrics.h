// What a server counts of its requests, in Prometheus' text format (version 0.0.4).
#pragma once

#include <weft/tools/serve/generation_queue.h>

#include <array>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace weft::tools {

/// May be called from any thread.
class ServeMetrics {
 public:
  /// A request was answered; `status` 499: who asked hung up before.
  void count(const std::string& endpoint, int status, double seconds);
  /// A request was begun, with so many tokens to read.
  void read(int64_t tokens);
  /// The first token of a request came so late.
  void first_token(double seconds);
  std::string text(const GenerationQueue& queue) const;

 private:
  struct Histogram {
    static constexpr std::array<double, 14> bounds = {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                                      1,     2.5,  5,     10,   30,  60,   300};
    std::array<int64_t, bounds.size() + 1> counts{};
    double sum = 0;
    void add(double seconds);
    std::string text(const std::string& name, const std::string& help) const;
  };

  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, int64_t> requests_;
  int64_t tokens_read_ = 0;
  Histogram seconds_, first_token_;
};

}  // namespace weft::tools
