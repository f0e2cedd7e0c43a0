#include <weft/data/records/record_table.h>
#include <weft/data/tasks/table_task.h>
#include <weft/data/text/data_files.h>
#include <weft/data/text/document_reader.h>
#include <weft/data/text/utf8.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/join.h>

#include <algorithm>
#include <bit>
#include <unordered_set>

#include "data_inspect.h"

namespace weft::tools {
namespace {

constexpr int64_t most_line_bytes = int64_t{1} << 32;

std::string_view next_word(std::string_view& text) {
  constexpr std::string_view blanks = " \t\r\n\v\f";
  text.remove_prefix(std::min(text.size(), text.find_first_not_of(blanks)));
  const std::string_view word = text.substr(0, text.find_first_of(blanks));
  text.remove_prefix(word.size());
  return word;
}

int64_t count_characters(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return (static_cast<uint8_t>(c) & 0xc0) != 0x80; });
}

struct FirstBytes {
  size_t operator()(const Digest& digest) const { return std::bit_cast<std::array<size_t, 2>>(digest)[0]; }
};
using Digests = std::unordered_set<Digest, FirstBytes>;

void count_text(FieldReport& report, std::string_view text) {
  for (std::string_view left = text; !left.empty();) {
    const auto length = static_cast<size_t>(decode_utf8(left).length);
    report.characters.add(left.substr(0, length));
    left.remove_prefix(length);
  }
  std::string_view left = text;
  for (std::string_view word = next_word(left); !word.empty(); word = next_word(left)) report.words.add(word);
}

void add(FieldReport& report, const Record& record, int64_t overlong) {
  ++report.records;
  for (size_t i = 0; i < record.fields.size(); ++i) {
    NamedLengths& column = report.columns[i];
    column.lengths.add(count_characters(record.fields[i]), overlong);
    if (column.name == report.label) report.labels.add(record.fields[i]);
  }
  if (report.format != "txt") return;
  for (const std::string& text : record.fields) count_text(report, text);
}

RecordSettings settings_of(const DataArguments& arguments) {
  RecordSettings settings;
  settings.empty = RecordOptions::Empty::keep;  // they are counted
  settings.format = arguments.format;
  for (const std::string& typed : arguments.set) {
    const Assignment given = setting_typed(typed);
    const auto* const field = RecordSettings::settings().find(given.key);
    if (field == nullptr) continue;  // of a run
    if (given.key == "format" && given.value == SettingValue(std::string("ids")))
      fail<ValueError>(given.where, "ids that are ready made hold no text to look at; ", program_name(),
                       " train reads them");
    const auto value = parsed(field->setting, std::get<std::string>(given.value));
    if (!value) fail<ValueError>(given.where, "must be ", wanted(field->setting));
    field->put(settings, *value);
  }
  return settings;
}

/// Whether all are text that is read as it is, as `train` reads it: nothing says that they are records.
bool are_plain(const std::vector<std::string>& paths, const RecordSettings& settings) {
  if (!settings.format.empty() || !settings.options().columns.empty()) return false;
  if (std::ranges::any_of(paths, [](const std::string& p) { return parallel_files(p).size() > 1; }))
    return false;
  return std::ranges::none_of(data_files(paths), ends_as_records);
}

/// Else the reader would ask what the others are.
bool all_said_txt(const std::vector<std::string>& paths) {
  return std::ranges::all_of(data_files(paths), [](const std::string& file) {
    const RecordFormat* const format = format_by_ending(file);
    return format != nullptr && format->name == "txt";
  });
}

/// What a chat is kept in, a list that is no column by itself; empty: in none of these.
std::string list_of_turns(const std::vector<std::string>& columns) {
  for (const std::string& name : columns_of_turns())
    if (std::ranges::any_of(columns, [&](const std::string& c) { return c.starts_with(str(name, ".")); }))
      return name;
  return {};
}

}  // namespace

