#include <weft/data/labelled_files.h>
#include <weft/data/records/record_reader.h>
#include <weft/data/text/data_files.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/values.h>

#include <algorithm>
#include <filesystem>

namespace weft {
namespace {

namespace fs = std::filesystem;

bool is_number(const std::string& text) {
  return !text.empty() && text.size() < 18 && text.find_first_not_of("0123456789") == text.npos;
}

}  // namespace

void LabelledFiles::add_folder(const std::string& folder) {
  for (const std::string& path : data_files({folder})) {
    if (!options_.is(path)) {
      ++passed_over_;
      continue;
    }
    const fs::path below = fs::path(path).lexically_relative(folder);
    const bool has_label = std::distance(below.begin(), below.end()) > 1;
    if (options_.labelled && !has_label)
      fail<FileError>(path, ": lies in no folder below ", folder, ", which would be its label: ", folder,
                      "/LABEL/...");
    files_.push_back({path, has_label ? below.begin()->string() : std::string(), {}, {path, 1}});
  }
}

void LabelledFiles::add_table(const std::string& path) {
  RecordOptions records{.columns = {options_.file}};
  if (options_.labelled) records.columns.push_back(options_.label);
  RecordReader reader({path}, records);
  const fs::path folder = fs::path(path).parent_path();
  while (const auto record = reader.next())
    files_.push_back({(folder / record->fields[0]).string(),
                      options_.labelled ? record->fields[1] : std::string(),
                      reader.describe(record->place),
                      {path, record->place.line}});
}

void LabelledFiles::add_file(const std::string& path) {
  if (options_.labelled)
    fail<FileError>(
        path, ": has no label; ", options_.what,
        "s lie in a folder for each label, FOLDER/LABEL/..., or are named in a table with columns ",
        options_.file, " and ", options_.label);
  files_.push_back({path, {}, {}, {path, 1}});
}

void LabelledFiles::add(const std::string& path) {
  if (is_folder(path)) {
    const int64_t before = size();
    add_folder(path);
    if (size() == before) fail<FileError>(path, ": holds no ", options_.what);
    return;
  }
  for (const std::string& file : data_files({path})) is_table(file) ? add_table(file) : add_file(file);
}

std::vector<uint8_t> LabelledFiles::read(int64_t number) const {
  const LabelledFile& one = (*this)[number];
  std::error_code error;
  if (!one.told.empty() && !fs::is_regular_file(one.path, error))
    fail<FileError>(one.told, ": there is no file ", one.path);
  return read_file(one.path);
}

std::vector<std::string> LabelledFiles::notes() const {
  if (passed_over_ == 0) return {};
  return {str("warning: ", grouped(passed_over_),
              passed_over_ == 1 ? " file whose name is" : " files whose names are", " of no ", options_.what,
              " passed over")};
}

bool ends_as(std::string_view path, const std::vector<std::string>& endings) {
  std::string name(path.substr(path.rfind('/') + 1));
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return std::ranges::any_of(endings, [&](const std::string& ending) { return name.ends_with(ending); });
}

bool is_folder(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

bool is_table(std::string_view path) {
  const RecordFormat* const format = format_by_ending(path);
  return format != nullptr && (format->name == "csv" || format->name == "tsv");
}

bool hold_any(const std::vector<std::string>& paths, const std::function<bool(std::string_view)>& is) {
  if (paths.empty()) return false;
  if (is(paths[0])) return true;
  return is_folder(paths[0]) && std::ranges::any_of(data_files({paths[0]}), is);
}

std::vector<std::string> sorted_labels(std::vector<std::string> names) {
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  if (std::ranges::all_of(names, is_number))
    std::ranges::sort(names, {}, [](const std::string& name) { return std::stoll(name); });
  return names;
}

}  // namespace weft
