#include <weft/train/resume_choice.h>

namespace weft {
namespace {

bool comes_again(int64_t step, const EvaluationPlan& before, const EvaluationPlan& now) {
  return before.eval_interval == now.eval_interval && before.eval_iters == now.eval_iters &&
         before.patience == now.patience && step <= now.max_iters &&
         (step % now.eval_interval == 0 || step == now.max_iters);
}

}  // namespace

ResumePoint choose_resume_point(const FoundCheckpoints& found, const EvaluationPlan& before,
                                const EvaluationPlan& now) {
  if (!found.newest && !found.best)
    return found.unreadable || found.was_saved || found.had_best ? ResumePoint::refused : ResumePoint::beginning;
  if (!found.best) return ResumePoint::newest;
  if (!found.newest) {
    // The evaluation before the first update is written before any checkpoint is.
    if (*found.best > 0) return ResumePoint::best;
    if (found.unreadable || found.was_saved) return ResumePoint::refused;
    return comes_again(0, before, now) ? ResumePoint::beginning : ResumePoint::best;
  }
  const bool ahead = *found.best > *found.newest;
  return ahead && !comes_again(*found.best, before, now) ? ResumePoint::best : ResumePoint::newest;
}

}  // namespace weft
