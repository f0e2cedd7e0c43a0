// Records, rows of named fields, of any number of files one after another:
//
//   RecordReader records({"train.csv"}, {.columns = {"text", "label"}});
//   while (const auto record = records.next()) use(record->fields[0], record->fields[1]);
#pragma once

#include <weft/data/records/record_format.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace weft {

/// Where a record begins: the number of the file among RecordReader::files(), and the line in it, from 1.
struct Place {
  size_t file = 0;
  int64_t line = 0;
  bool operator==(const Place&) const = default;
};

struct Record {
  std::vector<std::string> fields;  ///< as columns() names them
  Place place;
};

/// What was met so far.
struct RecordNotes {
  int64_t byte_order_marks = 0;  ///< files that begin with one, which is passed over
  int64_t replaced = 0;          ///< bytes that were not UTF-8, by invalid=replace
  int64_t skipped = 0;           ///< records with an empty field, by empty=skip

  /// What a user should know of it, a line each.
  std::vector<std::string> lines() const;
};

/// Streams, in memory that depends on the longest record alone; one file, or those that are parallel, are open at a time.
///
/// Paths are files, folders and patterns (data_files.h), compressed or not (byte_stream.h). "a.en,a.fr", which is no file
/// itself, is files in parallel, format pairs: a record a line, with a field of each. The others are of the format that
/// their endings say, with or without .gz and .zst behind. An empty file is passed over.
///
/// FileError that begins with the path and names line and column for: a file that is missing or damaged, a column that is
/// not there, rows that are shorter or longer than the first, what breaks the format's rules, bytes that are not UTF-8, a
/// NUL, an empty field, a record of more than most_bytes, parallel files of unequal length, files with other columns than
/// the first, and when there is no record in any. ValueError for a format that is not known, and for files whose endings
/// say none, or several. A line may end by CR LF; the CR is no part of it.
class RecordReader {
 public:
  /// Checks that all files can be opened.
  RecordReader(const std::vector<std::string>& paths, RecordOptions options);

  std::optional<Record> next();

  /// Those asked for, or all of the first file.
  const std::vector<std::string>& columns();
  const std::vector<std::string>& files() const { return files_; }
  /// How many files a record is read from, side by side: Place::file and those after it.
  size_t side_by_side() const { return side_by_side_; }
  const std::string& format() const { return format_->name; }
  /// Whether the first row of each file names its columns.
  bool has_header() const { return options_.header == RecordOptions::Header::yes; }
  /// "a.csv: line 3".
  std::string describe(const Place& place) const;
  const RecordNotes& notes() const { return notes_; }
  /// Bytes read so far, decompressed.
  int64_t bytes() const { return bytes_; }
  /// Of the files' bytes, decompressed, and of where they are cut; 32 hexadecimal digits. StateError before the end.
  std::string content_hash() const;

 private:
  void find_files(const std::vector<std::string>& paths);
  void choose_format();
  bool open_next();
  void close();
  bool is_empty(const Record& record) const;
  void check_columns();

  RecordOptions options_;
  std::vector<std::string> files_;
  size_t side_by_side_ = 1;  ///< files that are parallel
  const RecordFormat* format_ = nullptr;
  std::vector<RecordSource> sources_;
  std::unique_ptr<RowReader> rows_;
  size_t next_file_ = 0;
  std::vector<std::string> columns_;
  RecordNotes notes_;
  Hasher hasher_;
  int64_t bytes_ = 0, file_bytes_ = 0, done_bytes_ = 0;
  int64_t given_ = 0;  ///< records
  bool ended_ = false;
};

}  // namespace weft
