#include <weft/data/tasks/open_internal.h>
#include <weft/data/tasks/text_task.h>
#include <weft/data/text/tokenize.h>
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

/// Of a text that is read with the vocabulary of another: how much of it that does not know. Empty for next to nothing.
std::string unknown_share(const TokenizedText& text) {
  const auto* const chars = dynamic_cast<const CharTokenizer*>(text.tokenizer.get());
  if (!chars || !chars->has_unknown()) return "";
  const int64_t unknown = chars->vocab_size() - 1, size = text.tokens->size();
  int64_t count = 0;
  std::vector<int64_t> ids;
  for (int64_t at = 0; at < size; at += std::ssize(ids)) {
    ids.resize(static_cast<size_t>(std::min<int64_t>(1 << 16, size - at)));
    text.tokens->read(at, ids);
    count += std::ranges::count(ids, unknown);
  }
  const double share = 100.0 * static_cast<double>(count) / static_cast<double>(std::max<int64_t>(1, size));
  if (share < 0.1) return "";
  return str("warning: ", fixed(share, 1),
             " % of the text are characters that the vocabulary does not have, all of them one token");
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
  const TextFiles files = text_files(request.data, request.newlines, request.settings);
  const TokenizedText text = tokenize_files(request.data, {.tokenizer = request.tokenizer_name,
                                                           .settings = request.settings,
                                                           .newlines = request.newlines,
                                                           .by_file = files.by_file,
                                                           .records = files.records,
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
  task.end_id = text.end_id;
  task.content_hash = text.content_hash;
  task.summary = str("text: ", grouped(tokens), " tokens, ", vocab_size, " in the vocabulary; ",
                     grouped(split.train.size), " train, ", grouped(split.validation.size), " validate");
  task.notes = notes_of(text, request.data.size(), request.newlines == Newlines::keep);
  if (request.tokenizer)
    if (std::string unknown = unknown_share(text); !unknown.empty()) task.notes.push_back(std::move(unknown));
  return task;
}

}  // namespace weft
