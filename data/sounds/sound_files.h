// Sounds with labels or texts, wherever they lie: folders, tables of file names.
#pragma once

#include <weft/data/labelled_files.h>
#include <weft/data/sounds/sound.h>
#include <weft/lib/base/hash.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace weft {

/// What is known of a sound before it is decoded.
struct SoundLook {
  Digest digest{};  ///< of the bytes of its file
  SoundShape shape = {};
  std::string error = {};  ///< why it is none, beginning with where it lies; empty: it may be one
};

/// A row of sounds. Any number of threads may read it.
class SoundFiles {
 public:
  explicit SoundFiles(LabelledFiles files) : files_(std::move(files)) {}
  int64_t size() const { return files_.size(); }
  /// FileError, which begins with where the sound lies, for what is none.
  Sound sound(int64_t number) const { return decode_sound(files_.read(number), files_[number].path); }
  /// Reads it without decoding it. Never throws for what is no sound, but says so.
  SoundLook look(int64_t number) const;
  /// Or its text; empty where nobody says one.
  const std::string& label(int64_t number) const { return files_[number].label; }
  /// "george/3_george_0.wav", "labels.csv: line 7".
  const std::string& describe(int64_t number) const { return files_[number].describe(); }
  const std::string& path(int64_t number) const { return files_[number].path; }
  SamplePlace place(int64_t number) const { return files_.place(number); }
  std::vector<std::string> notes() const { return files_.notes(); }

 private:
  LabelledFiles files_;
};

struct SoundFileOptions {
  std::string file = "file",
              label = "label";  ///< of a table: columns, by name or number; a text is a label too
  bool labelled = true;         ///< whether each needs one
};

/// What the paths hold:
///   a folder      sounds, each with the label that the folder below it has in which it lies, at any depth; files whose endings
///                 are of no sound are passed over, and counted
///   .csv, .tsv    a row a sound: its file, from the folder of the table on, and its label or text
///   a sound       itself, without a label
/// Several paths are one row after the other. FileError for what cannot be read and a sound without a label where it needs
/// one; ValueError without paths.
std::shared_ptr<const SoundFiles> open_sounds(const std::vector<std::string>& paths,
                                              const SoundFileOptions& options = {});

/// Whether the first of the paths is a sound, by its ending, or a folder that holds one.
bool are_sounds(const std::vector<std::string>& paths);

}  // namespace weft
