// A training run, ready to go on: made new, or taken up again. It exists only once everything was checked.
#pragma once

#include <weft/data/loader.h>
#include <weft/layers/models/model.h>
#include <weft/optim/ema.h>
#include <weft/optim/optimizer.h>
#include <weft/tools/commands/commands.h>
#include <weft/train/console.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "memory_plan.h"
#include "metrics.h"
#include "run_folder.h"
#include "signals.h"
#include "task.h"
#include "training_state.h"

namespace weft {

using tools::TrainArguments;

struct Session {
  StopSignals signals;
  Console console;
  Config config;
  std::optional<RunClaim> claim;
  Task task;
  std::unique_ptr<Model> model;
  std::unique_ptr<Optimizer> optimizer;
  std::optional<EMA> ema;  ///< with ema_decay above 0
  std::unique_ptr<Loader> loader;
  std::optional<MetricsLog> metrics;

  int64_t step = 0;  ///< updates made
  int64_t read = 0;  ///< tokens, or pictures, since the last line of the log
  History history;
  int64_t saved_step = -1;       ///< of the newest checkpoint in the folder
  size_t saved_evaluations = 0;  ///< and what it knows
  int64_t stopped_at = -1;       ///< the checkpoint that a stop left between two regular ones
  MemoryPlan memory;
  std::vector<std::string> notes;  ///< to be said once the run's path has been

  const RunFolder& folder() const { return claim->folder(); }
  int64_t samples_per_update() const { return config.batch_size * config.gradient_accumulation_steps; }
  Checkpoint checkpoint() const;
};

/// From --data, --config, --set, --out and --init-from.
std::shared_ptr<Session> new_session(const TrainArguments& arguments);
/// From --resume, --set and --data.
std::shared_ptr<Session> resumed_session(const TrainArguments& arguments);

/// Makes the task of the configuration, reading its text with this tokenizer if there is one, and refuses
/// what will not fit into memory. Stopped when a signal comes meanwhile.
void prepare_task(Session& session, std::shared_ptr<const Tokenizer> tokenizer);
/// The model and the optimizer of the configuration.
void build_model(Session& session);

std::unique_ptr<Optimizer> make_optimizer(const Config& config, const Model& model);

}  // namespace weft
