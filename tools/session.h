// A training run, ready to go on: made new, or taken up again. It exists only once everything was checked.
#pragma once

#include <weft/data/dataset.h>
#include <weft/data/loader.h>
#include <weft/data/token_cache.h>
#include <weft/optim/adam.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "commands.h"
#include "console.h"
#include "memory_plan.h"
#include "metrics.h"
#include "run_folder.h"
#include "signals.h"
#include "training_state.h"

namespace weft::tools {

struct Session {
  StopSignals signals;
  Console console;
  Config config;
  std::optional<RunClaim> claim;
  TokenizedText text;
  std::optional<EvalDataset> train_windows, validation_windows;
  std::unique_ptr<GPT> model;
  std::unique_ptr<AdamW> optimizer;
  std::unique_ptr<Loader> loader;
  std::optional<MetricsLog> metrics;

  int64_t step = 0;  ///< updates made
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

/// Reads the text into ids, with this tokenizer if there is one, makes the windows of training and
/// evaluation, refuses what will not fit into memory, and makes the model and optimizer of the configuration.
/// Stopped when a signal comes meanwhile.
void prepare_text(Session& session, std::shared_ptr<const Tokenizer> tokenizer);
void build_model(Session& session);

std::unique_ptr<GPT> make_model(const Config& config, int64_t vocab_size);
std::unique_ptr<AdamW> make_optimizer(const Config& config, const GPT& model);

}  // namespace weft::tools
