#include "text_task.h"

#include <weft/data/text/token_cache.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>

#include <algorithm>
#include <utility>

namespace weft {
namespace {

std::vector<std::string> notes_of(const TokenizedText& text, bool keeps_returns) {
  std::vector<std::string> notes;
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

Samples windows_of(const TokenRange& tokens, const Config& config) {
  const auto windows =
      std::make_shared<EvalDataset>(tokens, config.block_size, config.eval_iters * config.batch_size);
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

Task text_task(const Config& config, const TaskSource& source) {
  const TokenizedText text = tokenize_files(config.data, {.tokenizer = config.tokenizer,
                                                          .newlines = newlines_from(config.newlines),
                                                          .unknown = config.unknown_token,
                                                          .with = source.tokenizer,
                                                          .cache_folder = source.cache_folder,
                                                          .progress = source.progress});
  const TokenSplit split = split_tokens(text.tokens, config.data[0]);
  const int64_t vocab_size = text.tokenizer->vocab_size(), tokens = text.tokens->size();
  Task task;
  task.kind = TaskKind::language;
  task.shape = {.vocab_size = vocab_size, .sizes = {.longest_input = config.block_size}};
  task.tokenizer = text.tokenizer;
  task.training =
      std::make_shared<TokenDataset>(split.train, config.block_size, static_cast<uint64_t>(config.seed));
  task.seen = windows_of(split.train, config);
  task.unseen = windows_of(split.validation, config);
  task.largest = [=, length = config.block_size](int64_t rows) {
    return largest_batch(rows, length, vocab_size);
  };
  task.content_hash = text.content_hash;
  task.summary = str("text: ", grouped(tokens), " tokens, ", vocab_size, " in the vocabulary; ",
                     grouped(split.train.size), " train, ", grouped(split.validation.size), " validate");
  task.notes = notes_of(text, config.newlines == "keep");
  return task;
}

std::string text_digest(const Config& config) { return scan_text(config.data, {.utf8 = false}).content_hash; }

}  // namespace weft
