// Tasks on the records of a user's files: labelled sentences, pairs, chats. Which columns a task reads and what it makes
// of a record is said by its TableForm; what is common (reading, splitting, tokens, lengths) is in open_table.cpp.
#pragma once

#include <weft/data/records/record_table.h>
#include <weft/data/tasks/task_data.h>
#include <weft/data/tasks/token_task.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// Fields of a record, in the order of the form's columns.
using Fields = std::span<const std::string_view>;

/// What a task makes of records.
///   classify       text, label            <cls> text <sep>                                  -> the label's class
///   masked         text                   <cls> text <sep> with words hidden                -> those words
///   pairs          source, target         source </s>                                       -> target </s>
///   text-to-text   prefix, source, target prefix: source </s>                               -> target </s>
///   chat           messages, or two of    <|user|> text </s> <|assistant|> answer </s> ...  -> the answers, each with
///                  question and answer                                                         its </s>
struct TableForm {
  std::string name;
  TaskKind kind = TaskKind::pairs;
  std::vector<std::string> special = {};  ///< tokens that it needs (with_special)
  std::vector<std::string> scores = {};
  bool has_label = false;  ///< whether the last column is a label
  bool has_turns = false;  ///< whether texts are roles and what they say, by turns
  bool cuts = false;       ///< whether a record of too many tokens is cut; else it is left out
  bool asks = false;       ///< whether its answers are texts that a model writes

  /// Reads the record as texts. ValueError with what is wrong.
  std::function<std::vector<std::string>(Fields fields)> texts = nullptr;
  /// Ids of the texts; the class of a label is put into the target by who knows the classes.
  std::function<TokenTask::Sample(const Tokenizer& tokenizer, const SpecialIds& special,
                                  std::span<const std::string> texts)>
      sample = nullptr;
};

/// ValueError for a task that is none of tables.
const TableForm& table_form(const std::string& task);

/// Records of a form as samples, all ids in memory.
class TableTask : public TokenTask {
 public:
  /// Where each sample comes from: records[i] is the place in the table.
  struct Origin {
    std::shared_ptr<const RecordTable> table;
    std::vector<size_t> records;
    int64_t cut = 0;  ///< how many of them had more tokens than are taken
  };
  TableTask(const TableForm& form, TaskOptions options, std::shared_ptr<const Tokenizer> tokenizer,
            std::vector<Sample> samples, Origin origin, std::vector<std::string> class_names = {});
  /// The same samples as those of another split: one that trains, looked at as it is evaluated.
  TableTask(const TableTask& other, Split split);

  TaskKind kind() const override { return form_.kind; }
  TaskSizes sizes() const override { return store_->sizes; }
  std::vector<std::string> scores() const override { return form_.scores; }
  double best_accuracy() const override;
  bool asks() const override { return form_.asks; }
  std::vector<Prompt> prompts(const Batch& batch, int64_t row) const override;
  /// Of a chat a line for each answer.
  std::string target_text(const Batch& batch, int64_t row) const override;

  /// Each once, of what evaluates in the order of the records in every epoch.
  int64_t samples_per_epoch() const override { return size(); }
  int64_t size() const { return static_cast<int64_t>(store_->ends.size()) / 2; }
  /// Of a masked task with words hidden by (seed, index); but of the split that trains whole, as MaskedDataset hides other
  /// ones in each epoch.
  Sample sample(uint64_t index) const override;
  Lengths lengths(uint64_t index) const override;
  /// Its record; of files side by side one place in each.
  std::vector<SamplePlace> places_at(uint64_t index) const override;
  const Origin& origin() const { return store_->origin; }

 private:
  struct Store {
    std::vector<int32_t> ids;    ///< of all samples, input and target by turns
    std::vector<uint64_t> ends;  ///< of each in them
    TaskSizes sizes;
    Origin origin;
  };
  Sample stored(uint64_t index) const;
  uint64_t sample_of(int64_t n) const override;
  bool is_said(int64_t id) const override { return !std::ranges::binary_search(unhidden_, id); }

  const TableForm& form_;
  std::shared_ptr<const Store> store_;
  std::vector<int64_t> unhidden_;  ///< ids that are never masked
};

/// Ids that are special, in rising order.
std::vector<int64_t> special_ids(const Tokenizer& tokenizer);
/// Whether it has all tokens that the turns of a chat need.
bool has_turns(const Tokenizer& tokenizer);

/// The settings of a task on tables: those of records (RecordSettings), val_share, longest, batching, batch_tokens; of
/// classify word_dropout.
std::vector<Setting> table_settings(const std::string& task);
/// What a column with the turns of a chat is called.
const std::vector<std::string>& columns_of_turns();
/// batching and batch_tokens, of every task whose samples differ in length (LengthBatches).
std::vector<Setting> batching_settings();
/// How those settings say that records are read, without columns.
RecordOptions record_options(const SettingValues& settings);
/// Whether files are read as records: by the settings format and text, or by how the first of them ends.
bool are_records(const SettingValues& settings, const std::vector<std::string>& files);

/// A task on the files of request.data. Those of request.val_data validate; without any, the share val_share of the
/// records, chosen by what they say (is_validation), so that a record stays where it is when others are added.
/// FileError and ValueError with file, line and column for what a task cannot read.
TaskData open_table(const std::string& task, const TaskRequest& request);

/// ValueError where the tokenizer or the classes of a request are none of a model that learned the form.
void check_scores(const TableForm& form, const TaskRequest& request);

/// All records of request.data for scoring, in their order, with the tokenizer and classes of a model. Its setting
/// "longest" is what the model reads at most, 0 for no limit: longer texts are cut (Origin::cut); FileError that names the
/// first where they cannot be.
std::shared_ptr<const TaskDataset> open_table_to_score(const std::string& task, const TaskRequest& request);

}  // namespace weft
