#include "files_shown.h"

#include <weft/data/mixture.h>
#include <weft/data/pictures/picture_task.h>
#include <weft/data/sounds/sound_task.h>
#include <weft/layers/models/registry.h>
#include <weft/lib/base/error.h>
#include <weft/train/run_config.h>

#include "model_input.h"

namespace weft::tools {
namespace {

FilesShown pictures_of(const ModelFile& file, const std::vector<std::string>& paths,
                       const std::string& column) {
  const auto pictures = open_pictures(paths, {.file = column, .labelled = false});
  const int64_t channels = file.settings.integer("n_channel"), side = file.settings.integer("image_size");
  return {.what = "pictures",
          .size = pictures->size(),
          .describe = [pictures](int64_t n) { return pictures->describe(n); },
          .error = [pictures](int64_t n) { return pictures->look(n).error; },
          .batch =
              [pictures, channels, side, fit = fit_of(file)](int64_t first, int64_t count) {
                std::vector<Batch> rows;
                for (int64_t n = first; n < first + count; ++n)
                  rows.push_back(
                      {picture_input(pictures->picture(n), fit, channels, side), Array::zeros({1}, int64)});
                return stacked(rows);
              },
          .notes = pictures->notes()};
}

FilesShown sounds_of(const ModelFile& file, const std::vector<std::string>& paths,
                     const std::string& column) {
  const auto sounds = open_sounds(paths, {.file = column, .labelled = false});
  const auto frames = std::make_shared<const LogMel>(frames_heard_by(file));
  return {.what = "sounds",
          .size = sounds->size(),
          .describe = [sounds](int64_t n) { return sounds->describe(n); },
          .error = [sounds](int64_t n) { return sounds->look(n).error; },
          .batch =
              [sounds, frames](int64_t first, int64_t count) {
                std::vector<Array> rows;
                for (int64_t n = first; n < first + count; ++n)
                  rows.push_back(sound_input(sounds->sound(n), *frames));
                Batch batch = batch_of_sounds(rows);
                batch.targets = Array::zeros({count}, int64);
                return batch;
              },
          .notes = sounds->notes()};
}

}  // namespace

FilesShown files_shown(const ModelFile& file, const std::vector<std::string>& paths,
                       const std::vector<std::string>& set) {
  const bool sees = models().at(file.kind).takes(TaskKind::pictures);
  std::string column = "file";
  for (const std::string& typed : set) {
    const Assignment given = setting_typed(typed);
    if (given.key != "file")
      fail<ValueError>(given.where, "of ", sees ? "pictures" : "sounds",
                       " file alone is set, the column with the file");
    column = std::get<std::string>(given.value);
  }
  FilesShown shown = sees ? pictures_of(file, paths, column) : sounds_of(file, paths, column);
  for (int64_t i = 0; i < shown.size; ++i)
    if (const std::string error = shown.error(i); !error.empty()) fail<FileError>(error);
  return shown;
}

}  // namespace weft::tools
