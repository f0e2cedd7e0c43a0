#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>
#include <weft/train/show/progress.h>

#include <algorithm>
#include <cmath>

namespace weft {

std::string step_text(int64_t step, int64_t of) {
  const std::string number = std::to_string(step), all = std::to_string(of);
  return str("step ", std::string(all.size() - std::min(all.size(), number.size()), ' '), number, "/", all);
}

void Progress::end_update(Update& update, int64_t read) {
  const double took = std::chrono::duration<double>(Clock::now() - begin_).count();
  since_ += took;
  read_ += read;
  // Follows a machine that grows slower or faster, over some fifty updates.
  mean_ = mean_ == 0 ? took : 0.98 * mean_ + 0.02 * took;
  update.tokens_per_second = static_cast<double>(read_) / since_;
  update.seconds = seconds();
}

double Progress::seconds() const {
  return before_ + std::chrono::duration<double>(Clock::now() - start_).count();
}

std::string Progress::line(const Update& update, int64_t max_iters, const char* unit) const {
  return str(step_text(update.step, max_iters), "  loss ", fixed(update.loss, 4), "  lr ", brief(update.lr),
             "  norm ", fixed(update.grad_norm, 2), "  ", grouped(std::llround(update.tokens_per_second)),
             " ", unit, "/s  ", duration(mean_ * static_cast<double>(max_iters - update.step - 1)), " left");
}

}  // namespace weft
