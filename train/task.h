// A task: what a run learns, from what data, and how the data shape the model.
#pragma once

#include <weft/data/tasks/task.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config.h"

namespace weft {

/// What the data say of a model's shape. Numbers that a task does not have are 0, ids -1.
struct DataShape {
  int64_t vocab_size = 0;
  int64_t classes = 0;
  int64_t pad_id = -1, start_id = -1, end_id = -1;
  TaskSizes sizes = {};
};

/// So many samples, the same at every evaluation.
struct Samples {
  int64_t count = 0;
  /// [first, min(first + number, count)).
  std::function<Batch(int64_t first, int64_t number)> make;

  int64_t size() const { return count; }
  Batch batch(int64_t first, int64_t number) const { return make(first, number); }
};

struct Task {
  TaskKind kind = TaskKind::language;
  DataShape shape;
  std::shared_ptr<const TaskDataset> generated;  ///< what is kept from training; none for texts of a user
  std::shared_ptr<const Tokenizer> tokenizer;    ///< none for pictures
  std::shared_ptr<const Dataset> training;
  Samples seen, unseen;  ///< what an evaluation reads, of the training data and of what is kept from it
  /// The largest batch of so many rows that is to be expected, for planning memory: of its shape, not of its
  /// values.
  std::function<Batch(int64_t rows)> largest;
  std::string content_hash;  ///< names the data: 32 hexadecimal digits
  std::string summary;       ///< a line for people
  std::vector<std::string> notes;
};

/// What a task is made with, beside the configuration.
struct TaskSource {
  std::shared_ptr<const Tokenizer> tokenizer = nullptr;  ///< a checkpoint's; else the task makes its own
  std::string cache_folder = {};                         ///< where the ids of a text are kept
  std::function<void(int64_t done, int64_t all)> progress = nullptr;  ///< may throw to stop
};
/// ValueError, FileError when the configuration names data that cannot be had.
Task make_task(const Config& config, const TaskSource& source);

/// The name of the task of text files; all others are those of data/task.h.
inline constexpr const char* text_task_name = "text";
/// What --task may be.
std::vector<std::string> names_of_tasks();
TaskKind kind_of_task(const std::string& name);
std::string meaning_of_task(const std::string& name);

}  // namespace weft
