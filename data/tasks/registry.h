// All tasks by name, ours and a user's. One that makes its own samples is a TaskDataset (task.h), known after
//   register_task({.name = "mine", .summary = "what it asks", .kind = TaskKind::pairs,
//                  .generate = [](const std::string& name, const TaskOptions& o) { return make_shared<Mine>(name, o); }});
// and one that reads files gives `open` instead. Its settings are keys of a run: `weft train --task mine --set ...`.
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
  /// Takes the name it was asked for. ValueError for options out of range or without a meaning for the task.
  std::function<TaskPointer(const std::string& name, const TaskOptions& options)> generate = nullptr;
  /// Reads the files of TaskRequest::data.
  std::function<TaskData(const TaskRequest& request)> open = nullptr;

  bool reads_files() const { return open != nullptr; }
};

/// The registry, in which ours are from the start.
Registry<TaskEntry>& tasks();
/// ValueError for a name that is taken, and unless there is one of `generate` and `open`.
void register_task(TaskEntry entry);

/// A task that makes its own samples. ValueError for a name that nobody knows, with the nearest, and for a task of
/// files; else as TaskEntry::generate.
TaskPointer make_task(std::string_view name, const TaskOptions& options = {});
/// Names of the tasks that make their own samples, in the order of a list for people.
std::vector<std::string> generated_tasks();
/// Any task with all that a run reads of it. ValueError and FileError as the task throws them; ValueError for files
/// that it does not read, or for none where it needs some.
TaskData open_task(const TaskRequest& request);

}  // namespace weft
