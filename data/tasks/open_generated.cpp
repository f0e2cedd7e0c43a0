#include <weft/data/tasks/open_internal.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/hash.h>
#include <weft/lib/base/values.h>

#include <algorithm>
#include <cmath>

namespace weft {
namespace {

/// Samples that name the data: a generator that changed would make others.
constexpr int64_t fingerprinted = 64;
/// An evaluation of "everything" of a task without end.
constexpr int64_t evaluated_of_endless = 1000;
/// Samples that tell how long those to come are.
constexpr int64_t measured = 2000, times_measured = 5;

Samples samples_of(const std::shared_ptr<const TaskDataset>& data, int64_t count) {
  return {count, [data, count](int64_t first, int64_t number) {
            return data->batch(first, std::min(number, count - first));
          }};
}

std::string fingerprint(const TaskDataset& train, const TaskDataset& validation) {
  Hasher hasher;
  const auto add = [&](const Array& array) {
    hasher.update({static_cast<const uint8_t*>(array.bytes()),
                   static_cast<size_t>(array.size()) * size_of(array.dtype())});
  };
  for (const TaskDataset* data : {&train, &validation}) {
    const Batch batch = data->batch(0, fingerprinted);
    add(batch.inputs);
    add(batch.targets);
  }
  return to_hex(hasher.digest());
}

/// Makes batches as long as the longest of many samples, as bounds of the lengths are hardly ever met, with
/// as many words to be found.
std::function<Batch(int64_t rows)> largest_of(const TaskDataset& data) {
  const bool pictures = data.kind() == TaskKind::pictures || data.kind() == TaskKind::patches;
  const int64_t count = pictures ? 1 : measured;
  Batch drawn = data.batch(0, count);
  for (int64_t time = 1; time < (pictures ? 1 : times_measured); ++time) {
    Batch other = data.batch(time * count, count);
    if (other.inputs.size() + other.targets.size() > drawn.inputs.size() + drawn.targets.size())
      drawn = std::move(other);
  }
  const auto targets = drawn.targets.values<int64_t>();
  const double left = data.kind() == TaskKind::masked
                          ? static_cast<double>(std::ranges::count(targets, Batch::ignored)) /
                                static_cast<double>(targets.size())
                          : 0;
  return [left, type = drawn.inputs.dtype(), read = drawn.inputs.shape().without(0),
          wanted = drawn.targets.shape().without(0)](int64_t rows) {
    Batch batch{Array::zeros(read.inserted(0, rows), type), Array::zeros(wanted.inserted(0, rows), int64)};
    std::fill_n(batch.targets.mutable_data<int64_t>(),
                std::llround(left * static_cast<double>(batch.targets.size())), Batch::ignored);
    return batch;
  };
}

}  // namespace

TaskData open_generated(const TaskEntry& entry, const TaskRequest& request) {
  if (!request.data.empty())
    fail<ValueError>("task = ", entry.name, ": makes its own samples and reads no --data");
  const auto words = std::dynamic_pointer_cast<const WordTokenizer>(request.tokenizer);
  if (request.tokenizer && !words)
    fail<ValueError>("task = ", entry.name,
                     ": is of words, but the weights come with a tokenizer of the kind ",
                     request.tokenizer->kind());
  TaskOptions options = task_options(request.settings);
  options.seed = request.seed;
  options.tokenizer = words;
  const int64_t samples = options.samples;
  const TaskPointer train = make_task(entry.name, options);
  options.split = Split::validation;
  options.samples = 0;
  const TaskPointer validation = make_task(entry.name, options);
  const int64_t wanted = request.evaluated > 0 ? request.evaluated : evaluated_of_endless;

  TaskData task;
  task.tokenizer = train->tokenizer();
  task.shape = {.kind = train->kind(),
                .vocab_size = task.tokenizer ? task.tokenizer->vocab_size() : 0,
                .classes = train->classes(),
                .pad_id = train->pad_id(),
                .start_id = train->start_id(),
                .end_id = train->end_id(),
                .sizes = train->sizes()};
  task.generated = validation;
  task.training = train;
  task.seen = samples_of(train, samples > 0 ? std::min(samples, wanted) : wanted);
  task.unseen = samples_of(validation, wanted);
  task.largest = largest_of(*train);
  task.content_hash = fingerprint(*train, *validation);
  task.summary = str("task ", entry.name, ": ", entry.summary, "; ",
                     samples > 0 ? grouped(samples) : std::string("endless"), " samples");
  return task;
}

}  // namespace weft
