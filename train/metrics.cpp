#include "metrics.h"

#include <fcntl.h>
#include <unistd.h>
#include <weft/lib/base/error.h>

#include <cerrno>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <system_error>

namespace weft {
namespace {

using nlohmann::ordered_json;

std::string line_of(const Update& u) {
  return ordered_json{{"step", u.step},
                      {"loss", u.loss},
                      {"lr", u.lr},
                      {"grad_norm", u.grad_norm},
                      {"tokens_per_second", u.tokens_per_second},
                      {"seconds", u.seconds}}
             .dump() +
         "\n";
}

std::string line_of(const Evaluation& e) {
  return ordered_json{{"step", e.step}, {"train_loss", e.train_loss}, {"val_loss", e.val_loss}}.dump() + "\n";
}

}  // namespace

MetricsLog::MetricsLog(const std::string& path, int64_t step, const History& history) : path_(path) {
  std::error_code error;
  if (std::filesystem::exists(path, error)) {
    const std::string before = read_text(path);
    std::istringstream lines(before);
    std::string kept;
    for (std::string line; std::getline(lines, line);)
      if (take(line, step, history)) kept += line + "\n";
    if (kept != before) write_file(path, kept);
  }
  file_ = Descriptor(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666));
  if (file_.get() < 0)
    fail<FileError>(path, ": cannot be opened for writing: ", std::generic_category().message(errno));
}

bool MetricsLog::take(const std::string& line, int64_t step, const History& history) {
  try {
    const ordered_json entry = ordered_json::parse(line);
    const auto at = entry.at("step").get<int64_t>();
    if (entry.contains("val_loss")) {
      if (history.evaluations.empty() || at > history.evaluations.back().step) return false;
      evaluations_.push_back({at, entry.at("train_loss").get<double>(), entry.at("val_loss").get<double>()});
    } else {
      if (at >= step) return false;
      updates_.push_back({at, entry.at("loss").get<double>(), entry.at("lr").get<double>(),
                          entry.at("grad_norm").get<double>(), entry.at("tokens_per_second").get<double>(),
                          entry.at("seconds").get<double>()});
    }
    return true;
  } catch (const ordered_json::exception&) {
    ++unreadable_;
    return false;
  }
}

void MetricsLog::append(const std::string& line) const {
  ssize_t put = 0;
  do put = ::write(file_.get(), line.data(), line.size());
  while (put < 0 && errno == EINTR);
  if (put == static_cast<ssize_t>(line.size())) return;
  const std::string reason = put < 0 ? std::generic_category().message(errno) : "the disk is full";
  fail<FileError>(path_, ": cannot be written: ", reason);
}

void MetricsLog::add(const Update& update) {
  append(line_of(update));
  updates_.push_back(update);
}

void MetricsLog::add(const Evaluation& evaluation) {
  append(line_of(evaluation));
  evaluations_.push_back(evaluation);
}

void MetricsLog::sync() const {
  if (::fsync(file_.get()) != 0)
    fail<FileError>(path_, ": cannot be synced to the disk: ", std::generic_category().message(errno));
}

}  // namespace weft
