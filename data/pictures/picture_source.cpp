#include <weft/data/labelled_files.h>
#include <weft/data/pictures/picture_arrays_internal.h>
#include <weft/data/text/data_files.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>

#include <algorithm>

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

bool are_pictures(const std::vector<std::string>& paths) {
  return !paths.empty() && (is_idx(paths[0]) || hold_any(paths, is_picture_name));
}

}  // namespace weft
