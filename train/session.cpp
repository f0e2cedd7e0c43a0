#include "session.h"

#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>
#include <weft/optim/make_optimizer.h>
#include <weft/optim/parameter_groups.h>

#include <algorithm>
#include <utility>

#include "model_config.h"

namespace weft {

void prepare_task(Session& session, std::shared_ptr<const Tokenizer> tokenizer) {
  Console& console = session.console;
  session.task = make_task(
      session.config, {.tokenizer = std::move(tokenizer),
                       .cache_folder = session.folder().cache(),
                       .progress = [&console](int64_t done, int64_t all) {
                         if (const int signal = StopSignals::received()) throw Stopped{signal};
                         console.renew(str("reading the text: ", all > 0 ? 100 * done / all : 100, " %"));
                       }});
  console.clear();
  session.notes.insert(session.notes.end(), session.task.notes.begin(), session.task.notes.end());
  session.memory = plan_memory(session);
  session.loader = std::make_unique<Loader>(session.task.training, session.config.batch_size);
}

std::unique_ptr<Optimizer> make_optimizer(const Config& config, const Model& model) {
  OptimizerOptions options{.lr = config.learning_rate, .weight_decay = config.weight_decay};
  const std::vector<std::string> more = optimizer_options(config.optimizer);
  if (std::ranges::count(more, "beta1") > 0) options.beta1 = config.beta1;
  if (std::ranges::count(more, "beta2") > 0) options.beta2 = config.beta2;
  return weft::make_optimizer(
      config.optimizer, parameter_groups(model.parameters(), {.layer_decay = config.layer_decay}), options);
}

void build_model(Session& session) {
  session.model = make_model(session.config, session.task);
  session.optimizer = make_optimizer(session.config, *session.model);
  if (session.config.ema_decay > 0)
    session.ema.emplace(session.optimizer->parameters(), session.config.ema_decay);
}

Checkpoint Session::checkpoint() const {
  return {.step = step,
          .config = config,
          .model_kind = model->kind(),
          .model_config = model->config_state(),
          .tokenizer = task.tokenizer,
          .content_hash = task.content_hash,
          .history = history,
          .model = model->shared_state_dict(),
          .optimizer = optimizer->state_dict(),
          .ema = ema ? ema->state_dict() : StateDict(),
          .loader = loader->state_dict()};
}

}  // namespace weft
