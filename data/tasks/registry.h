// All tasks by name, ours and a user's. One that makes its own samples is a TaskDataset (task.h), known after
//   register_task({.name = "mine", .summary = "what it asks", .kind = TaskKind::pairs,
//                  .generate = [](const std::string& name, const TaskOptions& o) { return make_shared<Mine>(name, o); }});
// and one that reads files gives `open`; one may have both, and makes samples where no files are given. Its settings are
// keys of a run: `weft train --task mine --set ...`.
#pragma once

#include <weft/data/tasks/task.h>
#include <weft/data/tasks/task_data.h>
#include <weft/lib/settings/registry.h>
#include <weft/lib/settings/setting.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace weft {

using TaskPointer = std::shared_ptr<const TaskDataset>;

struct TaskEntry {
  std::string name;
  std::string summary;  ///< a line for people
  TaskKind kind = TaskKind::language;
  std::vector<Setting> settings = {};
  /// What keys of a run are, on files, unless told: of the run itself, and of its model and tokenizer.
  SettingValues defaults = {};
  /// Takes the name it was asked for. ValueError for options out of range or without a meaning for the task.
  std::function<TaskPointer(const std::string& name, const TaskOptions& options)> generate = nullptr;
  /// Reads the files of TaskRequest::data.
  std::function<TaskData(const TaskRequest& request)> open = nullptr;

  /// All that is in the files of TaskRequest::data, in its order, for scoring with the request's tokenizer and classes; an
  /// epoch is each once. None of a task that cannot tell.
  std::function<TaskPointer(const TaskRequest& request)> open_to_score = nullptr;

  /// A task of another kind that is asked for by this name, with a model that learns this kind: classify, of pictures.
  std::string asked_as = {};

  /// Whether it reads files, when a run is given these.
  bool reads_files(const std::vector<std::string>& data) const {
    return open && (!generate || !data.empty());
  }
};

/// The registry, in which ours are from the start.
Registry<TaskEntry>& tasks();
/// ValueError for a name that is taken, and without `generate` and `open`.
void register_task(TaskEntry entry);

/// The task of that name; but where a model that learns `kinds` does not learn its kind, the one that is asked for by the
/// same name and has one of them. ValueError for a name that nobody knows, with the nearest.
const TaskEntry& task_asked(std::string_view name, const std::vector<TaskKind>& kinds);

/// A task that makes its own samples. ValueError for a name that nobody knows, with the nearest, and for a task of
/// files alone; else as TaskEntry::generate.
TaskPointer make_task(std::string_view name, const TaskOptions& options = {});
/// Names of the tasks that make their own samples, in the order of a list for people.
std::vector<std::string> generated_tasks();
/// Any task with all that a run reads of it. ValueError and FileError as the task throws them; ValueError for files
/// that it does not read, or for none where it needs some.
TaskData open_task(const TaskRequest& request);

}  // namespace weft
