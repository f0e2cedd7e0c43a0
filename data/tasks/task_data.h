// What a run learns: a task opened, with the samples that train and those that evaluate.
#pragma once

#include <weft/data/dataset.h>
#include <weft/data/tasks/task.h>
#include <weft/data/text/text.h>
#include <weft/data/text/tokenizer.h>
#include <weft/lib/array/data_shape.h>
#include <weft/lib/settings/setting.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace weft {

/// So many samples, the same at every evaluation.
struct Samples {
  int64_t count = 0;
  /// [first, min(first + number, count)).
  std::function<Batch(int64_t first, int64_t number)> make;
  /// Bytes of text that a target stands for on average, of those that count: what a loss is in bits per byte. 0: no text is
  /// read on, or the tokenizer does not give it back as it was (is_lossless).
  double bytes_per_target = 0;

  int64_t size() const { return count; }
  Batch batch(int64_t first, int64_t number) const { return make(first, number); }
};

struct TaskData {
  DataShape shape;
  std::shared_ptr<const TaskDataset> held_out;  ///< what is kept from training; none of the task text
  std::shared_ptr<const Tokenizer> tokenizer;   ///< none for pictures
  std::shared_ptr<const Dataset> training;
  Samples seen, unseen;  ///< what an evaluation reads, of the training data and of what is kept from it
  /// The largest batch of so many rows that is to be expected, for planning memory: of its shape, not of its values.
  std::function<Batch(int64_t rows)> largest;
  /// Rows of it that are as much as any batch that trains, where batches have other numbers of rows than batch_size.
  int64_t largest_rows = 0;
  /// The smallest, likewise: kernels keep copies of weights for products of few rows.
  std::function<Batch(int64_t rows)> smallest;
  int64_t end_id = -1;       ///< that ends each document of a text; -1: nothing does
  std::string content_hash;  ///< names the data: 32 hexadecimal digits
  std::string summary;       ///< a line for people
  std::vector<std::string> notes;
};

/// What a task is opened with.
struct TaskRequest {
  std::string name;
  SettingValues settings = {};  ///< the task's own, and the tokenizer's
  uint64_t seed = 1;
  int64_t evaluated = 0;                      ///< samples of an evaluation; 0: all
  int64_t update_size = 1;                    ///< samples of an update, for what puts them together itself
  std::vector<std::string> data = {};         ///< paths
  std::vector<std::string> val_data = {};     ///< paths of what validates; none: a part of `data`
  std::vector<std::string> class_names = {};  ///< a checkpoint's; else what the labels are
  std::string tokenizer_name = "char";        ///< of the one to be made, where there is none
  Newlines newlines = Newlines::keep;
  std::shared_ptr<const Tokenizer> tokenizer = nullptr;  ///< a checkpoint's; else the task makes its own
  std::string expected_hash = {};                        ///< content_hash that files must have; empty: any
  std::string cache_folder = {};                         ///< where the ids of a text are kept
  std::vector<std::string> other_caches = {};            ///< where they may lie already
  std::function<void(int64_t done, int64_t all)> progress = nullptr;  ///< may throw to stop
};

}  // namespace weft
