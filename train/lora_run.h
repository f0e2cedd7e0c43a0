// Runs that train adapters (lora_rank above 0; layers/lora.h) beside a model that stays as it is, the base. Their checkpoints hold
// the adapters and what else is not the base's, and name the base by the digest of its weights (files/adapters.h).
#pragma once

#include <weft/data/tasks/task_data.h>
#include <weft/layers/models/model.h>
#include <weft/train/run_config.h>

#include <string>
#include <vector>

namespace weft {

struct OpenedModel;

/// What a model has beside adapters that is not its base's, by name.
struct OwnParts {
  std::vector<std::string>
      trained;  ///< in full: what the base lacks, has of another size or for other tokens; lora_full
  std::vector<std::string>
      kept;  ///< as it became when it was taken over: a table cut to a shorter context; buffers
};

/// Of the model of a configuration on a base; nothing is computed. ValueError for a pattern of lora_full that no parameter has.
OwnParts own_parts(const RunConfig& config, const TaskData& task, const OpenedModel& base);

/// Gives a model the adapters of its configuration, with first values from the RandomScope of this thread, and stops
/// the gradients of all else but own.trained. A layer that is trained in full gets none. ValueError for a pattern
/// of lora_layers that no layer has, with those that there are; and for a rank that is more than a layer has.
void add_adapters(Model& model, const RunConfig& config, const OwnParts& own);

/// What its checkpoints hold of such a model: adapters, and its own parts.
std::vector<std::string> saved_parameters(const Model& model, const OwnParts& own);

/// "adapters of rank 8 on 12 layers and 3 parameters in full, 98,304 values, are trained".
std::string describe_adapters(const Model& model, const RunConfig& config);

}  // namespace weft
