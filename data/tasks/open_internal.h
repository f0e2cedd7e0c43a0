// How tasks are opened, for registry.cpp.
#pragma once

#include <weft/data/tasks/registry.h>
#include <weft/data/text/tokenize.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace weft {

/// Windows of request.data, of settings "block_size"; the first nine tenths train. FileError, ValueError as
/// tokenize_files and the datasets throw them.
TaskData open_text(const TaskRequest& request);

/// A task that makes its samples as they are needed. ValueError as TaskEntry::generate, and for data that it does not
/// read.
TaskData open_generated(const TaskEntry& entry, const TaskRequest& request);

/// Words hidden in texts: of records (open_table), or in windows of block_size tokens of any text.
TaskData open_masked(const TaskRequest& request);
TaskPointer open_masked_to_score(const TaskRequest& request);

/// What a user should know of a text that was read, from so many files: what was passed over, altered or not known.
std::vector<std::string> notes_of_text(const TokenizedText& text, size_t files, const TaskRequest& request);

/// How many of those that train each class has, and which have none.
std::vector<std::string> notes_of_labels(const std::vector<int64_t>& classes,
                                         const std::vector<std::string>& names);

/// A tokenizer of request.tokenizer_name, learned from texts that `each` puts, as often as it is asked to.
using EachText = std::function<void(const std::function<void(const std::string&)>& put)>;
std::shared_ptr<const Tokenizer> learned_from(const TaskRequest& request, const EachText& each);

/// ValueError for tokens of batches that are not by length.
void check_batch_tokens(int64_t tokens);

/// The first `count` samples.
Samples samples_of(const std::shared_ptr<const TaskDataset>& data, int64_t count);

/// Makes batches of these shapes (without the rows) for planning memory, with as many different ids below `vocab_size` as
/// there can be, since gradients of a table are kept by row, and as many words to be found, of which `share` are, as hardly
/// any batch has.
std::function<Batch(int64_t rows)> batches_like(TaskKind kind, int64_t vocab_size, DType type,
                                                const Shape& read, const Shape& wanted, double share);

}  // namespace weft
