#include <doctest/doctest.h>
#include <weft/train/resume_choice.h>

namespace weft::test {

TEST_CASE("resume: where it begins, by what is found") {
  using P = ResumePoint;
  const EvaluationPlan plan{.eval_interval = 10, .eval_iters = 2, .patience = 0, .max_iters = 100};
  const auto chosen = [&](const FoundCheckpoints& found) { return choose_resume_point(found, plan, plan); };
  CHECK(chosen({}) == P::beginning);
  CHECK(chosen({.newest = 30}) == P::newest);
  CHECK(chosen({.newest = 30, .best = 20}) == P::newest);
  // The run was killed between best.h5 and the checkpoint that knows of it: it comes to that evaluation again.
  CHECK(chosen({.newest = 30, .best = 40}) == P::newest);
  // Only best.h5 was kept: it holds the whole state.
  CHECK(chosen({.best = 40}) == P::best);
  CHECK(chosen({.best = 40, .unreadable = true}) == P::best);
  CHECK(chosen({.newest = 30, .best = 40, .unreadable = true}) == P::newest);
  // The evaluation before the first update is all there is.
  CHECK(chosen({.best = 0}) == P::beginning);
  // So far the run has been, and only that evaluation can be read: to go on from it would be to begin anew.
  CHECK(chosen({.best = 0, .unreadable = true}) == P::refused);
  CHECK(chosen({.best = 0, .was_saved = true}) == P::refused);
}

TEST_CASE("resume: what cannot be read is never written over") {
  const EvaluationPlan plan{.eval_interval = 10, .eval_iters = 2, .patience = 0, .max_iters = 100};
  CHECK(choose_resume_point({.unreadable = true}, plan, plan) == ResumePoint::refused);
  CHECK(choose_resume_point({.unreadable = true, .was_saved = true}, plan, plan) == ResumePoint::refused);
  CHECK(choose_resume_point({.had_best = true}, plan, plan) == ResumePoint::refused);
  // Killed between the second evaluation and its best.h5: the first one is there, and all comes again.
  CHECK(choose_resume_point({.best = 0, .had_best = true}, plan, plan) == ResumePoint::beginning);
  // All checkpoints are gone, though the log tells of updates.
  CHECK(choose_resume_point({.was_saved = true}, plan, plan) == ResumePoint::refused);
}

TEST_CASE("resume: a changed plan does not come to the best evaluation again, and goes on from it") {
  const EvaluationPlan before{.eval_interval = 10, .eval_iters = 2, .patience = 0, .max_iters = 100};
  const FoundCheckpoints found{.newest = 30, .best = 40};
  const auto now = [&](auto change) {
    EvaluationPlan plan = before;
    change(plan);
    return choose_resume_point(found, before, plan);
  };
  CHECK(now([](EvaluationPlan& p) { p.eval_interval = 15; }) == ResumePoint::best);
  CHECK(now([](EvaluationPlan& p) { p.eval_interval = 20; }) == ResumePoint::best);  // other evaluations before it
  CHECK(now([](EvaluationPlan& p) { p.eval_iters = 3; }) == ResumePoint::best);
  CHECK(now([](EvaluationPlan& p) { p.patience = 5; }) == ResumePoint::best);
  CHECK(now([](EvaluationPlan& p) { p.max_iters = 35; }) == ResumePoint::best);
  CHECK(now([](EvaluationPlan& p) { p.max_iters = 40; }) == ResumePoint::newest);
  CHECK(now([](EvaluationPlan& p) { p.max_iters = 200; }) == ResumePoint::newest);
}

}  // namespace weft::test
