#include <weft/lib/base/error.h>
#include <weft/lib/base/lines.h>
#include <weft/train/files/step_lines.h>
#include <weft/train/watch/tensorboard_log.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

namespace weft {
namespace {

/// Behind all steps.
constexpr int64_t none = std::numeric_limits<int64_t>::max();

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// The lines of a file of StepLines, one after the other; none where there is no file.
class Lines {
 public:
  explicit Lines(const std::string& path) {
    if (is_there(path)) reader_.emplace(path, StepLines::longest);
    next();
  }
  /// Of the line that is next.
  int64_t step() const { return step_; }
  std::string_view line() const { return line_; }
  void next() {
    const std::optional<std::string_view> line = reader_ ? reader_->next() : std::nullopt;
    line_ = line.value_or("");
    step_ = line ? step_of_line(*line) : none;
  }

 private:
  std::optional<LineReader> reader_;
  std::string_view line_;
  int64_t step_ = none;
};

/// What a line of samples.jsonl tells.
std::string text_of_line(std::string_view line) {
  const nlohmann::json entry = nlohmann::json::parse(line, nullptr, false);
  const auto text = entry.find("text");
  return text != entry.end() && text->is_string() ? text->get<std::string>() : "";
}

EventHistogram histogram_of(const TensorStatistics& s) {
  const auto count = static_cast<double>(s.count);
  return {.min = s.min,
          .max = s.max,
          .count = count,
          .sum = s.mean * count,
          .sum_squares = s.norm * s.norm,
          .counts = s.histogram};
}

}  // namespace

TensorBoardLog::TensorBoardLog(const HeldFolder& held, const RunFolder& folder, const RunLog& log,
                               const std::vector<std::pair<std::string, SettingValue>>& settings)
    : bytes_per_target_(log.bytes_per_target()) {
  const std::vector<std::string> before = folder.events();
  file_ = AppendedFile(held, folder.next_events(static_cast<int64_t>(now())));
  wall_time_ = now() - log.seconds();
  waiting_ = event_record(version_event(wall_time_)) + event_record(restart_event(wall_time_));
  put(event(0).hyperparameters(settings));
  write_log(folder, log);
  flush();
  waits_ = false;
  for (const std::string& file : before)
    if (file == before.back())
      AppendedFile(held, file).clear();
    else
      held.remove(file);
}

/// In the order in which a run that was never stopped wrote it.
void TensorBoardLog::write_log(const RunFolder& folder, const RunLog& log) {
  const double begin = wall_time_;
  const std::vector<Evaluation>& evaluations = log.history().evaluations;
  auto evaluation = evaluations.begin();
  Lines samples(folder.samples()), statistics(folder.statistics());
  const auto write_up_to = [&](int64_t last) {
    for (;;) {
      const int64_t evaluated = evaluation == evaluations.end() ? none : evaluation->step;
      const int64_t least = std::min({evaluated, samples.step(), statistics.step()});
      if (least == none || least > last) return;
      if (evaluated == least) {
        add(*evaluation++);
      } else if (samples.step() == least) {
        add_sample(least, text_of_line(samples.line()));
        samples.next();
      } else {
        if (const auto found = UpdateStatistics::from_line(statistics.line())) add(*found);
        statistics.next();
      }
    }
  };
  for (const Update& update : log.updates()) {
    write_up_to(update.step);
    wall_time_ = begin + update.seconds;
    add(update);
  }
  write_up_to(none);
}

Event TensorBoardLog::event(int64_t step) const { return {waits_ ? wall_time_ : now(), step}; }

void TensorBoardLog::put(const Event& event) {
  constexpr size_t piece = size_t{1} << 20;
  waiting_ += event_record(event.bytes());
  if (!waits_ || waiting_.size() >= piece) flush();
}

void TensorBoardLog::flush() {
  file_.append(waiting_);
  waiting_.clear();
}

void TensorBoardLog::call(const RunFolder& folder) {
  file_.call(str(folder.path, "/", std::filesystem::path(file_.path()).filename().string()));
}

void TensorBoardLog::add(const Update& u) {
  Event told = event(u.step);
  told.scalar("loss/train", u.loss).scalar("learning_rate", u.lr).scalar("gradient_norm", u.grad_norm);
  told.scalar("tokens_per_second", u.tokens_per_second);
  if (u.memory_bytes) told.scalar("memory_bytes", static_cast<double>(*u.memory_bytes));
  if (u.tokens) told.scalar("tokens", static_cast<double>(*u.tokens));
  put(told);
}

void TensorBoardLog::add(const Evaluation& e) {
  Event told = event(e.step);
  told.scalar("loss/validation", e.val_loss).scalar("loss/train_evaluated", e.train_loss);
  if (bytes_per_target_ > 0)
    told.scalar("bits_per_byte/validation", bits_per_byte(e.val_loss, bytes_per_target_));
  if (e.val_accuracy) told.scalar("accuracy/validation", *e.val_accuracy);
  put(told);
}

void TensorBoardLog::add_sample(int64_t step, std::string_view text) {
  put(event(step).text("sample", text));
}

void TensorBoardLog::add(const UpdateStatistics& all) {
  Event told = event(all.step);
  for (const auto& [prefix, tensors] : {std::pair{"weights/", &all.weights}, {"gradients/", &all.gradients}})
    for (const auto& [path, s] : *tensors)
      if (!s.histogram.empty()) told.histogram(prefix + path, histogram_of(s));
  for (const auto& [path, ratio] : all.ratios) told.scalar("statistics/update_ratio/" + path, ratio);
  for (const auto& [path, s] : all.activations)
    told.scalar("statistics/activation_std/" + path, s.std)
        .scalar("statistics/activation_zero/" + path, s.zero);
  put(told);
}

}  // namespace weft
