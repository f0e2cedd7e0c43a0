#include <weft/data/pictures/picture_arrays_internal.h>
#include <weft/data/records/record_table.h>
#include <weft/data/text/data_files.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/values.h>

#include <algorithm>
#include <filesystem>

namespace weft {
namespace {

namespace fs = std::filesystem;

bool is_folder(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

bool is_table(std::string_view path) {
  const RecordFormat* const format = format_by_ending(path);
  return format != nullptr && (format->name == "csv" || format->name == "tsv");
}

/// One picture a file.
class PictureFiles : public PictureSource {
 public:
  struct Entry {
    std::string path, label;
    std::string told;  ///< where it is named; empty: by itself
    TokenPlace place;
  };

  void add(Entry entry) { entries_.push_back(std::move(entry)); }
  void pass_over() { ++passed_over_; }

  int64_t size() const override { return std::ssize(entries_); }
  Picture picture(int64_t number) const override { return read_picture(at(number).path); }
  PictureLook look(int64_t number) const override {
    PictureLook found;
    try {
      const std::vector<uint8_t> bytes = read_file(at(number).path);
      found.digest = digest_of(bytes);
      found.shape = picture_shape(bytes, at(number).path);
    } catch (const FileError& error) {
      found.error = error.what();
    }
    return found;
  }
  const std::string& label(int64_t number) const override { return at(number).label; }
  std::string describe(int64_t number) const override {
    return at(number).told.empty() ? at(number).path : at(number).told;
  }
  SamplePlace place(int64_t number) const override { return {at(number).place, at(number).place}; }
  std::vector<std::string> notes() const override {
    if (passed_over_ == 0) return {};
    return {str("warning: ", grouped(passed_over_),
                passed_over_ == 1 ? " file whose name is" : " files whose names are",
                " of no picture passed over")};
  }

 private:
  const Entry& at(int64_t number) const { return entries_.at(static_cast<size_t>(number)); }

  std::vector<Entry> entries_;
  int64_t passed_over_ = 0;
};

void add_folder(const std::string& folder, bool labelled, PictureFiles& to) {
  for (const std::string& path : data_files({folder})) {
    if (!is_picture_name(path)) {
      to.pass_over();
      continue;
    }
    const fs::path below = fs::path(path).lexically_relative(folder);
    const bool has_label = std::distance(below.begin(), below.end()) > 1;
    if (labelled && !has_label)
      fail<FileError>(path, ": lies in no folder below ", folder, ", which would be its label: ", folder,
                      "/LABEL/...");
    to.add({path, has_label ? below.begin()->string() : std::string(), {}, {path, 1}});
  }
}

void add_table(const std::string& path, const PictureSourceOptions& options, PictureFiles& to) {
  RecordOptions records{.columns = {options.file}};
  if (options.labelled) records.columns.push_back(options.label);
  RecordReader reader({path}, records);
  const fs::path folder = fs::path(path).parent_path();
  while (const auto record = reader.next()) {
    const std::string told = reader.describe(record->place), file = (folder / record->fields[0]).string();
    std::error_code error;
    if (!fs::is_regular_file(file, error)) fail<FileError>(told, ": there is no file ", file);
    to.add({file, options.labelled ? record->fields[1] : std::string(), told, {path, record->place.line}});
  }
}

/// Several, one after the other.
class JoinedPictures : public PictureSource {
 public:
  explicit JoinedPictures(std::vector<std::shared_ptr<const PictureSource>> parts)
      : parts_(std::move(parts)) {
    for (const auto& part : parts_) ends_.push_back(size() + part->size());
  }
  int64_t size() const override { return ends_.empty() ? 0 : ends_.back(); }
  Picture picture(int64_t number) const override { return ask(number, &PictureSource::picture); }
  PictureLook look(int64_t number) const override { return ask(number, &PictureSource::look); }
  const std::string& label(int64_t number) const override {
    const auto [part, inside] = place_of(number);
    return parts_[part]->label(inside);
  }
  std::string describe(int64_t number) const override { return ask(number, &PictureSource::describe); }
  SamplePlace place(int64_t number) const override { return ask(number, &PictureSource::place); }
  std::vector<std::string> notes() const override {
    std::vector<std::string> all;
    for (const auto& part : parts_)
      for (std::string& note : part->notes()) all.push_back(std::move(note));
    return all;
  }

 private:
  std::pair<size_t, int64_t> place_of(int64_t number) const {
    const auto part = static_cast<size_t>(std::ranges::upper_bound(ends_, number) - ends_.begin());
    return {part, number - (part == 0 ? 0 : ends_[part - 1])};
  }
  template <class T>
  T ask(int64_t number, T (PictureSource::*what)(int64_t) const) const {
    const auto [part, inside] = place_of(number);
    return (*parts_.at(part).*what)(inside);
  }

  std::vector<std::shared_ptr<const PictureSource>> parts_;
  std::vector<int64_t> ends_;
};

/// Whether it is an array of pictures and not one of them.
bool is_array(const std::string& path, const PictureSourceOptions& options) {
  if (is_idx(path) || path.ends_with(".h5") || path.ends_with(".hdf5")) return true;
  if (!path.ends_with(".npy")) return false;
  if (!options.labels.empty()) return true;
  try {
    picture_shape(read_file(path), path);
    return false;
  } catch (const FileError&) {
    return true;
  }
}

}  // namespace

std::shared_ptr<const PictureSource> open_pictures(const std::vector<std::string>& paths,
                                                   const PictureSourceOptions& options) {
  if (paths.empty()) fail<ValueError>("open_pictures: no files");
  std::vector<std::shared_ptr<const PictureSource>> parts;
  for (const std::string& given : paths) {
    const auto files = std::make_shared<PictureFiles>();
    if (is_folder(given)) add_folder(given, options.labelled, *files);
    for (const std::string& path : is_folder(given) ? std::vector<std::string>() : data_files({given})) {
      if (is_array(path, options)) {
        parts.push_back(open_picture_array(path, options));
      } else if (is_table(path)) {
        add_table(path, options, *files);
      } else {
        if (options.labelled)
          fail<FileError>(path,
                          ": has no label; pictures lie in a folder for each label, FOLDER/LABEL/..., or are "
                          "named in a table with columns file and label");
        files->add({path, {}, {}, {path, 1}});
      }
    }
    if (files->size() > 0)
      parts.push_back(files);
    else if (is_folder(given))
      fail<FileError>(given, ": holds no picture");
  }
  if (parts.size() == 1) return parts[0];
  return std::make_shared<JoinedPictures>(std::move(parts));
}

bool are_pictures(const std::vector<std::string>& paths) {
  if (paths.empty()) return false;
  const std::string& first = paths[0];
  if (is_idx(first) || is_picture_name(first)) return true;
  if (!is_folder(first)) return false;
  return std::ranges::any_of(data_files({first}), is_picture_name);
}

}  // namespace weft
