#include <weft/data/labelled_files.h>
#include <weft/data/pictures/picture_arrays_internal.h>
#include <weft/data/records/record_reader.h>
#include <weft/data/text/data_files.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <map>

namespace weft {
namespace {

/// One picture a file.
class PictureFiles : public PictureSource {
 public:
  explicit PictureFiles(const PictureSourceOptions& options)
      : files({.what = "picture",
               .is = is_picture_name,
               .file = options.file,
               .label = options.label,
               .labelled = options.labelled}) {}

  int64_t size() const override { return files.size(); }
  Picture picture(int64_t number) const override {
    return decode_picture(files.read(number), files[number].path);
  }
  PictureLook look(int64_t number) const override {
    PictureLook found;
    try {
      const std::vector<uint8_t> bytes = files.read(number);
      found.digest = digest_of(bytes);
      found.shape = picture_shape(bytes, files[number].path);
    } catch (const FileError& error) {
      found.error = error.what();
    }
    return found;
  }
  const std::string& label(int64_t number) const override { return files[number].label; }
  std::string describe(int64_t number) const override { return files[number].describe(); }
  SamplePlace place(int64_t number) const override { return files.place(number); }
  std::vector<std::string> notes() const override { return files.notes(); }

  LabelledFiles files;
};

/// With masks.
class MaskedPictureFiles : public PictureFiles {
 public:
  using PictureFiles::PictureFiles;

  PictureLook look(int64_t number) const override {
    PictureLook found = PictureFiles::look(number);
    if (!found.error.empty()) return found;
    const std::string& mask = files[number].label;
    try {
      if (mask.empty())
        fail<FileError>(describe(number), ": has no mask beside it, NAME.mask.png or NAME_mask.png");
      std::error_code error;
      if (!std::filesystem::is_regular_file(mask, error))
        fail<FileError>(describe(number), ": there is no mask ", mask);
      const std::vector<uint8_t> bytes = read_file(mask);
      const PictureShape shape = picture_shape(bytes, mask);
      if (shape.height != found.shape.height || shape.width != found.shape.width)
        fail<FileError>(mask, ": is a mask of ", shape.height, " x ", shape.width, " for a picture of ",
                        found.shape.height, " x ", found.shape.width);
      Hasher both;
      both.update(found.digest);
      both.update(digest_of(bytes));
      found.digest = both.digest();
    } catch (const FileError& error) {
      found.error = error.what();
    }
    return found;
  }
};

constexpr std::array mask_endings = {std::string_view(".mask"), std::string_view("_mask")};

/// "7" of "7.mask.png"; empty of what is no mask by its name.
std::string masked_by(const std::string& path) {
  const std::string stem = path.substr(0, path.rfind('.'));
  for (const std::string_view ending : mask_endings)
    if (stem.ends_with(ending)) return stem.substr(0, stem.size() - ending.size());
  return {};
}

void add_masked_folder(const std::string& folder, LabelledFiles& to) {
  std::map<std::string, std::string> masks;
  std::vector<std::string> pictures;
  for (const std::string& path : data_files({folder})) {
    if (!is_picture_name(path)) continue;
    const std::string of = masked_by(path);
    if (of.empty())
      pictures.push_back(path);
    else
      masks[of] = path;
  }
  if (pictures.empty()) fail<FileError>(folder, ": holds no picture");
  for (const std::string& path : pictures) {
    const auto mask = masks.find(path.substr(0, path.rfind('.')));
    to.add_file({path, mask != masks.end() ? mask->second : std::string(), {}, {path, 1}});
  }
}

void add_masked_table(const std::string& path, const PictureSourceOptions& options, LabelledFiles& to) {
  RecordReader reader({path}, {.columns = {options.file, options.label}});
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  while (const auto record = reader.next())
    to.add_file({(folder / record->fields[0]).string(),
                 (folder / record->fields[1]).string(),
                 reader.describe(record->place),
                 {path, record->place.line}});
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
    const auto files = std::make_shared<PictureFiles>(options);
    if (is_folder(given)) files->files.add(given);
    for (const std::string& path : is_folder(given) ? std::vector<std::string>() : data_files({given})) {
      if (is_array(path, options))
        parts.push_back(open_picture_array(path, options));
      else
        files->files.add(path);
    }
    if (files->size() > 0) parts.push_back(files);
  }
  if (parts.size() == 1) return parts[0];
  return std::make_shared<JoinedPictures>(std::move(parts));
}

std::shared_ptr<const PictureSource> open_masked_pictures(const std::vector<std::string>& paths,
                                                          const PictureSourceOptions& options) {
  if (paths.empty()) fail<ValueError>("open_masked_pictures: no files");
  auto all = std::make_shared<MaskedPictureFiles>(options);
  for (const std::string& path : paths) {
    if (is_folder(path))
      add_masked_folder(path, all->files);
    else if (is_table(path))
      add_masked_table(path, options, all->files);
    else
      fail<FileError>(path, ": is no folder of pictures and masks, and no table that names them");
  }
  return all;
}

std::vector<uint32_t> mask_colours(const PictureSource& source, int64_t number) {
  const Picture mask = read_picture(source.label(number));
  std::vector<uint32_t> colours;
  colours.reserve(static_cast<size_t>(mask.shape.height * mask.shape.width));
  const std::vector<uint8_t>& pixels = mask.pixels;
  if (mask.shape.channels == 1)
    colours.assign(pixels.begin(), pixels.end());
  else
    for (size_t at = 0; at < pixels.size(); at += 3) {
      const bool grey = pixels[at] == pixels[at + 1] && pixels[at] == pixels[at + 2];
      colours.push_back(grey ? pixels[at]
                             : 1U << 24 | uint32_t{pixels[at]} << 16 | uint32_t{pixels[at + 1]} << 8 |
                                   pixels[at + 2]);
    }
  return colours;
}

std::string name_of_colour(uint32_t colour) {
  if (colour < 1U << 24) return std::to_string(colour);
  char name[8];
  std::snprintf(name, sizeof name, "#%06x", colour & 0xFFFFFFU);
  return name;
}

bool are_pictures(const std::vector<std::string>& paths) {
  return !paths.empty() && (is_idx(paths[0]) || hold_any(paths, is_picture_name));
}

}  // namespace weft
