// Where a resume begins: a pure function of what was found in the run's folder.
#pragma once

#include <cstdint>
#include <optional>

namespace weft {

/// What lies in a run's folder.
struct FoundCheckpoints {
  std::optional<int64_t> newest;  ///< step of the newest checkpoint that can be read
  std::optional<int64_t> best;    ///< step of best.h5, if that can be read
  bool unreadable = false;        ///< whether any checkpoint, best.h5 among them, is there that cannot be read
  bool was_saved = false;         ///< whether the log tells of so many updates that a checkpoint was written
  bool had_best = false;          ///< whether it tells of so many evaluations that best.h5 was
};

/// When a run evaluates, as far as a resume that goes back must know it.
struct EvaluationPlan {
  int64_t eval_interval = 0, eval_iters = 0, patience = 0, max_iters = 0;
  bool operator==(const EvaluationPlan&) const = default;
};

enum class ResumePoint {
  newest,     ///< the newest checkpoint
  best,       ///< best.h5, which is all there is, or ahead of what there is
  beginning,  ///< nothing was saved yet: update 0
  refused,    ///< there is something, but nothing that can be read: it must not be written over
};

/// best.h5 is written before the checkpoint that knows of it. If it is ahead of the newest checkpoint and the run will
/// come to the same evaluation again, that checkpoint is where to go on; if not (the plan has changed, the checkpoint
/// is lost), best.h5 is, since what best.h5 was before is gone.
ResumePoint choose_resume_point(const FoundCheckpoints& found, const EvaluationPlan& before, const EvaluationPlan& now);

}  // namespace weft
