#include <weft/data/tasks/open_internal.h>
#include <weft/data/text/token_cache.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/join.h>
#include <weft/lib/base/values.h>

#include <algorithm>
#include <iterator>
#include <ranges>
#include <string_view>
#include <utility>

namespace weft {
namespace {

constexpr std::ptrdiff_t named_files = 3;

/// The first few.
std::string some_of(const std::vector<std::string>& all, std::string_view between) {
  return str(joined(all | std::views::take(named_files), between),
             std::ssize(all) > named_files ? str(between, "...") : "");
}

std::vector<std::string> notes_of(const TokenizedText& text, size_t files, bool keeps_returns) {
  std::vector<std::string> notes;
  if (const std::vector<std::string>& empty = text.notes.empty_files; !empty.empty())
    notes.push_back(str("warning: ", empty.size(), " of the ", files, " files ",
                        empty.size() == 1 ? "is" : "are", " empty and passed over: ", some_of(empty, ", ")));
  if (const std::vector<std::string>& foreign = text.notes.foreign_files; !foreign.empty())
    notes.push_back(str("warning: taken as it is: ", some_of(foreign, "\n  ")));
  if (const int64_t marks = text.notes.byte_order_marks; marks > 0)
    notes.push_back(str("warning: ", marks, " of the files ", marks == 1 ? "begins" : "begin",
                        " with a byte-order mark; it is read as a character of the text"));
  if (const int64_t returns = text.notes.carriage_returns; returns > 0)
    notes.push_back(keeps_returns ? str("warning: the text holds ", grouped(returns),
                                        " carriage returns, which are kept; --set newlines=lf drops them")
                                  : str(grouped(returns), " carriage returns are dropped (newlines=lf)"));
  if (!text.rebuilt.empty()) notes.push_back(str("made again: ", text.rebuilt));
  return notes;
}

Samples windows_of(const TokenRange& tokens, int64_t block_size, int64_t wanted) {
  const auto windows = std::make_shared<EvalDataset>(tokens, block_size, wanted);
  return {windows->size(),
          [windows](int64_t first, int64_t number) { return windows->batch(first, number); }};
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
  const TokenizedText text = tokenize_files(request.data, {.tokenizer = request.tokenizer_name,
                                                           .settings = request.settings,
                                                           .newlines = request.newlines,
                                                           .with = request.tokenizer,
                                                           .expected_hash = request.expected_hash,
                                                           .cache_folder = request.cache_folder,
                                                           .other_caches = request.other_caches,
                                                           .progress = request.progress});
  const TokenSplit split = split_text(text, request.data[0]);
  const int64_t vocab_size = text.tokenizer->vocab_size(), tokens = text.tokens->size();
  TaskData task;
  task.shape = {.vocab_size = vocab_size, .sizes = {.longest_input = block_size}};
  task.tokenizer = text.tokenizer;
  task.training = std::make_shared<TokenDataset>(split.train, block_size, request.seed);
  task.seen = windows_of(split.train, block_size, request.evaluated);
  task.unseen = windows_of(split.validation, block_size, request.evaluated);
  task.largest = [=](int64_t rows) { return largest_batch(rows, block_size, vocab_size); };
  task.smallest = task.largest;
  task.content_hash = text.content_hash;
  task.summary = str("text: ", grouped(tokens), " tokens, ", vocab_size, " in the vocabulary; ",
                     grouped(split.train.size), " train, ", grouped(split.validation.size), " validate");
  task.notes = notes_of(text, request.data.size(), request.newlines == Newlines::keep);
  return task;
}

}  // namespace weft
