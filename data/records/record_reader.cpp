#include <weft/data/records/record_reader.h>
#include <weft/data/text/data_files.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/join.h>
#include <weft/lib/base/values.h>

#include <algorithm>
#include <set>

namespace weft {
namespace {

using Header = RecordOptions::Header;

std::string formats_of_one_file() {
  std::vector<std::string> names;
  for (const RecordFormat* const format : record_formats().entries())
    if (!format->parallel) names.push_back(format->name);
  return joined(names);
}

}  // namespace

std::vector<std::string> RecordNotes::lines() const {
  std::vector<std::string> all;
  if (byte_order_marks > 0)
    all.push_back(str(grouped(byte_order_marks), byte_order_marks == 1 ? " file begins" : " files begin",
                      " with a byte-order mark, which is passed over"));
  if (replaced > 0)
    all.push_back(str("warning: ", grouped(replaced), " bytes are not UTF-8 and are read as U+FFFD"));
  if (skipped > 0)
    all.push_back(str("warning: ", grouped(skipped), " records with an empty field are passed over"));
  return all;
}

RecordReader::RecordReader(const std::vector<std::string>& paths, RecordOptions options)
    : options_(std::move(options)) {
  if (paths.empty()) fail<ValueError>("RecordReader: no files");
  for (const std::string& column : options_.columns)
    if (column.empty()) fail<ValueError>("RecordReader: a column without a name");
  find_files(paths);
  choose_format();
  for (const std::string& file : files_) file_bytes_ += static_cast<int64_t>(InputFile(file).size());
  if (options_.header == Header::automatic) {
    const bool named = !std::ranges::all_of(options_.columns, is_column_number);
    options_.header = named || (options_.columns.empty() && format_->has_header) ? Header::yes : Header::no;
  }
}

void RecordReader::find_files(const std::vector<std::string>& paths) {
  std::set<size_t> widths;
  for (const std::string& path : paths) {
    const std::vector<std::string> parts = parallel_files(path);
    std::vector<std::vector<std::string>> each;
    for (const std::string& part : parts) {
      if (part.empty()) fail<ValueError>("'", path, "': no file stands at one side of a comma");
      each.push_back(data_files({part}));
      if (each.back().size() != each.front().size())
        fail<FileError>(part, ": has ", each.back().size(), " files, and ", parts[0], " ",
                        each.front().size(), "; files go together one by one");
    }
    for (size_t i = 0; i < each.front().size(); ++i)
      for (const std::vector<std::string>& files : each) files_.push_back(files[i]);
    widths.insert(parts.size());
  }
  side_by_side_ = *widths.begin();
  if (widths.size() > 1)
    fail<ValueError>("'", joined(paths, " "), "': all must be parallel files, with as many commas, or none");
}

void RecordReader::choose_format() {
  if (!options_.format.empty()) {
    format_ = &record_formats().at(options_.format);
    if (format_->parallel != (side_by_side_ > 1))
      fail<ValueError>("format=", format_->name, " reads ",
                       format_->parallel ? "files that go together, with a comma between: a.en,a.fr"
                                         : "one file, not several with commas between; format=pairs does");
    return;
  }
  if (side_by_side_ > 1) {
    format_ = &record_formats().at("pairs");
    return;
  }
  for (const std::string& file : files_) {
    const RecordFormat* const format = format_by_ending(file);
    if (format == nullptr)
      fail<ValueError>(file, ": its ending names no format; format= says it: ", formats_of_one_file());
    if (format_ != nullptr && format != format_)
      fail<ValueError>(file, ": its ending says ", format->name, ", that of ", files_[0], " ", format_->name,
                       "; files of one kind are read together, or format= says which");
    format_ = format;
  }
}

bool RecordReader::open_next() {
  while (next_file_ < files_.size()) {
    for (size_t i = 0; i < side_by_side_; ++i) sources_.emplace_back(files_[next_file_ + i], options_);
    next_file_ += side_by_side_;
    const bool all_empty = std::ranges::all_of(sources_, [](RecordSource& s) { return s.ahead().empty(); });
    if (all_empty) {
      close();
      continue;
    }
    if (options_.format.empty() && !format_->may_be_json)
      for (const RecordSource& source : sources_)
        if (const std::string hint = format_hint(source.beginning(), {}); !hint.empty())
          source.fail_at(1, {}, "does not look like ", format_->name, hint, "; format=", format_->name,
                         " takes it as it is");
    rows_ = format_->open(sources_, options_);
    check_columns();
    return true;
  }
  return false;
}

void RecordReader::check_columns() {
  std::vector<std::string> columns = rows_->columns();
  if (columns_.empty()) {
    columns_ = std::move(columns);
    if (!columns_.empty() && options_.columns.empty() && !format_->parallel) options_.columns = columns_;
  } else if (columns.size() != columns_.size()) {
    fail<FileError>(sources_[0].path(), ": has ", columns.size(), " columns, and ", files_[0], " ",
                    columns_.size());
  }
}

void RecordReader::close() {
  rows_.reset();
  for (const RecordSource& source : sources_) {
    hasher_.update(source.digest());
    notes_.byte_order_marks += source.had_byte_order_mark();
    notes_.replaced += source.replaced();
    bytes_ += source.read();
    done_bytes_ += source.consumed();
  }
  sources_.clear();
}

const std::vector<std::string>& RecordReader::columns() {
  if (columns_.empty() && !options_.columns.empty()) return options_.columns;
  if (columns_.empty() && !rows_ && !ended_) open_next();
  return columns_;
}

std::optional<Record> RecordReader::next() {
  while (!ended_) {
    if (!rows_ && !open_next()) {
      ended_ = true;
      if (given_ == 0)
        fail<FileError>(files_[0], ": holds no record",
                        notes_.skipped > 0 ? str(", as all ", notes_.skipped, " have an empty field") : "",
                        files_.size() > 1 ? str(", nor do the ", files_.size() - 1, " files after it") : "");
      break;
    }
    Record record{{}, {next_file_ - side_by_side_, 0}};
    if (!rows_->next(record.fields, record.place.line)) {
      close();
      continue;
    }
    if (options_.progress) {
      int64_t done = done_bytes_;
      for (const RecordSource& source : sources_) done += source.consumed();
      options_.progress(done, file_bytes_);
    }
    if (is_empty(record)) {
      ++notes_.skipped;
      continue;
    }
    ++given_;
    return record;
  }
  return {};
}

/// Whether it is to be passed over.
bool RecordReader::is_empty(const Record& record) const {
  if (options_.empty == RecordOptions::Empty::keep) return false;
  const auto found = std::ranges::find(record.fields, "");
  if (found == record.fields.end()) return false;
  if (options_.empty == RecordOptions::Empty::refuse)
    sources_[0].fail_at(record.place.line, columns_[static_cast<size_t>(found - record.fields.begin())],
                        "is empty; empty=skip passes such records over, empty=keep takes them");
  return true;
}

std::string RecordReader::describe(const Place& place) const {
  return str(files_.at(place.file), ": line ", place.line);
}

std::string RecordReader::content_hash() const {
  if (!ended_) fail<StateError>("RecordReader: content_hash() is known when all records were read");
  return to_hex(hasher_.digest());
}

}  // namespace weft
