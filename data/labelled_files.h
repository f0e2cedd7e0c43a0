// Files that are samples, such as pictures and sounds, with what is said of each: the folder it lies in, or a table.
#pragma once

#include <weft/data/dataset.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

struct LabelledFile {
  std::string path;
  std::string label = {};  ///< or the text; empty where nobody says one
  std::string told = {};   ///< where it is named, "labels.csv: line 7"; empty: nowhere
  TokenPlace place = {};

  /// `told`, or the path.
  const std::string& describe() const { return told.empty() ? path : told; }
};

struct LabelledFileOptions {
  std::string what;                               ///< in messages: "picture"
  std::function<bool(std::string_view path)> is;  ///< by its ending
  std::string file = "file", label = "label";     ///< columns of a table, by name or number
  bool labelled = true;                           ///< whether each needs a label
};

/// A row of them, without doubt that they are there: of tables, that is seen when they are read.
class LabelledFiles {
 public:
  explicit LabelledFiles(LabelledFileOptions options) : options_(std::move(options)) {}

  /// All below a folder whose endings are right, each with the label of the folder below it in which it lies, at any depth;
  /// others are passed over, and counted. FileError for one that lies in none, where each needs a label.
  void add_folder(const std::string& folder);
  /// A row of a table each: its file, from the folder of the table on, and its label. Errors as RecordReader.
  void add_table(const std::string& path);
  /// FileError where each needs a label.
  void add_file(const std::string& path);
  void add_file(LabelledFile file) { files_.push_back(std::move(file)); }
  /// Whichever of the three it is.
  void add(const std::string& path);

  int64_t size() const { return std::ssize(files_); }
  const LabelledFile& operator[](int64_t number) const { return files_.at(static_cast<size_t>(number)); }
  /// The bytes of one. FileError that begins with where it is named, or with its path.
  std::vector<uint8_t> read(int64_t number) const;
  SamplePlace place(int64_t number) const { return {(*this)[number].place, (*this)[number].place}; }
  /// What was passed over.
  std::vector<std::string> notes() const;

 private:
  LabelledFileOptions options_;
  std::vector<LabelledFile> files_;
  int64_t passed_over_ = 0;
};

/// Whether a file's name ends as one of them, in capitals or not.
bool ends_as(std::string_view path, const std::vector<std::string>& endings);
bool is_folder(const std::string& path);
/// By its ending: .csv or .tsv, compressed or not.
bool is_table(std::string_view path);
/// Whether the first of the paths is such a file, or a folder that holds one.
bool hold_any(const std::vector<std::string>& paths, const std::function<bool(std::string_view)>& is);

/// Names of classes: numbers by what they count, others by their bytes.
std::vector<std::string> sorted_labels(std::vector<std::string> names);

}  // namespace weft
