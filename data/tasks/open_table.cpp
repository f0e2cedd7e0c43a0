#include <weft/data/pictures/picture_source.h>
#include <weft/data/sounds/sound_files.h>
#include <weft/data/tasks/length_batches.h>
#include <weft/data/tasks/masking.h>
#include <weft/data/tasks/open_internal.h>
#include <weft/data/tasks/table_columns_internal.h>
#include <weft/data/tasks/table_task.h>
#include <weft/data/text/tokenize.h>
#include <weft/data/text/utf8.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/join.h>
#include <weft/lib/base/values.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

namespace weft {
namespace {

/// <cls>, a word and <sep>.
constexpr int64_t least_cut = 3;

/// Some of the records of a table.
struct TablePart {
  std::shared_ptr<const RecordTable> table;
  std::vector<size_t> records;
  std::string describe(size_t i) const { return table->describe(records[i]); }
};

std::vector<std::string> texts_of(const TableForm& form, const TablePart& part, size_t i) {
  try {
    return form.texts(part.table->fields(part.records[i]));
  } catch (const ValueError& error) {
    fail<FileError>(part.describe(i), ": ", error.what());
  }
}

/// Calls put(text) for what the records say.
template <class Put>
void each_text(const TableForm& form, const TablePart& part, Put put) {
  for (size_t i = 0; i < part.records.size(); ++i) {
    const std::vector<std::string> texts = texts_of(form, part, i);
    const size_t end = texts.size() - (form.has_label ? 1 : 0);
    for (size_t at = form.has_turns ? 1 : 0; at < end; at += form.has_turns ? 2 : 1) put(texts[at]);
  }
}

std::shared_ptr<const Tokenizer> learned(const TableForm& form, const TaskRequest& request,
                                         const TablePart& train) {
  return learned_from(
      request, [&](const std::function<void(const std::string&)>& put) { each_text(form, train, put); });
}

struct Encoded {
  std::vector<TokenTask::Sample> samples;
  TableTask::Origin origin;
  int64_t left_out = 0;
  int64_t overlong() const { return origin.cut + left_out; }
};

/// Of records of more than `longest` tokens that are not cut, each is left out, or refused.
Encoded encoded(const TableForm& form, const TablePart& part, const Tokenizer& tokenizer,
                const std::vector<std::string>& class_names, int64_t longest, bool leaves_out,
                const std::string& advice = {}) {
  const SpecialIds special = SpecialIds::of(tokenizer);
  std::vector<int64_t> classes;
  if (form.has_label) classes = part.table->label_ids(part.table->columns().size() - 1, class_names);
  Encoded all;
  all.origin.table = part.table;
  for (size_t i = 0; i < part.records.size(); ++i) {
    const std::vector<std::string> texts = texts_of(form, part, i);
    TokenTask::Sample one;
    try {
      one = form.sample(tokenizer, special, texts);
    } catch (const ValueError& error) {
      fail<FileError>(part.describe(i), ": ", error.what(), advice);
    }
    const int64_t tokens = std::max(std::ssize(one.input), std::ssize(one.target));
    if (longest > 0 && tokens > longest && !form.cuts) {
      if (!leaves_out)
        fail<FileError>(part.describe(i), ": has ", grouped(tokens), " tokens, and the model reads at most ",
                        grouped(longest));
      ++all.left_out;
      continue;
    }
    all.origin.cut += cut_framed(one.input, longest);
    if (form.has_label) one.target = {classes[part.records[i]]};
    all.samples.push_back(std::move(one));
    all.origin.records.push_back(part.records[i]);
  }
  return all;
}

/// Which records train and which validate.
struct RecordSplit {
  TablePart train, validation;
};

RecordSplit split_of_records(const TableForm& form, const TaskRequest& request) {
  const auto whole = [](std::shared_ptr<const RecordTable> table) {
    TablePart all{std::move(table), {}};
    for (size_t i = 0; i < all.table->size(); ++i) all.records.push_back(i);
    return all;
  };
  const auto table = read_table(form.name, request.data, request.settings);
  if (!request.val_data.empty())
    return {whole(table), whole(read_table(form.name, request.val_data, request.settings))};
  const double share = request.settings.number("val_share");
  RecordSplit split{{table, {}}, {table, {}}};
  for (size_t i = 0; i < table->size(); ++i) {
    std::vector<std::string_view> fields = table->fields(i);
    if (form.has_label) fields.pop_back();  // what is said twice stays on one side, whatever its labels
    (is_validation(fields, share) ? split.validation : split.train).records.push_back(i);
  }
  if (split.train.records.empty() || split.validation.records.empty())
    fail<ValueError>(request.data[0], ": ", grouped(table->size()), " records leave none to ",
                     split.train.records.empty() ? "train" : "validate", " with val_share = ", share,
                     "; give more of them, or those that validate: --val-data FILE");
  return split;
}

/// Records that validate and stand among those that train too, whatever their labels.
size_t shared_records(const TableForm& form, const RecordSplit& split) {
  if (split.train.table == split.validation.table) return 0;  // as split_of_records divides it
  const auto digest = [&](const TablePart& part, size_t record) {
    std::vector<std::string_view> fields = part.table->fields(record);
    if (form.has_label) fields.pop_back();
    return record_digest(fields);
  };
  std::set<Digest> met;
  for (const size_t i : split.train.records) met.insert(digest(split.train, i));
  return static_cast<size_t>(std::ranges::count_if(
      split.validation.records, [&](size_t i) { return met.contains(digest(split.validation, i)); }));
}

std::vector<std::string> class_names_of(const TableForm& form, const TaskRequest& request,
                                        const TablePart& train) {
  if (!form.has_label) return {};
  const size_t column = train.table->columns().size() - 1;
  // Of the whole table: one that is rare may stand among what validates alone.
  std::vector<std::string> names =
      request.class_names.empty() ? train.table->distinct(column) : request.class_names;
  if (names.size() < 2)
    fail<ValueError>(request.data[0], ": every record has the label '", names[0], "'; to classify needs two");
  return names;
}

std::vector<int64_t> classes_of(const std::vector<TokenTask::Sample>& samples) {
  std::vector<int64_t> all;
  for (const TokenTask::Sample& one : samples) all.push_back(one.target[0]);
  return all;
}

TaskOptions options_for(const TaskRequest& request, Split split, int64_t samples) {
  TaskOptions options = task_options(request.settings);
  options.seed = request.seed;
  options.split = split;
  options.samples = samples;
  options.min_length = options.max_length = 0;
  return options;
}

/// Of the tokens of a masked text, those that are to be found, a little more than of any batch.
double share_of(const TableTask& task, double mask_share) {
  double found = 0, tokens = 0;
  for (int64_t i = 0; i < task.size(); ++i) {
    const auto length = static_cast<double>(task.lengths(static_cast<uint64_t>(i)).input);
    found += std::max(1.0, mask_share * (length - 2));
    tokens += length;
  }
  return found / tokens;
}

/// All that a run reads of a task whose samples are there.
TaskData data_of(const TableForm& form, const TaskRequest& request,
                 const std::shared_ptr<const TableTask>& train,
                 const std::shared_ptr<const TableTask>& validation) {
  TaskData task;
  task.tokenizer = train->tokenizer();
  const SpecialIds& special = train->special();
  TaskSizes sizes = train->sizes(), held_out = validation->sizes();
  sizes.longest_input = std::max(sizes.longest_input, held_out.longest_input);
  sizes.longest_target = std::max(sizes.longest_target, held_out.longest_target);
  task.shape = {.kind = form.kind,
                .vocab_size = task.tokenizer->vocab_size(),
                .classes = train->classes(),
                .pad_id = special.pad,
                .start_id = special.start,
                .end_id = special.end,
                .sizes = sizes};
  const bool by_length = request.settings.text("batching") == "length";
  const int64_t tokens = request.settings.integer("batch_tokens");
  if (!by_length) check_batch_tokens(tokens);
  std::shared_ptr<const Dataset> training = train;
  if (by_length) {
    const auto batches = std::make_shared<LengthBatches>(train, request.update_size, tokens, request.seed);
    if (tokens > 0) task.largest_rows = batches->rows_of_longest(sizes.longest_input, sizes.longest_target);
    task.notes.push_back(
        str("batches by length: ", fixed(100 * batches->padding(), 1), " % of them is padding"));
    training = batches;
  }
  double share = 1;
  if (form.kind == TaskKind::masked) {
    const double mask_share = request.settings.number("mask_share");
    training = std::make_shared<MaskedDataset>(training,
                                               MaskingOptions{.mask_id = special.mask,
                                                              .vocab_size = task.tokenizer->vocab_size(),
                                                              .share = mask_share,
                                                              .special = special_ids(*task.tokenizer)},
                                               request.seed);
    share = std::min(1.0, 1.05 * std::max(share_of(*train, mask_share), share_of(*validation, mask_share)));
  }
  if (const double dropped =
          request.settings.contains("word_dropout") ? request.settings.number("word_dropout") : 0;
      dropped > 0)
    training = std::make_shared<WordDropoutDataset>(training, special.mask, dropped,
                                                    special_ids(*task.tokenizer), request.seed);
  task.training = training;
  task.held_out = validation;
  task.seen = evaluated_by_length(
      form.kind == TaskKind::masked ? std::make_shared<const TableTask>(*train, Split::validation) : train,
      train->size(), request.evaluated > 0 ? request.evaluated : validation->size());
  task.unseen = evaluated_by_length(validation, validation->size(), request.evaluated);
  const auto shape_of = [&](int64_t input, int64_t target) {
    const Shape read{input};
    const Shape wanted = form.kind == TaskKind::pairs            ? Shape{target}
                         : form.kind == TaskKind::classification ? Shape{}
                                                                 : read;
    return std::pair(read, wanted);
  };
  int64_t least_input = sizes.longest_input, least_target = std::max<int64_t>(1, sizes.longest_target);
  for (int64_t i = 0; i < train->size(); ++i) {
    const TokenTask::Lengths one = train->lengths(static_cast<uint64_t>(i));
    least_input = std::min(least_input, one.input);
    least_target = std::min(least_target, std::max<int64_t>(1, one.target));
  }
  const auto [longest, longest_wanted] = shape_of(sizes.longest_input, sizes.longest_target);
  const auto [least, least_wanted] = shape_of(least_input, least_target);
  task.largest = batches_like(form.kind, task.shape.vocab_size, int64, longest, longest_wanted, share);
  task.smallest = batches_like(form.kind, task.shape.vocab_size, int64, least, least_wanted, share);
  return task;
}

}  // namespace

std::shared_ptr<const Tokenizer> learned_from(const TaskRequest& request, const EachText& each) {
  const TokenizerEntry& entry = text_tokenizer(request.tokenizer_name, nullptr);
  TextScan scan;
  std::set<char32_t> characters;
  each([&](const std::string& text) {
    scan.bytes += std::ssize(text);
    if (entry.utf8)
      for (const char32_t c : characters_of(text)) characters.insert(c);
  });
  scan.characters.assign(characters.begin(), characters.end());
  const TextSource source{.paths = request.data, .scan = scan, .documents = [&](const PutText& put) {
                            each([&](const std::string& text) { put(text, true); });
                          }};
  return entry.learn(source, request.settings);
}

void check_scores(const TableForm& form, const TaskRequest& request) {
  if (!request.tokenizer)
    fail<ValueError>("task ", form.name, ": the model has no tokenizer, and so reads no text");
  if (form.has_label && request.class_names.empty())
    fail<ValueError>("task ", form.name, ": the model has no names of classes");
  // What fills up and what begins an answer may be anything.
  std::vector<std::string> needs = form.special;
  std::erase_if(needs, [&](const std::string& name) {
    return name == "<pad>" || name == "<s>" || (name == "<mask>" && form.kind != TaskKind::masked);
  });
  if (with_special(request.tokenizer, needs) != request.tokenizer)
    fail<ValueError>("task ", form.name, ": the tokenizer of the model lacks some of ", joined(needs),
                     ", so that it has not learned it");
}

TaskData open_table(const std::string& task, const TaskRequest& request) {
  const TableForm& form = table_form(task);
  const int64_t longest = request.settings.integer("longest");
  if (are_pictures(request.data))
    fail<ValueError>(request.data[0], ": holds pictures, and ", request.name,
                     " of this model reads texts; --model vit sees pictures");
  if (are_sounds(request.data))
    fail<ValueError>(request.data[0], ": holds sounds, and ", request.name,
                     " of this model reads texts; --model speech hears sounds");
  if (form.cuts && longest > 0 && longest < least_cut)
    fail<ValueError>("longest = ", longest, ": leaves no word of a text between <cls> and <sep>; ", least_cut,
                     " is the least, and 0 no limit");
  const RecordSplit split = split_of_records(form, request);
  Hasher hasher;
  hasher.update(std::string_view(split.train.table->content_hash()));
  if (!request.val_data.empty()) hasher.update(std::string_view(split.validation.table->content_hash()));
  const std::string content_hash = to_hex(hasher.digest());
  check_content(request.data, content_hash, request.expected_hash);
  const std::vector<std::string> class_names = class_names_of(form, request, split.train);
  const std::shared_ptr<const Tokenizer> tokenizer =
      with_special(request.tokenizer ? request.tokenizer : learned(form, request, split.train), form.special);
  const std::string advice =
      unwrapped(*tokenizer).kind() == std::string_view("char")
          ? "; --set tokenizer=bpe reads any text, --set unknown_token=true such characters as unknown"
          : "";
  Encoded train = encoded(form, split.train, *tokenizer, class_names, longest, true, advice);
  Encoded validation = encoded(form, split.validation, *tokenizer, class_names, longest, true, advice);
  for (const Encoded* const part : {&train, &validation})
    if (part->samples.empty())
      fail<ValueError>(
          part == &validation && !request.val_data.empty() ? request.val_data[0] : request.data[0], ": all ",
          grouped(part->left_out), " records that ", part == &train ? "train" : "validate",
          " have more than longest = ", longest, " tokens; --set longest=0 takes them");
  const int64_t overlong = train.overlong() + validation.overlong();
  std::vector<std::string> notes;
  if (form.has_label) notes = notes_of_labels(classes_of(train.samples), class_names);
  const auto count = std::ssize(train.samples);
  const auto trains =
      std::make_shared<const TableTask>(form, options_for(request, Split::train, count), tokenizer,
                                        std::move(train.samples), std::move(train.origin), class_names);
  const auto validates = std::make_shared<const TableTask>(form, options_for(request, Split::validation, 0),
                                                           tokenizer, std::move(validation.samples),
                                                           std::move(validation.origin), class_names);
  TaskData data = data_of(form, request, trains, validates);
  data.content_hash = content_hash;
  data.summary =
      str("task ", task, ": ", grouped(trains->size()), " records train, ", grouped(validates->size()),
          " validate; ", grouped(tokenizer->vocab_size()), " in the vocabulary");
  std::ranges::copy(split.train.table->notes().lines(), std::back_inserter(notes));
  if (!request.val_data.empty())
    std::ranges::copy(split.validation.table->notes().lines(), std::back_inserter(notes));
  if (overlong > 0)
    notes.push_back(str("warning: ", grouped(overlong), " records have more than longest = ", longest,
                        " tokens and are ", form.cuts ? "cut" : "left out"));
  if (const size_t shared = shared_records(form, split); shared > 0)
    notes.push_back(str("warning: ", grouped(static_cast<int64_t>(shared)),
                        " of the records that validate stand among those that train too"));
  data.notes.insert(data.notes.end(), notes.begin(), notes.end());
  return data;
}

std::shared_ptr<const TaskDataset> open_table_to_score(const std::string& task, const TaskRequest& request) {
  const TableForm& form = table_form(task);
  check_scores(form, request);
  TablePart all{read_table(task, request.data, request.settings), {}};
  for (size_t i = 0; i < all.table->size(); ++i) all.records.push_back(i);
  const int64_t longest = request.settings.integer("longest");
  Encoded rows = encoded(form, all, *request.tokenizer, request.class_names, longest, false);
  return std::make_shared<const TableTask>(form, options_for(request, Split::validation, 0),
                                           request.tokenizer, std::move(rows.samples), std::move(rows.origin),
                                           request.class_names);
}

}  // namespace weft
