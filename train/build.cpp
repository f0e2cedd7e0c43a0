#include <weft/autograd/autocast.h>
#include <weft/data/tasks/registry.h>
#include <weft/data/text/word_tokenizer.h>
#include <weft/layers/models/registry.h>
#include <weft/lib/array/random.h>
#include <weft/optim/make_optimizer.h>
#include <weft/optim/parameter_groups.h>
#include <weft/train/build.h>

#include <algorithm>
#include <utility>

namespace weft {

TaskRequest task_request(const RunConfig& config, std::shared_ptr<const Tokenizer> tokenizer) {
  return {.name = config.task,
          .settings = config.parts,
          .seed = static_cast<uint64_t>(config.seed),
          .evaluated = config.eval_iters * config.batch_size,
          .update_size = config.samples_per_update(),
          .data = config.data,
          .val_data = config.val_data,
          .tokenizer_name = config.tokenizer,
          .newlines = newlines_from(config.newlines),
          .tokenizer = std::move(tokenizer)};
}

TaskData open_task(const RunConfig& config, std::shared_ptr<const Tokenizer> tokenizer,
                   const RunFolder& folder, const std::string& expected_hash,
                   std::function<void(int64_t, int64_t)> progress) {
  TaskRequest request = task_request(config, std::move(tokenizer));
  request.expected_hash = expected_hash;
  request.cache_folder = folder.cache();
  request.other_caches = folder.caches_beside();
  request.progress = std::move(progress);
  return open_task(request);
}

std::unique_ptr<Model> build_model(const RunConfig& config, const TaskData& task, const OwnParts& own) {
  const RandomScope random({.seed = static_cast<uint64_t>(config.seed)});
  const ModelEntry& entry = models().at(config.model);
  std::unique_ptr<Model> model = entry.make(entry.settings_for(config.parts, task.shape));
  model->recompute_blocks = config.recompute;
  model->label_smoothing = config.label_smoothing;
  model->count_right = task.held_out && std::ranges::count(task.held_out->scores(), "accuracy") > 0;
  if (config.lora_rank > 0) add_adapters(*model, config, own);
  freeze(model->parameters(), patterns_in(config.freeze));
  return model;
}

Loss loss_of(const RunConfig& config, const Model& model, const Batch& batch) {
  const Autocast computing(config.computing_type());
  return model.loss(batch);
}

std::unique_ptr<Optimizer> build_optimizer(const RunConfig& config, const Model& model) {
  SettingValues options{{"lr", config.learning_rate}, {"weight_decay", config.weight_decay}};
  for (const Setting& s : optimizers().at(config.optimizer).settings)
    if (!options.contains(s.name) && config.parts.contains(s.name))
      options.set(s.name, config.parts.at(s.name));
  return make_optimizer(config.optimizer,
                        parameter_groups(model.parameters(), {.layer_decay = config.layer_decay}), options);
}

double learning_rate_at(const RunConfig& config, int64_t step) {
  return schedules()
      .at(config.schedule)
      .function(step, {.lr = config.learning_rate,
                       .warmup = config.warmup_iters,
                       .steps = config.lr_decay_iters,
                       .min_lr = config.min_lr,
                       .decay = config.decay_iters,
                       .settings = config.parts});
}

std::vector<int64_t> end_ids_of(const RunConfig& config, const TaskData& task) {
  if (config.end_id != RunConfig::unset) return {config.end_id};
  if (task.held_out && task.tokenizer && task.shape.end_id >= 0) return {task.shape.end_id};
  if (task.end_id >= 0) return {task.end_id};
  return {};
}

}  // namespace weft
