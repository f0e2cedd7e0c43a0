#include <weft/lib/base/error.h>
#include <weft/lib/base/lines.h>
#include <weft/train/files/step_lines.h>

#include <charconv>
#include <functional>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

namespace weft {

int64_t step_of_line(std::string_view line) {
  constexpr std::string_view begin = "{\"step\":";
  if (!line.starts_with(begin)) return -1;
  line.remove_prefix(begin.size());
  int64_t step = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), step);
  const bool ends = end != line.data() + line.size() && (*end == ',' || *end == '}');
  return error == std::errc() && ends && step >= 0 ? step : -1;
}

StepLines::StepLines(const HeldFolder& folder, std::string path, int64_t end) : path_(std::move(path)) {
  if (!is_there(path_)) return;
  bool as_it_was = true;
  // Twice over the file, so that its lines need not be kept.
  const auto read = [&](const std::function<void(std::string_view)>& take) {
    last_ = -1;
    unreadable_ = 0;
    for (LineReader lines(path_, longest); const auto line = lines.next();) {
      const int64_t step = step_of_line(*line);
      const bool good = step > last_ && nlohmann::json::accept(*line);
      if (!good) ++unreadable_;
      const bool kept = good && step < end;
      as_it_was = as_it_was && kept && lines.had_newline();
      if (!kept) continue;
      last_ = step;
      take(*line);
    }
  };
  read([](std::string_view) {});
  if (!as_it_was && last_ < 0) {
    folder.remove(path_);
  } else if (!as_it_was) {
    AtomicFile whole(folder, path_);
    read([&](std::string_view line) {
      whole.write(line);
      whole.write("\n");
    });
    whole.commit();
  }
}

void StepLines::add(const HeldFolder& folder, int64_t step, std::string_view line) {
  if (step <= last_) fail<ValueError>(path_, ": a line of step ", step, " behind one of step ", last_);
  if (!file_.is_open()) file_ = AppendedFile(folder, path_);
  file_.append(str(line, "\n"));
  last_ = step;
}

void StepLines::call(const std::string& path) {
  path_ = path;
  file_.call(path);
}

}  // namespace weft
