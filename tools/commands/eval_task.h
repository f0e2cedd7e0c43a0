// `weft eval` of what is no plain text: tasks, on generated samples or on a user's records.
#pragma once

#include <weft/data/tasks/registry.h>
#include <weft/train/files/opened_model.h>
#include <weft/train/show/console.h>

#include <memory>

#include "commands.h"

namespace weft::tools {

/// Keys of a task given by --set over those that the model was trained with. ValueError for one that it does not have.
SettingValues settings_with(const TaskEntry& entry, const SettingValues& trained,
                            const std::vector<std::string>& set);

/// What files are read with, by a model of that task: its tokenizer, its classes, its columns.
TaskRequest request_of(const ModelFile& model, const TaskEntry& entry, const std::vector<std::string>& set);

/// What the run trained on and keeps from training, as it was read then, its ids in its cache. ValueError for a model
/// outside of a run's folder.
TaskRequest held_out_request(const OpenedModel& opened, const TaskEntry& entry, const Say& say);

/// ValueError for a task of another kind than what the model learned.
void check_kind(const ModelFile& model, const TaskEntry& entry);

/// The most tokens that a model reads, 0 for no limit: of its file's settings, before it is built.
int64_t longest_read(const ModelFile& model);

/// A model scored on a task; of a task on files, on those that were given, or on what the run keeps from training.
Work prepare_task_eval(const std::shared_ptr<OpenedModel>& opened, const EvalArguments& arguments,
                       const TaskEntry& entry);

/// Each line of texts by itself, as lines of JSON.
Work prepare_lines_eval(const std::shared_ptr<OpenedModel>& opened, const EvalArguments& arguments);

/// The file of --choices: for each line {"prompt": ..., "choices": [...], "answer": N} the endings by their probability.
Work prepare_choices_eval(const std::shared_ptr<OpenedModel>& opened, const EvalArguments& arguments);

}  // namespace weft::tools
