#include <weft/data/tasks/token_task.h>
#include <weft/lib/base/error.h>

#include <algorithm>

namespace weft {
TokenTask::Lengths TokenTask::lengths(uint64_t index) const {
  const Sample one = sample(index);
  return {std::ssize(one.input), std::ssize(one.target)};
}

Batch TokenTask::batch_of(std::span<const Drawn> samples) const {
  std::vector<uint64_t> indices;
  for (const Drawn& one : samples) indices.push_back(one.index);
  return batch_of(indices);
}

Batch TokenTask::batch_of(std::span<const uint64_t> indices) const {
  std::vector<std::vector<int64_t>> inputs, targets;
  Batch batch;
  for (const uint64_t index : indices) {
    Sample one = sample(index);
    batch.lengths.push_back(static_cast<int64_t>(one.input.size()));
    inputs.push_back(std::move(one.input));
    targets.push_back(std::move(one.target));
  }
  batch.inputs = padded_rows(inputs, std::max<int64_t>(0, pad_id()));
  batch.targets = padded_rows(targets, Batch::ignored);
  if (kind() == TaskKind::classification)
    batch.targets = batch.targets.reshape({static_cast<int64_t>(indices.size())});
  return batch;
}

std::vector<int64_t> TokenTask::with_end(std::string_view text) const {
  return weft::with_end(*tokenizer(), text, end_id());
}

std::vector<int64_t> TokenTask::framed(std::string_view text) const {
  return weft::framed(*tokenizer(), text, special());
}

std::vector<int64_t> with_end(const Tokenizer& tokenizer, std::string_view text, int64_t end_id) {
  std::vector<int64_t> ids = tokenizer.encode(text);
  ids.push_back(end_id);
  return ids;
}

std::vector<int64_t> framed(const Tokenizer& tokenizer, std::string_view text, const SpecialIds& special) {
  std::vector<int64_t> ids = tokenizer.encode(text);
  ids.insert(ids.begin(), special.cls);
  ids.push_back(special.sep);
  return ids;
}

bool cut_framed(std::vector<int64_t>& ids, int64_t longest) {
  if (longest <= 0 || std::ssize(ids) <= longest) return false;
  const int64_t last = ids.back();
  ids.resize(static_cast<size_t>(longest));
  ids.back() = last;
  return true;
}

void TokenTask::refuse_lengths() const {
  if (options().min_length != 0 || options().max_length != 0)
    fail<ValueError>(name(), ": takes no min_length and max_length: its texts are as long as they are");
}

std::shared_ptr<const WordTokenizer> tokenizer_for(std::string_view task, const TaskOptions& options,
                                                   std::shared_ptr<const WordTokenizer> own) {
  if (!options.tokenizer) return own;
  if (const std::string* const word = options.tokenizer->first_unknown(*own))
    fail<ValueError>(task, ": the tokenizer does not know its word '", *word,
                     "'; it must be the one of a model of this task");
  return options.tokenizer;
}

}  // namespace weft
