#include <weft/data/tasks/token_task.h>
#include <weft/lib/base/error.h>

#include <algorithm>

namespace weft {
namespace {

using Rows = std::vector<std::vector<int64_t>>;

Array padded(const Rows& rows, int64_t with) {
  size_t longest = 0;
  for (const std::vector<int64_t>& row : rows) longest = std::max(longest, row.size());
  Array ids({static_cast<int64_t>(rows.size()), static_cast<int64_t>(longest)}, int64);
  int64_t* out = ids.mutable_data<int64_t>();
  for (const std::vector<int64_t>& row : rows) {
    std::fill(std::copy(row.begin(), row.end(), out), out + longest, with);
    out += longest;
  }
  return ids;
}

}  // namespace

TokenTask::Lengths TokenTask::lengths(uint64_t index) const {
  const Sample one = sample(index);
  return {std::ssize(one.input), std::ssize(one.target)};
}

std::vector<SamplePlace> TokenTask::places_at(uint64_t) const { return {}; }

std::vector<std::vector<SamplePlace>> TokenTask::places(int64_t first, int64_t count) const {
  check_samples(name().c_str(), first, count);
  std::vector<std::vector<SamplePlace>> all;
  for (int64_t n = first; n < first + count; ++n) all.push_back(places_at(sample_of(n)));
  return all;
}

Batch TokenTask::batch(int64_t first, int64_t count) const {
  check_samples(name().c_str(), first, count);
  std::vector<uint64_t> indices;
  for (int64_t n = first; n < first + count; ++n) indices.push_back(sample_of(n));
  return batch_of(indices);
}

Batch TokenTask::batch_of(std::span<const uint64_t> indices) const {
  Rows inputs, targets;
  Batch batch;
  for (const uint64_t index : indices) {
    Sample one = sample(index);
    batch.lengths.push_back(static_cast<int64_t>(one.input.size()));
    inputs.push_back(std::move(one.input));
    targets.push_back(std::move(one.target));
  }
  batch.inputs = padded(inputs, std::max<int64_t>(0, pad_id()));
  batch.targets = padded(targets, Batch::ignored);
  if (kind() == TaskKind::classification)
    batch.targets = batch.targets.reshape({static_cast<int64_t>(indices.size())});
  return batch;
}

std::vector<int64_t> TokenTask::with_end(std::string_view text) const {
  std::vector<int64_t> ids = tokenizer()->encode(text);
  ids.push_back(end_id());
  return ids;
}

std::vector<int64_t> TokenTask::framed(std::string_view text) const {
  std::vector<int64_t> ids = {special().cls};
  tokenizer()->append_ids(text, ids);
  ids.push_back(special().sep);
  return ids;
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
