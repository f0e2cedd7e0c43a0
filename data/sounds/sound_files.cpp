#include <weft/data/sounds/sound_files.h>
#include <weft/lib/base/error.h>
#include <weft/lib/machine/plugin.h>

namespace weft {

SoundLook SoundFiles::look(int64_t number) const {
  SoundLook found;
  try {
    const std::vector<uint8_t> bytes = files_.read(number);
    found.digest = digest_of(bytes);
    found.shape = sound_shape(bytes, files_[number].path);
  } catch (const PluginError&) {
    throw;  // says nothing of the sound
  } catch (const FileError& error) {
    found.error = error.what();
  }
  return found;
}

std::shared_ptr<const SoundFiles> open_sounds(const std::vector<std::string>& paths,
                                              const SoundFileOptions& options) {
  if (paths.empty()) fail<ValueError>("open_sounds: no files");
  LabelledFiles files({.what = "sound",
                       .is = is_sound_name,
                       .file = options.file,
                       .label = options.label,
                       .labelled = options.labelled});
  for (const std::string& path : paths) files.add(path);
  return std::make_shared<const SoundFiles>(std::move(files));
}

bool are_sounds(const std::vector<std::string>& paths) { return hold_any(paths, is_sound_name); }

}  // namespace weft