TextProgress shown_on(Console& console, const char* what) {
  return [&console, what](int64_t done, int64_t all) {
    if (all > 0) console.renew(str(what, " ", 100 * done / all, " %"));
  };
}

void Counts::add(std::string_view what) {
  constexpr size_t most = 1'000'000;
  const auto found = counts_.find(std::string(what));
  if (found != counts_.end())
    ++found->second;
  else if (counts_.size() < most)
    counts_.emplace(what, 1);
  else
    ++beyond_;
}

std::vector<std::pair<std::string, int64_t>> Counts::frequent(size_t at_most) const {
  std::vector<std::pair<std::string, int64_t>> all(counts_.begin(), counts_.end());
  std::ranges::sort(all, [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  all.resize(std::min(all.size(), at_most));
  return all;
}

int64_t Counts::sum() const {
  int64_t sum = beyond_;
  for (const auto& [what, n] : counts_) sum += n;
  return sum;
}

void Lengths::add(int64_t length, int64_t limit) {
  ++count;
  sum += length;
  least = std::min(least, length);
  most = std::max(most, length);
  empty += length == 0;
  overlong += length > limit;
  ++buckets[static_cast<size_t>(std::bit_width(static_cast<uint64_t>(length)))];
}

DataFiles data_files_of(const DataArguments& arguments) {
  DataFiles files{.paths = without_weights(arguments.files), .settings = settings_of(arguments)};
  files.plain = are_plain(files.paths, files.settings);
  files.options = files.settings.options();
  if (files.plain) files.options.most_bytes = most_line_bytes;
  if (files.plain && !all_said_txt(files.paths)) files.options.format = "txt";
  RecordOptions all = files.options;
  all.columns = {};
  if (all.header == RecordOptions::Header::automatic &&
      !std::ranges::all_of(files.options.columns, is_column_number))
    all.header = RecordOptions::Header::yes;
  files.present = RecordReader(files.paths, all).columns();
  if (files.options.columns.empty())
    if (const std::string turns = list_of_turns(files.present); !turns.empty()) {
      files.options.columns = {turns};
      files.options.nested = true;
    }
  return files;
}

FieldReport read_fields(const DataFiles& files, int64_t overlong, Console& console) {
  RecordOptions options = files.options;
  options.progress = shown_on(console, "read");
  RecordReader reader(files.paths, options);
  FieldReport report;
  report.files = reader.files();
  report.format = reader.format();
  report.label = files.settings.label;
  for (const std::string& name : reader.columns()) report.columns.push_back({name, {}});
  // A column of this name is one, whether it was said or not.
  if (report.label.empty() && std::ranges::count(reader.columns(), "label") > 0) report.label = "label";
  Digests met;
  constexpr size_t shown = 3;
  while (const auto record = reader.next()) {
    add(report, *record, overlong);
    const std::vector<std::string_view> fields(record->fields.begin(), record->fields.end());
    report.duplicates += !met.insert(record_digest(fields)).second;
    if (report.first.size() < shown)
      report.first.emplace_back(reader.describe(record->place), record->fields);
  }
  console.clear();
  report.header = reader.has_header();
  report.bytes = reader.bytes();
  report.notes = reader.notes();
  report.content_hash = reader.content_hash();
  return report;
}

DocumentReport read_documents(const DataFiles& files, int64_t overlong, Console& console) {
  DocumentReader reader({.paths = files.paths, .by_file = true},
                        {.progress = shown_on(console, "documents")});
  DocumentReport report;
  Digests met;
  Hasher hasher;
  int64_t length = -1;  // of none
  const auto end = [&] {
    if (length < 0) return;
    report.lengths.add(length, overlong);
    report.duplicates += !met.insert(hasher.digest()).second;
    hasher = Hasher();
  };
  while (const auto piece = reader.next()) {
    if (piece->begins) {
      end();
      length = 0;
    }
    length += count_characters(piece->text);
    hasher.update(piece->text);
  }
  end();
  report.notes = reader.notes();
  return report;
}

}  // namespace weft::tools
