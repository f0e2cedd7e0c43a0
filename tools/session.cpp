#include "session.h"

#include <weft/lib/error.h>
#include <weft/optim/adam.h>

#include <utility>

#include "model_config.h"
#include "values.h"

namespace weft::tools {

void prepare_task(Session& session, std::shared_ptr<const Tokenizer> tokenizer) {
  Console& console = session.console;
  session.task = make_task(
      session.config, {.tokenizer = std::move(tokenizer),
                       .cache_folder = session.folder().cache(),
                       .progress = [&console](int64_t done, int64_t all) {
                         if (const int signal = StopSignals::received()) throw Stopped{signal};
                         console.renew(cat("reading the text: ", all > 0 ? 100 * done / all : 100, " %"));
                       }});
  console.clear();
  session.notes.insert(session.notes.end(), session.task.notes.begin(), session.task.notes.end());
  session.memory = plan_memory(session);
  session.loader = std::make_unique<Loader>(session.task.training, session.config.batch_size);
}

std::unique_ptr<Optimizer> make_optimizer(const Config& config, const Model& model) {
  return std::make_unique<AdamW>(parameter_groups(model.parameters()),
                                 AdamWOptions{.lr = config.learning_rate,
                                              .beta1 = config.beta1,
                                              .beta2 = config.beta2,
                                              .weight_decay = config.weight_decay});
}

void build_model(Session& session) {
  session.model = make_model(session.config, session.task);
  session.optimizer = make_optimizer(session.config, *session.model);
}

Checkpoint Session::checkpoint() const {
  return {.step = step,
          .config = config,
          .model_kind = model->kind(),
          .model_config = model->config_state(),
          .tokenizer = task.tokenizer,
          .content_hash = task.content_hash,
          .history = history,
          .model = model->state_dict(),
          .optimizer = optimizer->state_dict(),
          .loader = loader->state_dict()};
}

}  // namespace weft::tools
