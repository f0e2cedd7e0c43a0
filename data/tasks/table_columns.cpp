#include <weft/data/records/record_reader.h>
#include <weft/data/tasks/table_columns_internal.h>
#include <weft/data/tasks/table_task.h>
#include <weft/data/text/data_files.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/join.h>

#include <algorithm>
#include <filesystem>

namespace weft {

std::vector<Column> columns_of(const std::string& task) {
  if (task == "classify") return {{"text", "text"}, {"label", "label"}};
  if (task == "masked") return {{"text", "text"}};
  if (task == "pairs") return {{"source", "source"}, {"target", "target"}};
  if (task == "text-to-text") return {{"prefix", "prefix"}, {"source", "source"}, {"target", "target"}};
  return {};
}

const std::vector<std::string>& columns_of_turns() {
  static const std::vector<std::string> names = {"messages", "conversations", "conversation"};
  return names;
}

std::string text_or(const SettingValues& settings, const std::string& key, std::string otherwise) {
  return settings.contains(key) && !settings.text(key).empty() ? settings.text(key) : std::move(otherwise);
}

namespace {

/// What a chat is called in the first record.
std::vector<std::string> chat_columns(const std::vector<std::string>& paths, RecordOptions options,
                                      const SettingValues& given) {
  const std::string source = text_or(given, "source"), target = text_or(given, "target");
  if (source.empty() != target.empty())
    fail<ValueError>(
        "task = chat: source and target name the two columns of questions and answers; give both");
  if (!source.empty()) return {source, target};
  options.empty = RecordOptions::Empty::keep;
  options.nested = false;
  RecordReader reader(paths, options);
  const std::vector<std::string>& there = reader.columns();
  const auto has = [&](std::string_view name) {
    return std::ranges::any_of(there, [&](const std::string& column) {
      return column == name || column.starts_with(str(name, "."));
    });
  };
  for (const std::string& name : columns_of_turns())
    if (has(name)) return {name};
  if (has("instruction") && has("output"))
    return has("input") ? std::vector<std::string>{"instruction", "input", "output"}
                        : std::vector<std::string>{"instruction", "output"};
  for (const auto& [asked, answer] :
       {std::pair{"question", "answer"}, {"prompt", "response"}, {"prompt", "completion"}})
    if (has(asked) && has(answer)) return {asked, answer};
  fail<FileError>(
      reader.files()[0], ": its columns are ", joined(there),
      "; a chat is read from messages, question and answer, instruction and output, or the two that "
      "--set source=... target=... name");
}

/// Before they are read as something else than what is meant.
void check_files(const std::string& task, const std::vector<std::string>& paths,
                 const SettingValues& settings, const std::vector<Column>& columns, size_t parallel) {
  const bool named = std::ranges::any_of(
      columns, [&](const Column& column) { return !text_or(settings, column.key).empty(); });
  std::string usual;
  for (const Column& column : columns) usual += str(usual.empty() ? "" : ", ", column.usual);
  if (parallel > 1 && !named && parallel != columns.size())
    fail<ValueError>("'", paths[0], "': is ", parallel, " files side by side, and task = ", task, " reads ",
                     columns.size(), " columns: ", usual);
  std::error_code error;
  if (columns.size() > 1 && parallel == 1 && !are_records(settings, paths) &&
      std::filesystem::is_regular_file(paths[0], error))
    fail<ValueError>(
        paths[0], ": is lines of one text, and task = ", task, " reads ", usual,
        ": of files side by side with a comma between (a.en,a.fr), or of a table, whose format --set "
        "format=csv|tsv|jsonl|json says");
  if (task == "classify" && text_or(settings, "text", "text") == text_or(settings, "label", "label"))
    fail<ValueError>("text and label are the same column, '", text_or(settings, "text", "text"), "'");
}

}  // namespace

std::shared_ptr<const RecordTable> read_table(const std::string& task, const std::vector<std::string>& paths,
                                              const SettingValues& settings) {
  RecordOptions options = record_options(settings);
  for (const std::string& path : paths)
    for (const std::string& part : parallel_files(path))
      if (weighted_path(part).weight)
        fail<ValueError>(path, ": weights are of the task text; task = ", task,
                         " reads each of its records once in an epoch");
  if (task == "chat") {
    options.columns = chat_columns(paths, options, settings);
    options.nested = options.columns.size() == 1;
    if (options.columns.size() > 2) options.empty = RecordOptions::Empty::keep;  // an input may be empty
    return std::make_shared<RecordTable>(paths, options);
  }
  const std::vector<Column> columns = columns_of(task);
  const size_t files = parallel_files(paths[0]).size();
  const bool parallel = files > 1 && options.format.empty();
  check_files(task, paths, settings, columns, files);
  int number = 0;
  for (const Column& column : columns) {
    ++number;
    // Lines and files side by side have numbers alone.
    const bool numbered = parallel || options.format == "pairs" || options.format == "txt";
    options.columns.push_back(
        text_or(settings, column.key, numbered ? std::to_string(number) : column.usual));
  }
  return std::make_shared<RecordTable>(paths, options);
}

}  // namespace weft
