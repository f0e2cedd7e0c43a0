// A training run of a configuration, ready to go on: made new, or taken up again. It exists only once everything was
// checked. What each part does is told where it is; nothing here trains.
#pragma once

#include <weft/data/loader.h>
#include <weft/layers/models/model.h>
#include <weft/lib/processes/processes.h>
#include <weft/optim/ema.h>
#include <weft/optim/gradient_shards.h>
#include <weft/optim/optimizer.h>
#include <weft/train/build.h>
#include <weft/train/memory_plan.h>
#include <weft/train/run.h>
#include <weft/train/show/console.h>
#include <weft/train/signals.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weft {

struct Session {
  /// Those that this one trains with: of mpirun, else itself alone. The first of them writes the run's folder, which all
  /// must see.
  Processes& processes = Processes::joined();
  StopSignals signals;
  Console console;
  RunConfig config;
  TaskData task;
  std::unique_ptr<Model> model;
  std::unique_ptr<Optimizer> optimizer;
  std::optional<EMA> ema;                ///< with ema_decay above 0
  std::optional<GradientShards> shards;  ///< with reduction_shards above 1
  std::unique_ptr<Loader> loader;
  std::optional<Run> run;
  MemoryPlan memory;
  std::optional<LoraPart> lora;    ///< with lora_rank above 0
  OwnParts own;                    ///< what is the model's own then, beside adapters
  std::vector<std::string> notes;  ///< to be said once the run's path has been

  RunParts parts() { return {*model, *optimizer, *loader, ema ? &*ema : nullptr, &processes}; }
};

struct NewRunOptions {
  std::vector<std::string> data;
  std::vector<std::string> val_data;   ///< what validates; none: a part of `data`
  std::vector<std::string> test_data;  ///< what `weft eval --test` scores; the run reads nothing of it
  std::string model, task;             ///< empty: as the configuration has them
  std::string out;                     ///< empty: the first free of runs/NAME, runs/NAME-2, ...
  std::string config;                  ///< a TOML file
  std::vector<std::string> set;
  std::string init_from;        ///< RUN or FILE.h5, whose weights it begins with
  bool with_optimizer = false;  ///< and whose optimizer's state, as far as it fits
  std::string continued;        ///< RUN or FILE.h5 whose configuration and whole state it begins with
  double minutes = 0;           ///< above 0: what is not set is chosen to end by then (train/time_budget.h)
  bool overwrite = false;
  int64_t profiled = 0;  ///< updates that a profile will be taken of, which takes memory
};
std::shared_ptr<Session> new_session(const NewRunOptions& options);
/// The same without a folder and without Session::run, for a short training that nothing is kept of. StateError when it is one
/// of several processes.
std::shared_ptr<Session> trial_session(const NewRunOptions& options);

struct ResumeOptions {
  std::string run;
  std::vector<std::string> set;        ///< keys that steer
  std::vector<std::string> data;       ///< where the text lies now; empty: as config.toml says
  std::vector<std::string> val_data;   ///< likewise, of a run that has some
  std::vector<std::string> test_data;  ///< in place of what config.toml names
  std::string base;                    ///< where the model that adapters are of lies now; likewise
  bool any_numerics = false;           ///< go on though the bits will be others
  bool start_over = false;             ///< move what cannot be read aside and begin again
  int64_t profiled = 0;                ///< as of a new run
};
std::shared_ptr<Session> resumed_session(const ResumeOptions& options);

}  // namespace weft
