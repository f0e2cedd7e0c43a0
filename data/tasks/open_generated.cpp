#include <weft/data/tasks/length_batches.h>
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
constexpr int64_t measured = 10000, measured_at_once = 200;
/// Samples that are sorted by length at once.
constexpr int64_t pool = 1 << 12;

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

/// As many different ids as there can be: gradients of a table are kept by row.
void fill_with_ids(Array& ids, int64_t vocab_size) {
  int64_t* const values = ids.mutable_data<int64_t>();
  for (int64_t i = 0; i < std::min(ids.size(), vocab_size); ++i) values[i] = i;
}

/// Of many samples: the shapes of the longest and shortest inputs and targets, and how many tokens are asked for.
struct Measured {
  Shape longest_read, longest_wanted, shortest_read, shortest_wanted;
  double share = 1;  ///< of the tokens of a masked text, those to be found
};

Measured measure(const TaskDataset& data) {
  const Batch one = data.batch(0, 1);
  const Shape read = one.inputs.shape().without(0), wanted = one.targets.shape().without(0);
  Measured found{read, wanted, read, wanted};
  if (data.kind() == TaskKind::pictures || data.kind() == TaskKind::patches) return found;
  int64_t longest_read = 0, longest_wanted = 0, shortest_read = INT64_MAX, shortest_wanted = INT64_MAX;
  int64_t tokens = 0, asked = 0;
  for (int64_t first = 0; first < measured; first += measured_at_once) {
    const Batch drawn = data.batch(first, measured_at_once);
    const auto targets = drawn.targets.values<int64_t>();
    const auto width = static_cast<size_t>(drawn.targets.size() / measured_at_once);
    longest_read = std::max(longest_read, drawn.inputs.dim(1));
    longest_wanted = std::max(longest_wanted, std::ssize(targets) / measured_at_once);
    for (size_t row = 0; row < measured_at_once; ++row) {
      const int64_t length = drawn.lengths.empty() ? drawn.inputs.dim(1) : drawn.lengths[row];
      const auto answer = targets.subspan(row * width, width);
      const int64_t counted = std::ssize(answer) - std::ranges::count(answer, Batch::ignored);
      shortest_read = std::min(shortest_read, length);
      shortest_wanted = std::min(shortest_wanted, counted);
      tokens += length;
      asked += counted;
    }
  }
  found.longest_read = {longest_read};
  found.shortest_read = {shortest_read};
  if (data.kind() == TaskKind::pairs) {
    found.longest_wanted = {longest_wanted};
    found.shortest_wanted = {shortest_wanted};
  } else if (wanted.rank() == 1) {
    found.longest_wanted = found.longest_read;  // a target for each token that is read
    found.shortest_wanted = found.shortest_read;
  }
  if (data.kind() == TaskKind::masked) found.share = static_cast<double>(asked) / static_cast<double>(tokens);
  return found;
}

}  // namespace

void check_batch_tokens(int64_t tokens) {
  if (tokens > 0)
    fail<ValueError>("batch_tokens = ", tokens,
                     ": counts the tokens of batches by length; these have batch_size samples "
                     "(batching = order)");
}

Samples samples_of(const std::shared_ptr<const TaskDataset>& data, int64_t count) {
  return {count, [data, count](int64_t first, int64_t number) {
            return data->batch(first, std::min(number, count - first));
          }};
}

std::function<Batch(int64_t rows)> batches_like(TaskKind kind, int64_t vocab_size, DType type,
                                                const Shape& read, const Shape& wanted, double share) {
  return [=](int64_t rows) {
    Batch batch{Array::zeros(read.inserted(0, rows), type), Array::zeros(wanted.inserted(0, rows), int64)};
    if (vocab_size > 0) fill_with_ids(batch.inputs, vocab_size);
    if (vocab_size > 0 && kind == TaskKind::pairs) fill_with_ids(batch.targets, vocab_size);
    if (share < 1) {
      const double found = share * static_cast<double>(batch.targets.size());
      const int64_t rest = batch.targets.size() - std::llround(found + 4 * std::sqrt(found));
      std::fill_n(batch.targets.mutable_data<int64_t>(), std::max<int64_t>(0, rest), Batch::ignored);
    }
    return batch;
  };
}

TaskData open_generated(const TaskEntry& entry, const TaskRequest& request) {
  if (!request.data.empty())
    fail<ValueError>("task = ", entry.name, ": makes its own samples and reads no --data");
  if (!request.val_data.empty())
    fail<ValueError>("task = ", entry.name, ": makes its own samples; val_data is of tasks on files");
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
  task.held_out = validation;
  task.training = train;
  std::shared_ptr<const LengthBatches> batches;
  if (request.settings.contains("batching") && request.settings.text("batching") == "length") {
    const auto tokens = std::dynamic_pointer_cast<const IndexedTask>(train);
    if (!tokens) fail<ValueError>("batching = length: the task ", entry.name, " has no lengths");
    batches = std::make_shared<LengthBatches>(tokens, request.update_size,
                                              request.settings.integer("batch_tokens"), request.seed, pool);
    task.notes.push_back(
        str("batches by length: ", fixed(100 * batches->padding(), 1), " % of them is padding"));
    task.training = batches;
  } else if (request.settings.contains("batch_tokens")) {
    check_batch_tokens(request.settings.integer("batch_tokens"));
  }
  task.seen = samples_of(train, samples > 0 ? std::min(samples, wanted) : wanted);
  task.unseen = samples_of(validation, wanted);
  // Bounds of the lengths are hardly ever met, so samples are measured.
  const Measured found = measure(*train);
  const DType type = train->batch(0, 1).inputs.dtype();
  task.largest = batches_like(train->kind(), task.shape.vocab_size, type, found.longest_read,
                              found.longest_wanted, found.share);
  if (batches && request.settings.integer("batch_tokens") > 0)
    task.largest_rows = batches->rows_of_longest(
        found.longest_read[0], train->kind() == TaskKind::pairs ? found.longest_wanted[0] : 0);
  task.smallest = batches_like(train->kind(), task.shape.vocab_size, type, found.shortest_read,
                               found.shortest_wanted, found.share);
  task.content_hash = fingerprint(*train, *validation);
  task.summary = str("task ", entry.name, ": ", entry.summary, "; ",
                     samples > 0 ? grouped(samples) : std::string("endless"), " samples");
  return task;
}

}  // namespace weft
