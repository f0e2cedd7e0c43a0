// What `weft data inspect` finds: what the files hold, what a tokenizer makes of it, and what a run on it would be. Each
// part is found apart, and shown as text and as JSON.
#pragma once

#include <weft/data/records/record_reader.h>
#include <weft/data/tasks/task_data.h>
#include <weft/train/memory_plan.h>
#include <weft/train/run_config.h>
#include <weft/train/show/console.h>

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "commands.h"

namespace weft::tools {

/// How often each of many things was met; those beyond a million are counted together.
class Counts {
 public:
  void add(std::string_view what);
  /// The most frequent first.
  std::vector<std::pair<std::string, int64_t>> frequent(size_t at_most) const;
  size_t distinct() const { return counts_.size(); }
  int64_t beyond() const { return beyond_; }
  int64_t sum() const;

 private:
  std::unordered_map<std::string, int64_t> counts_;
  int64_t beyond_ = 0;
};

/// How long many things are.
struct Lengths {
  int64_t count = 0, sum = 0, least = INT64_MAX, most = 0;
  int64_t empty = 0, overlong = 0;
  std::array<int64_t, 64> buckets{};  ///< of length 0, 1, 2 to 3, 4 to 7, ...

  /// One that is longer than `limit` is overlong.
  void add(int64_t length, int64_t limit);
  double mean() const { return count > 0 ? static_cast<double>(sum) / static_cast<double>(count) : 0; }
};

struct NamedLengths {
  std::string name;  ///< a column, or "documents"
  Lengths lengths;
};

/// How files are read that `weft data` was given.
struct DataFiles {
  std::vector<std::string> paths;
  RecordSettings settings;  ///< as they were given
  bool plain = false;       ///< text, of which each file is a document; read by lines too
  /// How records are read: all columns that were asked for, or all there are.
  RecordOptions options = {};
  std::vector<std::string> present = {};  ///< all that there are
};
/// ValueError for a key that is none, FileError for files that cannot be read.
DataFiles data_files_of(const DataArguments& arguments);

/// What stands in the records, or in the lines of a text.
struct FieldReport {
  std::vector<std::string> files;
  std::string format, content_hash;
  bool header = false;
  int64_t records = 0, bytes = 0, duplicates = 0;
  RecordNotes notes;
  std::vector<NamedLengths> columns;  ///< in characters
  std::vector<std::pair<std::string, std::vector<std::string>>> first;
  std::string label;  ///< the column
  Counts labels, characters, words;
};
FieldReport read_fields(const DataFiles& files, int64_t overlong, Console& console);

/// Of plain text: its documents.
struct DocumentReport {
  Lengths lengths;  ///< in characters
  int64_t duplicates = 0;
  TextNotes notes;
};
DocumentReport read_documents(const DataFiles& files, int64_t overlong, Console& console);

/// What a tokenizer makes of the texts: of the columns but for the label, or of the documents.
struct TokenReport {
  std::string kind;
  int64_t vocab_size = 0, longest = 0;   ///< above `longest` a text is overlong; 0: never
  std::vector<NamedLengths> texts = {};  ///< in tokens
  std::vector<std::pair<std::string, int64_t>> frequent = {};  ///< the most frequent tokens, as text
  int64_t tokens = 0, bytes = 0, used = 0;  ///< used: entries of the vocabulary that were met
  int64_t unknown = 0;                      ///< tokens that stand for what it does not know
  int64_t refused = 0;             ///< texts that it cannot read, which are in none of the other numbers
  std::string first_refused = {};  ///< where, and why
};
TokenReport count_tokens(const DataFiles& files, const Tokenizer& tokenizer, int64_t longest,
                         Console& console);

/// One row of a batch.
struct ShownRow {
  std::vector<int64_t> ids = {}, target_ids = {};  ///< without padding; the class where there is one
  std::string text = {}, target = {};              ///< with marks
};
struct ShownBatch {
  int64_t first = 0;  ///< the number of its first sample
  int64_t rows = 0, width = 0, target_width = 0;
  double padding = 0;  ///< share of its tokens
  std::vector<ShownRow> shown = {};
};

/// What a run on the files would be.
struct TaskReport {
  std::string task, model = {};
  std::string refused = {};  ///< why there can be none; empty: it can
  std::string summary = {};
  std::vector<std::string> notes = {};
  std::shared_ptr<const Tokenizer> tokenizer = nullptr;  ///< that it would have, if known
  int64_t longest = 0;  ///< tokens of a sample; 0: no limit, or none that matters
  int64_t batch_size = 0;
  std::vector<ShownBatch> batches = {};
  const char* unit = "tokens";        ///< of inputs
  Lengths inputs = {}, targets = {};  ///< of the samples that train, in tokens with their marks; of tables
  std::optional<double> padding_by_length = {}, padding_in_order = {};  ///< shares, of tables
  std::optional<MemoryPlan> memory = {};
  std::string memory_refused = {};
};
/// "none" as the task: only what the files hold. What a user typed wrong is an error; what the files lack for the task
/// (a split that leaves nothing, a column) is told by the report, unless the task was asked for by name.
std::optional<TaskReport> inspect_task(const DataFiles& files, const DataArguments& arguments,
                                       Console& console);

/// Lengths and padding of the samples of a task, and what a run on it takes.
void measure_task(TaskReport& report, const TaskData& task, const RunConfig& config);
/// Of pictures and sounds; nothing of texts.
std::optional<Work> prepare_sample_inspect(const DataArguments& arguments);

/// Shows how far a reader is.
TextProgress shown_on(Console& console, const char* what);

std::string text_of(const FieldReport& report, int64_t overlong);
std::string text_of(const DocumentReport& report, int64_t overlong);
std::string text_of(const TokenReport& report);
std::string text_of(const TaskReport& report);
nlohmann::ordered_json json_of(const FieldReport& report);
nlohmann::ordered_json json_of(const DocumentReport& report);
nlohmann::ordered_json json_of(const TokenReport& report);
nlohmann::ordered_json json_of(const TaskReport& report);

}  // namespace weft::tools
