#include <unistd.h>
#include <weft/lib/base/error.h>
#include <weft/tools/serve/serve_metrics.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace weft::tools {
namespace {

template <class Number>
std::string metric(const char* type, const std::string& name, const char* help, Number value) {
  return str("# HELP ", name, " ", help, "\n# TYPE ", name, " ", type, "\n", name, " ", value, "\n");
}

int64_t resident_bytes() {
  int64_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  return pages * ::sysconf(_SC_PAGESIZE);
}

int64_t open_files() {
  std::error_code none;
  const std::filesystem::directory_iterator all("/proc/self/fd", none);
  return none ? 0 : std::distance(begin(all), end(all)) - 1;  // but for that of the folder
}

}  // namespace

void ServeMetrics::Histogram::add(double seconds) {
  ++counts[static_cast<size_t>(std::ranges::lower_bound(bounds, seconds) - bounds.begin())];
  sum += seconds;
}

std::string ServeMetrics::Histogram::text(const std::string& name, const std::string& help) const {
  std::string lines = str("# HELP ", name, " ", help, "\n# TYPE ", name, " histogram\n");
  int64_t total = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    total += counts[i];
    lines += str(name, "_bucket{le=\"", i < bounds.size() ? str(bounds[i]) : "+Inf", "\"} ", total, "\n");
  }
  return lines + str(name, "_sum ", sum, "\n", name, "_count ", total, "\n");
}

void ServeMetrics::count(const std::string& endpoint, int status, double seconds) {
  const std::lock_guard lock(mutex_);
  ++requests_[{endpoint, status}];
  seconds_.add(seconds);
}

void ServeMetrics::read(int64_t tokens) {
  const std::lock_guard lock(mutex_);
  tokens_read_ += tokens;
}

void ServeMetrics::first_token(double seconds) {
  const std::lock_guard lock(mutex_);
  first_token_.add(seconds);
}

std::string ServeMetrics::text(const GenerationQueue& queue) const {
  const GenerationQueue::Numbers now = queue.numbers();
  const std::lock_guard lock(mutex_);
  std::string all =
      "# HELP weft_requests_total Requests that were answered; 499: who asked hung up before.\n"
      "# TYPE weft_requests_total counter\n";
  for (const auto& [of, number] : requests_)
    all += str("weft_requests_total{endpoint=\"", of.first, "\",status=\"", of.second, "\"} ", number, "\n");
  all += seconds_.text("weft_request_seconds", "How long requests took.");
  all += first_token_.text("weft_first_token_seconds", "When the first token of a request came.");
  all += metric("gauge", "weft_texts_running", "Texts that are being written.", now.running);
  all += metric("gauge", "weft_texts_waiting", "Texts that wait for a row.", now.waiting);
  all += metric("gauge", "weft_rows", "Texts that are written at a time, at most.", queue.options().rows);
  all += metric("counter", "weft_texts_ended_total", "Texts that were written to their end.", now.ended);
  all += metric("counter", "weft_texts_cancelled_total", "Texts that nobody waited for any more.",
                now.cancelled);
  all += metric("counter", "weft_texts_failed_total", "Texts that could not be written.", now.failed);
  all += metric("counter", "weft_tokens_read_total", "Tokens of prompts.", tokens_read_);
  all += metric("counter", "weft_tokens_written_total", "Tokens that were written.", now.written);
  all += metric("counter", "weft_steps_total", "Steps of the model, each a token for all texts.", now.steps);
  all += metric("counter", "weft_busy_seconds_total", "How long the model worked.", now.busy_seconds);
  all +=
      metric("counter", "weft_waited_seconds_total", "How long texts waited for a row.", now.waited_seconds);
  all += metric("gauge", "process_resident_memory_bytes", "Resident memory size in bytes.", resident_bytes());
  all += metric("gauge", "process_open_fds", "Number of open file descriptors.", open_files());
  return all;
}

}  // namespace weft::tools
