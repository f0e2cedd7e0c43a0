// All formats of records by name, ours and a user's. One of a user's derives from RowReader and is known after
//   register_record_format({.name = "mine", .endings = {".mine"}, .open = [](auto sources, const RecordOptions& options) {
//     return std::make_unique<MyRows>(sources[0], options); }});
#pragma once

#include <weft/data/records/record_source.h>
#include <weft/lib/settings/registry.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// What a format is: cuts a file, or files that are parallel, into rows.
class RowReader {
 public:
  virtual ~RowReader() = default;
  /// The names of the fields that next() gives: RecordOptions::columns, or all that there are, by name or number.
  virtual std::vector<std::string> columns() = 0;
  /// Reads the next row's asked fields and the line it begins in; false at the end of the file. FileError with file, line
  /// and column for what cannot be read.
  virtual bool next(std::vector<std::string>& fields, int64_t& line) = 0;
};

struct RecordFormat {
  std::string name;
  std::vector<std::string> endings = {};  ///< of files, which say it: ".csv"
  std::string summary = {};
  bool parallel = false;     ///< of several files that are read side by side: "a.en,a.fr"
  bool has_header = false;   ///< when nobody says so and no columns are asked for
  bool may_be_json = false;  ///< whether a line that is a JSON object is what it should hold
  /// Sources and options outlive the reader; the header of the options is yes or no.
  std::function<std::unique_ptr<RowReader>(std::span<RecordSource> sources, const RecordOptions& options)>
      open;
};

/// The registry, in which ours are from the start: csv, tsv, jsonl, json, txt and pairs.
Registry<RecordFormat>& record_formats();
/// ValueError for a name that is taken.
void register_record_format(RecordFormat format);

/// The format that the ending of a file says, with or without .gz and .zst behind; nullptr for none.
const RecordFormat* format_by_ending(std::string_view path);
/// Whether its ending says that a file holds records. Those of .txt are its lines, so that nothing says whether it is read
/// as one text or as many.
bool ends_as_records(std::string_view path);

/// Whether a column is asked for by number, as digits say it.
bool is_column_number(const std::string& column);
/// Where the asked columns stand among those there are; all without any. `names` may be empty: there are `width` of
/// them then, by number. A name goes before a number. FileError at `line` of the source for one that is not there, which
/// ends with `hint` where it is a name like no other, and for a name that stands twice.
std::vector<size_t> chosen_columns(const RecordSource& source, int64_t line,
                                   const std::vector<std::string>& asked,
                                   const std::vector<std::string>& names, size_t width,
                                   std::string_view hint = {});
/// The names of all columns: its number where one has none, or where it stands twice.
std::vector<std::string> unique_names(const std::vector<std::string>& names, size_t width);
/// "; its lines are JSON objects: format=jsonl reads them", or the like, where the beginning of a file looks so.
std::string format_hint(const std::string& beginning, const std::string& format);

/// Ours.
std::unique_ptr<RowReader> open_delimited(RecordSource& source, const RecordOptions& options, char delimiter,
                                          bool quotes);
std::unique_ptr<RowReader> open_lines(std::span<RecordSource> sources, const RecordOptions& options);
std::unique_ptr<RowReader> open_json_lines(RecordSource& source, const RecordOptions& options);
std::unique_ptr<RowReader> open_json_array(RecordSource& source, const RecordOptions& options);

}  // namespace weft
