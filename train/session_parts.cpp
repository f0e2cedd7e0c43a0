#include <weft/data/text/data_files.h>
#include <weft/train/show/console.h>

#include <algorithm>
#include <utility>

#include "session_internal.h"

namespace weft {
namespace {

std::vector<std::pair<std::string, SettingValue>> settings_of(const RunConfig& config) {
  std::vector<std::pair<std::string, SettingValue>> all;
  for (const Setting& key : keys_of(config)) all.emplace_back(key.name, value_of(config, key));
  return all;
}

}  // namespace

namespace session {

void open_data(Session& s, const std::function<TaskData(const ReadProgress&)>& opened) {
  Console& console = s.console;
  s.task = opened([&console](int64_t done, int64_t all) {
    if (const int signal = StopSignals::received()) throw Stopped{signal};
    console.renew(str("reading the text: ", all > 0 ? 100 * done / all : 100, " %"));
  });
  console.clear();
  s.notes.insert(s.notes.end(), s.task.notes.begin(), s.task.notes.end());
}

void open_parts(Session& s, int64_t profiled, const OpenedModel* base) {
  if (base) s.own = own_parts(s.config, s.task, *base);
  s.memory = plan_with_advice(s.config, s.task, profiled, s.own);
  s.model = build_model(s.config, s.task, s.own);
  if (base) s.lora = {weights_digest(base->checkpoint.model.weights), lora_alphas(*s.model)};
  s.optimizer = build_optimizer(s.config, *s.model);
  if (s.config.shard_optimizer) s.optimizer->share_out(s.processes);
  UpdateShare share{.batches = s.config.gradient_accumulation_steps};
  if (s.config.reduction_shards > 1) {
    s.shards.emplace(s.optimizer->parameters(), s.config.reduction_shards, s.processes);
    share = s.shards->share(s.config.gradient_accumulation_steps);
  }
  s.loader = std::make_unique<Loader>(s.task.training, s.config.batch_size, std::move(share));
  if (s.config.ema_decay > 0) s.ema.emplace(s.optimizer->parameters(), s.config.ema_decay);
}

void open(Session& s, const RunFolder& folder, std::shared_ptr<const Tokenizer> tokenizer,
          const std::string& expected_hash, int64_t profiled, const OpenedModel* base) {
  open_data(s, [&](const ReadProgress& progress) {
    return open_task(s.config, std::move(tokenizer), folder, expected_hash, progress);
  });
  open_parts(s, profiled, base);
}

RunAbout about(const Session& s) {
  const RunConfig& c = s.config;
  TrainedOn on{.task = c.task, .seed = static_cast<uint64_t>(c.seed), .newlines = c.newlines};
  if (c.parts.contains("block_size")) on.block_size = c.parts.integer("block_size");
  for (const Setting& setting : tasks().at(c.task).settings)
    if (c.parts.contains(setting.name)) on.settings.set(setting.name, c.parts.at(setting.name));
  return {.tokenizer = s.task.tokenizer,
          .end_ids = end_ids_of(c, s.task),
          .class_names = s.task.held_out ? s.task.held_out->class_names() : std::vector<std::string>(),
          .trained_on = std::move(on),
          .lora = s.lora,
          .saved = s.lora ? saved_parameters(*s.model, s.own) : std::vector<std::string>(),
          .config = fixed_state(c),
          .content_hash = s.task.content_hash,
          .bytes_per_target = s.task.unseen.bytes_per_target,
          .keep_checkpoints = c.keep_checkpoints,
          .tensorboard = c.tensorboard,
          .settings = settings_of(c),
          .checkpoint_interval = c.checkpoint_interval};
}

void check_test_data(const RunConfig& config) {
  if (!config.test_data.empty() && !tasks().at(config.task).reads_files(config.data))
    fail<ValueError>("--test-data: is for tasks on files; ", config.task, " makes its own samples");
  for (const std::string& path : config.test_data)
    for (const std::string& part : parallel_files(path))
      if (!names_data(part))
        fail<FileError>(part, ": is not there; --test-data names the files that ", program_name(),
                        " eval RUN --test scores");
}

void warn_of_rate(const RunConfig& c, std::vector<std::string>& notes) {
  if (c.max_iters > 0 && learning_rate_at(c, std::max(c.lr_decay_iters, c.max_iters)) > c.learning_rate)
    notes.push_back(str("warning: min_lr ", c.min_lr, " is above learning_rate ", c.learning_rate,
                        ": the rate will rise, not fall"));
  if (c.warmup_iters >= c.max_iters && c.max_iters > 0 && c.warmup_iters > 0)
    notes.push_back(str("warning: warmup_iters ", c.warmup_iters, " is not below max_iters ", c.max_iters,
                        ": the run ends before the rate has reached learning_rate"));
}

}  // namespace session
}  // namespace weft
