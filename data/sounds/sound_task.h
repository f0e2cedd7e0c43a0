// Tasks on a user's sounds: the class of each, and what is said in each.
#pragma once

#include <weft/data/sounds/kept_sounds.h>
#include <weft/data/sounds/log_mel.h>
#include <weft/data/sounds/sound_augment.h>
#include <weft/data/tasks/indexed_task.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace weft {

/// Some sounds, as log-mel frames (B, T, M), zeros behind the lengths, and their classes (B) or texts (B, U). Those that train
/// are heard otherwise in every epoch, as SoundAugmentOptions say, by numbers of (seed, epoch, sound).
class SoundTask : public IndexedTask {
 public:
  /// What is asked of one sound: its class, or ids and an end.
  using Target = std::vector<int64_t>;
  struct Parts {
    std::shared_ptr<const KeptSounds> sounds = nullptr;
    std::vector<int64_t> places = {};                              ///< those that it has, among the sounds
    std::shared_ptr<const std::vector<Target>> targets = nullptr;  ///< of each of the sounds
    std::shared_ptr<const LogMel> frames = nullptr;
    SoundAugmentOptions augment = {};
  };
  /// With names of classes it asks for these, else for texts.
  SoundTask(std::string name, TaskOptions task, Parts parts, std::shared_ptr<const Tokenizer> tokenizer,
            std::vector<std::string> class_names);

  TaskKind kind() const override { return classes() > 0 ? TaskKind::sounds : TaskKind::transcripts; }
  TaskSizes sizes() const override;
  std::vector<std::string> scores() const override;
  double best_accuracy() const override;
  bool asks() const override { return kind() == TaskKind::transcripts; }
  int64_t samples_per_epoch() const override { return size(); }
  int64_t size() const { return std::ssize(parts_.places); }
  /// Frames, of what is asked ids.
  Lengths lengths(uint64_t index) const override;
  std::vector<SamplePlace> places_at(uint64_t index) const override;
  using IndexedTask::batch_of;
  Batch batch_of(std::span<const Drawn> samples) const override;
  /// "a sound of 0.43 s".
  std::string input_text(const Batch& batch, int64_t row) const override;
  std::vector<Prompt> prompts(const Batch& batch, int64_t row) const override;

  const Parts& parts() const { return parts_; }
  /// The number in the source of sample n of the run.
  int64_t number_of(int64_t n) const { return parts_.sounds->number(place(index_of(n))); }
  std::vector<int64_t> classes_of_all() const;
  /// Frames and ids of the longest, as long as augmentation may make it.
  Lengths longest() const;
  Lengths shortest() const;

 private:
  uint64_t sample_of(int64_t n) const override;
  int64_t place(uint64_t index) const { return parts_.places.at(index); }
  Array frames_of(const Drawn& sample) const;

  Parts parts_;
};

/// file and label, or file and text; sample_rate, n_mels, window_ms, hop_ms, longest_seconds; val_share, invalid, batching,
/// batch_tokens; those of SoundAugmentOptions.
std::vector<Setting> sound_settings(bool transcribes);

/// The sounds of request.data, each once decoded, resampled and, where there is a cache_folder, kept there. Those of
/// request.val_data validate; without any, the share val_share of the sounds, chosen by the bytes of their files, so that equal
/// ones are on one side. A tokenizer is learned from the texts of what trains. FileError for what cannot be read, with its
/// name, before anything is trained; with invalid=skip it is passed over, and counted. ValueError for one class.
TaskData open_sounds_task(const TaskRequest& request, bool transcribes);
/// All sounds of request.data, with the classes or the tokenizer of a model, heard as it hears.
std::shared_ptr<const TaskDataset> open_sounds_to_score(const TaskRequest& request, bool transcribes);

/// A sound as a model hears it: (1, T, M).
Array sound_input(const Sound& sound, const LogMel& frames);
/// Several (1, T, M) as one batch, zeros behind each, without targets.
Batch batch_of_sounds(const std::vector<Array>& rows);

}  // namespace weft
