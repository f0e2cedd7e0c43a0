// Records in memory, and what follows from their fields alone.
#pragma once

#include <weft/data/records/record_reader.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// The same for the same fields in the same order, and for no others.
Digest record_digest(std::span<const std::string_view> fields);

/// Whether a record validates, of which `share` in [0, 1] do: by its fields alone, so that each stays where it is when
/// others are added, and equal ones are on one side.
bool is_validation(std::span<const std::string_view> fields, double share);
/// The same by a digest.
bool is_validation(const Digest& digest, double share);

/// All records of files, read once. FileError as RecordReader, and for more than most_bytes of fields.
class RecordTable {
 public:
  static constexpr int64_t usual_most_bytes = int64_t{1} << 32;

  RecordTable(const std::vector<std::string>& paths, const RecordOptions& options,
              int64_t most_bytes = usual_most_bytes);

  size_t size() const { return places_.size(); }
  const std::vector<std::string>& columns() const { return columns_; }
  const std::vector<std::string>& files() const { return files_; }
  /// RecordReader's.
  size_t side_by_side() const { return side_by_side_; }
  std::string_view field(size_t record, size_t column) const;
  std::vector<std::string_view> fields(size_t record) const;
  const Place& place(size_t record) const { return places_.at(record); }
  /// "a.csv: line 3".
  std::string describe(size_t record) const;

  /// RecordReader's.
  const std::string& content_hash() const { return content_hash_; }
  const RecordNotes& notes() const { return notes_; }
  /// Records that are equal to one before them.
  size_t duplicates() const;

  /// What a column holds, each once, in the order of the bytes: of labels, their ids.
  std::vector<std::string> distinct(size_t column) const;
  /// The place of each record's field in `labels`, which is sorted. FileError with file, line and column for one that is
  /// not there.
  std::vector<int64_t> label_ids(size_t column, const std::vector<std::string>& labels) const;

 private:
  std::vector<std::string> columns_, files_;
  std::string bytes_;           ///< of all fields
  std::vector<uint64_t> ends_;  ///< of each field in them
  std::vector<Place> places_;
  size_t side_by_side_ = 1;
  std::string content_hash_;
  RecordNotes notes_;
};

}  // namespace weft
