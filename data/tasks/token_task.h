// What the tasks of tokens have in common: samples of ids, padded into batches.
#pragma once

#include <weft/data/tasks/task.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace weft {

/// A task whose sample number i is input and target ids; of classification, the target is one class.
class TokenTask : public TaskDataset {
 public:
  using TaskDataset::TaskDataset;

  struct Sample {
    std::vector<int64_t> input;
    std::vector<int64_t> target;
  };
  /// Sample number `index` of the split, whatever options().samples is.
  virtual Sample sample(uint64_t index) const = 0;
  Batch batch(int64_t first, int64_t count) const override;

 protected:
  /// `text` in ids, then the end.
  std::vector<int64_t> with_end(std::string_view text) const;
  /// <cls>, `text` in ids, <sep>.
  std::vector<int64_t> framed(std::string_view text) const;
  /// ValueError, naming the task and the option, when a length is given to a task that has none.
  void refuse_lengths() const;
};

/// The tokenizer asked for, if it knows every piece of `own`; `own` when none was asked for. ValueError,
/// naming the task and the first word that is not known.
std::shared_ptr<const WordTokenizer> tokenizer_for(std::string_view task, const TaskOptions& options,
                                                   std::shared_ptr<const WordTokenizer> own);

}  // namespace weft
