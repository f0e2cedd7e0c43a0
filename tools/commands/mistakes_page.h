// The pictures, or sounds, that a model takes for something else, as a page to look at.
#pragma once

#include <weft/data/tasks/task.h>
#include <weft/train/scoring.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace weft::tools {

class MistakesPage {
 public:
  /// Samples that a page shows.
  static constexpr int64_t most_shown = 500;

  /// Of a PictureTask, or of a SoundTask.
  explicit MistakesPage(std::shared_ptr<const TaskDataset> task) : task_(std::move(task)) {}
  /// Remembers a sample that was not right.
  void add(int64_t sample, const RowScore& row);
  int64_t count() const { return static_cast<int64_t>(mistakes_.size()); }
  /// "pictures", "sounds".
  const char* what() const { return task_->kind() == TaskKind::pictures ? "pictures" : "sounds"; }
  /// HTML, with all in it: those of which the model was surest first.
  std::string page() const;

 private:
  struct Mistake {
    int64_t sample = 0;
    double probability = -1;
    std::string is, taken_for;
  };
  std::shared_ptr<const TaskDataset> task_;
  std::vector<Mistake> mistakes_;
};

}  // namespace weft::tools
