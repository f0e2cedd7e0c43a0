#include <weft/data/mixture.h>
#include <weft/data/packing.h>
#include <weft/data/tasks/open_internal.h>
#include <weft/data/tasks/text_sources.h>
#include <weft/data/tasks/text_task.h>
#include <weft/data/text/text_bytes.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/join.h>
#include <weft/lib/base/values.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <ranges>
#include <span>
#include <string_view>
#include <utility>

namespace weft {
namespace {

/// What is evaluated of one stretch.
using Part = std::function<Batch(std::span<const int64_t> numbers)>;
struct Evaluated {
  int64_t size = 0;
  Part part;
};

/// So many of all, the same share of each stretch, evenly spread; all when that is 0 or more than there are.
Samples spread(std::vector<Evaluated> parts, int64_t wanted) {
  int64_t all = 0;
  for (const Evaluated& part : parts) all += part.size;
  std::vector<int64_t> counts;
  int64_t count = 0;
  for (const Evaluated& part : parts) {
    const double share =
        static_cast<double>(wanted) * static_cast<double>(part.size) / static_cast<double>(all);
    counts.push_back(wanted == 0 || wanted >= all
                         ? part.size
                         : std::clamp<int64_t>(static_cast<int64_t>(share + 0.5), 1, part.size));
    count += counts.back();
  }
  return {count, [=](int64_t first, int64_t number) {
            std::vector<Batch> batches;
            int64_t at = 0;
            for (size_t i = 0; i < parts.size(); at += counts[i++]) {
              std::vector<int64_t> numbers;
              for (int64_t n = std::max(first, at); n < std::min(first + number, at + counts[i]); ++n)
                // floor((n - at) * size / count), without overflow.
                numbers.push_back((n - at) * (parts[i].size / counts[i]) +
                                  (n - at) * (parts[i].size % counts[i]) / counts[i]);
              if (!numbers.empty()) batches.push_back(parts[i].part(numbers));
            }
            return stacked(batches);
          }};
}

Samples evaluated(const std::vector<TextStretch>& stretches, int64_t block_size, bool packed,
                  int64_t wanted) {
  if (stretches.size() == 1 && !packed) {
    const auto windows = std::make_shared<EvalDataset>(stretches[0].tokens, block_size, wanted);
    return {windows->size(),
            [windows](int64_t first, int64_t number) { return windows->batch(first, number); }};
  }
  std::vector<Evaluated> parts;
  for (const TextStretch& stretch : stretches) {
    if (packed) {
      const auto blocks = std::make_shared<PackedBlocks>(stretch.tokens, stretch.text.documents, block_size);
      parts.push_back(
          {blocks->size(), [blocks](std::span<const int64_t> numbers) { return blocks->batch(numbers); }});
      continue;
    }
    const auto windows = std::make_shared<EvalDataset>(stretch.tokens, block_size);
    parts.push_back({windows->size(), [windows](std::span<const int64_t> numbers) {
                       std::vector<Batch> batches;
                       for (const int64_t number : numbers) batches.push_back(windows->batch(number, 1));
                       return stacked(batches);
                     }});
  }
  return spread(std::move(parts), wanted);
}

/// Samples::bytes_per_target.
double bytes_per_target(const Samples& samples, const Tokenizer* tokenizer, int64_t end_id) {
  if (tokenizer == nullptr || !is_lossless(*tokenizer)) return 0;
  const std::vector<int64_t> bytes = token_bytes(*tokenizer, end_id);
  constexpr int64_t rows = 16;
  int64_t sum = 0, targets = 0;
  for (int64_t first = 0; first < samples.size(); first += rows) {
    const Batch batch = samples.batch(first, rows);
    for (const int64_t id : batch.targets.values<int64_t>()) {
      if (id == Batch::ignored) continue;
      sum += bytes[static_cast<size_t>(id)];
      ++targets;
    }
  }
  return targets > 0 ? static_cast<double>(sum) / static_cast<double>(targets) : 0;
}

std::shared_ptr<const Dataset> trained(const TextSources& sources, int64_t block_size, bool packed,
                                       uint64_t seed, std::vector<std::string>& notes) {
  std::vector<MixtureDataset::Part> parts;
  for (const TextStretch& stretch : sources.training) {
    std::shared_ptr<const Dataset> one;
    if (packed) {
      PackedBlocks blocks(stretch.tokens, stretch.text.documents, block_size);
      notes.push_back(str("packed: ", grouped(stretch.documents()), " documents of ", stretch.tokens.name,
                          " in ", grouped(blocks.size()), " blocks, of which ",
                          fixed(100 * blocks.filled(), 1), " % are tokens"));
      one = std::make_shared<PackedDataset>(std::move(blocks), seed);
    } else {
      one = std::make_shared<TokenDataset>(stretch.tokens, block_size, seed);
    }
    parts.push_back({std::move(one), stretch.weight});
  }
  if (parts.size() == 1) return parts[0].dataset;
  return std::make_shared<MixtureDataset>(std::move(parts), seed);
}

/// As many different ids as there can be: gradients of a table are kept by row.
Batch largest_batch(int64_t rows, int64_t tokens, int64_t vocab_size) {
  Batch batch{Array({rows, tokens}, int64), Array({rows, tokens}, int64)};
  int64_t* const ids = batch.inputs.mutable_data<int64_t>();
  for (int64_t i = 0; i < std::min(batch.inputs.size(), vocab_size); ++i) ids[i] = i;
  return batch;
}

}  // namespace

TaskData open_text(const TaskRequest& request) {
  const int64_t block_size = request.settings.integer("block_size");
  const bool packed = text_choice(request.settings, "packing") == "documents";
  const TextSources sources = open_text_sources(request);
  const int64_t vocab_size = sources.vocab_size;
  TaskData task;
  task.shape = {.vocab_size = vocab_size, .sizes = {.longest_input = block_size}};
  task.tokenizer = sources.tokenizer;
  task.training = trained(sources, block_size, packed, request.seed, task.notes);
  task.seen = evaluated(sources.training, block_size, packed, request.evaluated);
  task.unseen = evaluated(sources.validation, block_size, packed, request.evaluated);
  task.unseen.bytes_per_target = bytes_per_target(task.unseen, task.tokenizer.get(), sources.end_id);
  task.largest = [=](int64_t rows) { return largest_batch(rows, block_size, vocab_size); };
  task.smallest = task.largest;
  task.end_id = sources.end_id;
  task.content_hash = sources.content_hash;
  int64_t train = 0, validate = 0;
  for (const TextStretch& stretch : sources.training) train += stretch.tokens.size;
  for (const TextStretch& stretch : sources.validation) validate += stretch.tokens.size;
  task.summary = str("text: ", grouped(train + validate), " tokens, ", vocab_size, " in the vocabulary; ",
                     grouped(train), " train, ", grouped(validate), " validate");
  for (const TextStretch& stretch : sources.training) {
    const auto more = notes_of_text(stretch.text, stretch.files.paths.size(), request);
    task.notes.insert(task.notes.end(), more.begin(), more.end());
  }
  task.notes.insert(task.notes.end(), sources.notes.begin(), sources.notes.end());
  return task;
}

}  // namespace weft
