// From a run's configuration to its parts.
#pragma once

#include <weft/data/tasks/task_data.h>
#include <weft/layers/models/model.h>
#include <weft/optim/optimizer.h>
#include <weft/optim/schedule.h>
#include <weft/train/files/run_folder.h>
#include <weft/train/lora_run.h>
#include <weft/train/run_config.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace weft {

/// The task of the configuration, reading its files with this tokenizer if there is one; their ids are kept in the cache
/// of the run, or shared with a run beside it that reads the same. ValueError when the files are
/// not those of `expected_hash` (TaskData::content_hash), unless that is empty.
TaskData open_task(const RunConfig& config, std::shared_ptr<const Tokenizer> tokenizer,
                   const RunFolder& folder, const std::string& expected_hash,
                   std::function<void(int64_t done, int64_t all)> progress);
/// What that reads of a configuration, without a folder: the paths, the settings, the tokenizer if there is one.
TaskRequest task_request(const RunConfig& config, std::shared_ptr<const Tokenizer> tokenizer);
/// The model, with first values drawn from the run's seed; parameters of `freeze` do not require a gradient. It
/// counts what is right (Model::count_right) where the task has the score accuracy. With lora_rank above 0 it has adapters
/// (lora_run.h), and its `own` parts are trained beside.
std::unique_ptr<Model> build_model(const RunConfig& config, const TaskData& task, const OwnParts& own = {});
/// model.loss(batch), computed with the run's dtype.
Loss loss_of(const RunConfig& config, const Model& model, const Batch& batch);
std::unique_ptr<Optimizer> build_optimizer(const RunConfig& config, const Model& model);
/// The learning rate of an update.
double learning_rate_at(const RunConfig& config, int64_t step);
/// The ids that end what the model writes: config.end_id, else the task's end of text; or none.
std::vector<int64_t> end_ids_of(const RunConfig& config, const TaskData& task);

}  // namespace weft
