// What the tasks of tokens have in common: samples of ids, padded into batches.
#pragma once

#include <weft/data/tasks/indexed_task.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// A task whose sample number i is input and target ids; of classification, the target is one class.
class TokenTask : public IndexedTask {
 public:
  using IndexedTask::IndexedTask;

  struct Sample {
    std::vector<int64_t> input;
    std::vector<int64_t> target;
  };
  /// Sample number `index` of the split, whatever options().samples is.
  virtual Sample sample(uint64_t index) const = 0;
  Lengths lengths(uint64_t index) const override;
  Batch batch_of(std::span<const Drawn> samples) const override;
  /// These samples, in this order.
  Batch batch_of(std::span<const uint64_t> indices) const;

 protected:
  std::vector<int64_t> with_end(std::string_view text) const;
  std::vector<int64_t> framed(std::string_view text) const;
  /// ValueError, naming the task and the option, when a length is given to a task that has none.
  void refuse_lengths() const;
};

/// `text` in ids, then the end.
std::vector<int64_t> with_end(const Tokenizer& tokenizer, std::string_view text, int64_t end_id);
/// <cls>, `text` in ids, <sep>.
std::vector<int64_t> framed(const Tokenizer& tokenizer, std::string_view text, const SpecialIds& special);
/// Takes out ids before the last until there are `longest`, 0 for no limit: whether there were more.
bool cut_framed(std::vector<int64_t>& ids, int64_t longest);

/// The tokenizer asked for, if it knows every piece of `own`; `own` when none was asked for. ValueError,
/// naming the task and the first word that is not known.
std::shared_ptr<const WordTokenizer> tokenizer_for(std::string_view task, const TaskOptions& options,
                                                   std::shared_ptr<const WordTokenizer> own);

}  // namespace weft
