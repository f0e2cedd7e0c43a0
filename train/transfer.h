// Fine-tuning and going on: a new run that begins from what another one has learned.
#pragma once

#include <weft/data/tasks/task_data.h>
#include <weft/layers/models/model.h>
#include <weft/optim/optimizer.h>
#include <weft/train/opened_model.h>

#include <memory>
#include <string>
#include <vector>

namespace weft {

/// What a new model must share with the one whose weights it takes, unless told otherwise: the kind, its settings, the
/// tokenizer, and how the text is read.
std::vector<Assignment> shape_of(const OpenedModel& source);

/// The source's tokenizer when it has an id for every character of the text, else none.
std::shared_ptr<const Tokenizer> tokenizer_for(const OpenedModel& source, const RunConfig& config);

/// `weights` of the source without those that belong to another vocabulary than the task's.
StateDict fitting_weights(const StateDict& weights, const TaskData& task, const OpenedModel& source);

/// Gives the model the weights that fit by name and shape; says what was taken, what is new and what was left. With
/// another tokenizer than the source's the token embedding is new. ValueError when nothing fits.
void take_weights(Model& model, const TaskData& task, const OpenedModel& source, const Say& say);

/// Gives the optimizer the state of the parameters that fit, and says what moved, is new, was dropped. ValueError for a
/// source without a training part, or of another optimizer.
void take_optimizer(Optimizer& optimizer, const OpenedModel& source, const Say& say);

}  // namespace weft
