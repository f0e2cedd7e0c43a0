#include <weft/data/records/record_table.h>
#include <weft/data/text/utf8.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/join.h>
#include <weft/lib/base/values.h>
#include <weft/train/run_config.h>
#include <weft/train/show/console.h>

#include <algorithm>
#include <array>
#include <bit>
#include <map>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <unordered_set>

#include "commands.h"

namespace weft::tools {
namespace {

using nlohmann::ordered_json;

/// How often each of many things was met; those beyond so many are counted together.
class Counts {
 public:
  void add(std::string_view what) {
    const auto found = counts_.find(std::string(what));
    if (found != counts_.end())
      ++found->second;
    else if (counts_.size() < most)
      counts_.emplace(what, 1);
    else
      ++beyond_;
  }
  /// The most frequent first.
  std::vector<std::pair<std::string, int64_t>> frequent(size_t at_most) const {
    std::vector<std::pair<std::string, int64_t>> all(counts_.begin(), counts_.end());
    std::ranges::sort(all, [](const auto& a, const auto& b) {
      return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    all.resize(std::min(all.size(), at_most));
    return all;
  }
  size_t distinct() const { return counts_.size(); }
  int64_t beyond() const { return beyond_; }

 private:
  static constexpr size_t most = 1'000'000;
  std::unordered_map<std::string, int64_t> counts_;
  int64_t beyond_ = 0;
};

struct Column {
  std::string name;
  int64_t empty = 0, overlong = 0, characters = 0, least = INT64_MAX, most = 0;
  std::array<int64_t, 64> lengths{};  ///< of no character, 1, 2 to 3, 4 to 7, ...
};

struct Report {
  std::vector<std::string> files;
  std::string format, content_hash;
  bool header = false;
  int64_t records = 0, bytes = 0, duplicates = 0;
  RecordNotes notes;
  std::vector<Column> columns;
  std::vector<std::pair<std::string, std::vector<std::string>>> first;
  std::string label;  ///< the column
  Counts labels, characters, words;
};

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

void add(Report& report, const Record& record, int64_t overlong) {
  ++report.records;
  for (size_t i = 0; i < record.fields.size(); ++i) {
    Column& column = report.columns[i];
    const int64_t length = count_characters(record.fields[i]);
    column.empty += length == 0;
    column.overlong += length > overlong;
    column.characters += length;
    column.least = std::min(column.least, length);
    column.most = std::max(column.most, length);
    ++column.lengths[static_cast<size_t>(std::bit_width(static_cast<uint64_t>(length)))];
    if (column.name == report.label) report.labels.add(record.fields[i]);
  }
  if (report.format != "txt") return;
  for (const std::string_view text : record.fields) {
    for (std::string_view left = text; !left.empty();) {
      const auto length = static_cast<size_t>(decode_utf8(left).length);
      report.characters.add(left.substr(0, length));
      left.remove_prefix(length);
    }
    std::string_view left = text;
    for (std::string_view word = next_word(left); !word.empty(); word = next_word(left))
      report.words.add(word);
  }
}

RecordSettings settings_of(const DataArguments& arguments) {
  RecordSettings settings;
  settings.empty = RecordOptions::Empty::keep;  // they are counted
  settings.format = arguments.format;
  for (const std::string& typed : arguments.set) {
    const Assignment given = setting_typed(typed);
    const auto* const field = RecordSettings::settings().find(given.key);
    if (field == nullptr)
      fail<ValueError>(given.where, "there is no such key; there are ",
                       joined(RecordSettings::settings().list(), ", ", &Setting::name));
    const auto value = parsed(field->setting, std::get<std::string>(given.value));
    if (!value) fail<ValueError>(given.where, "must be ", wanted(field->setting));
    field->put(settings, *value);
  }
  return settings;
}

Report inspect(const DataArguments& arguments) {
  Console console;
  const RecordSettings settings = settings_of(arguments);
  RecordOptions options = settings.options();
  options.progress = [&](int64_t done, int64_t all) {
    if (all > 0) console.renew(str("read ", 100 * done / all, " %"));
  };
  RecordReader reader(arguments.files, options);
  Report report;
  report.files = reader.files();
  report.format = reader.format();
  report.label = settings.label;
  for (const std::string& name : reader.columns()) report.columns.push_back({name});
  struct FirstBytes {
    size_t operator()(const Digest& digest) const { return std::bit_cast<std::array<size_t, 2>>(digest)[0]; }
  };
  std::unordered_set<Digest, FirstBytes> met;
  constexpr size_t shown = 3;
  while (const auto record = reader.next()) {
    add(report, *record, arguments.overlong);
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

/// In quotes, in one line, cut.
std::string shown(const std::string& field) {
  constexpr size_t most = 72;
  size_t end = std::min(field.size(), most);
  while (end < field.size() && (static_cast<uint8_t>(field[end]) & 0xc0) == 0x80) --end;
  return ordered_json(field.substr(0, end)).dump(-1, ' ', false, ordered_json::error_handler_t::replace) +
         (end < field.size() ? "..." : "");
}

std::string share(int64_t part, int64_t all) {
  return str(grouped(part), " (", fixed(100 * static_cast<double>(part) / static_cast<double>(all), 1),
             " %)");
}

double mean_of(const Column& column, int64_t records) {
  return static_cast<double>(column.characters) / static_cast<double>(records);
}

std::string padded(const std::string& text, size_t width) {
  return std::string(width > text.size() ? width - text.size() : 0, ' ') + text;
}

int64_t shortest(size_t bucket) { return bucket == 0 ? 0 : int64_t{1} << (bucket - 1); }
int64_t longest(size_t bucket) { return bucket == 0 ? 0 : (int64_t{1} << bucket) - 1; }

std::string text_of(const Column& column, const Report& report, int64_t overlong) {
  std::string text =
      str("\ncolumn ", column.name, ": ", grouped(column.least), " to ", grouped(column.most),
          " characters, ", fixed(mean_of(column, report.records), 1), " on average; ", grouped(column.empty),
          " empty, ", grouped(column.overlong), " of more than ", grouped(overlong), "\n");
  const int64_t highest = *std::ranges::max_element(column.lengths);
  constexpr int64_t width = 40;
  for (size_t i = 0; i < column.lengths.size(); ++i) {
    if (longest(i) < column.least || shortest(i) > column.most) continue;
    const int64_t n = column.lengths[i];
    const std::string from = grouped(shortest(i)), to = grouped(longest(i));
    text += str(padded(from == to ? from : from + "-" + to, 18), padded(grouped(n), 12), n > 0 ? "  " : "",
                std::string(static_cast<size_t>((n * width + highest - 1) / highest), '#'), "\n");
  }
  return text;
}

std::string text_of(const char* what, const Counts& counts, int64_t all, size_t most) {
  const auto part = [&](const std::pair<std::string, int64_t>& one) {
    return str(shown(one.first), " ", share(one.second, all));
  };
  return str("\n", grouped(static_cast<int64_t>(counts.distinct())), counts.beyond() > 0 ? " or more " : " ",
             what, ": ", joined(counts.frequent(most), ", ", part), counts.distinct() > most ? ", ..." : "",
             "\n");
}

constexpr size_t most_labels = 50, most_frequent = 20;

int64_t sum_of(const Counts& counts) {
  int64_t sum = counts.beyond();
  for (const auto& [what, n] : counts.frequent(counts.distinct())) sum += n;
  return sum;
}

std::string text_of(const Report& report, const DataArguments& arguments) {
  const size_t files = report.files.size();
  std::string text =
      str(report.files[0], files > 1 ? str(" and ", files - 1, " more") : "", ": ", report.format);
  if (report.format == "csv" || report.format == "tsv")
    text += report.header ? ", the first row names the columns (header=no: it is a record)"
                          : ", without a header (header=yes: the first row names the columns)";
  const bool lines = report.format == "txt";
  text += str("\n", grouped(report.records), lines ? " lines, " : " records, ", grouped(report.bytes),
              " bytes, ", lines ? str(grouped(report.columns[0].characters), " characters, ") : "",
              grouped(report.duplicates), report.duplicates == 1 ? " duplicate" : " duplicates", "\n");
  const RecordNotes& notes = report.notes;
  if (notes.byte_order_marks > 0)
    text +=
        str(grouped(notes.byte_order_marks), notes.byte_order_marks == 1 ? " file begins" : " files begin",
            " with a byte-order mark, which is passed over\n");
  if (notes.replaced > 0)
    text += str(grouped(notes.replaced), " bytes are not UTF-8: U+FFFD stands for each\n");
  if (notes.skipped > 0)
    text += str(grouped(notes.skipped), " records with an empty field were passed over\n");
  for (const Column& column : report.columns) text += text_of(column, report, arguments.overlong);
  if (!report.label.empty()) text += text_of("labels", report.labels, report.records, most_labels);
  if (report.format == "txt") {
    text += text_of("characters", report.characters, sum_of(report.characters), most_frequent);
    text += text_of("words", report.words, sum_of(report.words), most_frequent);
  }
  for (const auto& [place, fields] : report.first) {
    text += str("\n", place, "\n");
    for (size_t i = 0; i < fields.size(); ++i)
      text += str("  ", report.columns[i].name, ": ", shown(fields[i]), "\n");
  }
  return text;
}

ordered_json json_of(const Counts& counts, size_t most) {
  ordered_json all = ordered_json::array();
  for (const auto& [what, n] : counts.frequent(most)) all.push_back({{"text", what}, {"count", n}});
  return all;
}

ordered_json json_of(const Report& report) {
  ordered_json columns = ordered_json::array(), first = ordered_json::array();
  for (const Column& column : report.columns) {
    ordered_json lengths = ordered_json::array();
    for (size_t i = 0; i < column.lengths.size(); ++i)
      if (column.lengths[i] > 0)
        lengths.push_back({{"from", shortest(i)}, {"to", longest(i)}, {"count", column.lengths[i]}});
    columns.push_back({{"name", column.name},
                       {"shortest", column.least},
                       {"longest", column.most},
                       {"mean", mean_of(column, report.records)},
                       {"empty", column.empty},
                       {"overlong", column.overlong},
                       {"lengths", lengths}});
  }
  for (const auto& [place, fields] : report.first) first.push_back({{"place", place}, {"fields", fields}});
  ordered_json all{{"files", report.files},
                   {"format", report.format},
                   {"header", report.header},
                   {"records", report.records},
                   {"bytes", report.bytes},
                   {"content_hash", report.content_hash},
                   {"duplicates", report.duplicates},
                   {"byte_order_marks", report.notes.byte_order_marks},
                   {"replaced", report.notes.replaced},
                   {"skipped", report.notes.skipped},
                   {"columns", columns}};
  if (!report.label.empty()) all["labels"] = json_of(report.labels, SIZE_MAX);
  if (report.format == "txt") {
    all["characters"] = json_of(report.characters, most_frequent);
    all["words"] = json_of(report.words, most_frequent);
  }
  all["first"] = first;
  return all;
}

}  // namespace

Work prepare_data(const DataArguments& arguments) {
  if (arguments.action == "where") return prepare_data_where(arguments);
  if (arguments.action != "inspect")
    fail<ValueError>(
        "data: there is no '", arguments.action,
        "'; data inspect FILE... tells what files hold, data where RUN --step N what fed an update");
  // Looking is reading: what cannot be read is refused.
  const Report report = inspect(arguments);
  const std::string text =
      arguments.json ? json_of(report).dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n"
                     : text_of(report, arguments);
  return [text] {
    write_out(text);
    return 0;
  };
}

}  // namespace weft::tools
