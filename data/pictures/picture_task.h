// Tasks on a user's pictures: the class of each.
#pragma once

#include <weft/data/pictures/augment.h>
#include <weft/data/pictures/fit.h>
#include <weft/data/pictures/picture_source.h>
#include <weft/data/tasks/task_data.h>
#include <weft/data/text/tokens.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace weft {

/// Pictures as squares of bytes (channels, whole, whole), in memory or in a file, and what each of them shows.
struct FittedPictures {
  std::shared_ptr<const PictureSource> source;
  std::vector<int64_t> numbers;         ///< of each in the source
  std::shared_ptr<const Tokens> bytes;  ///< of all, one after the other
  int64_t channels = 0, whole = 0;
  std::vector<int64_t> classes;    ///< of each
  std::vector<std::string> notes;  ///< of what was passed over

  int64_t size() const { return static_cast<int64_t>(numbers.size()); }
  int64_t values() const { return channels * whole * whole; }
  /// Writes the bytes of one.
  void read(int64_t place, std::span<uint8_t> to) const;
};

/// Some of them. Those that train are seen otherwise in every epoch, as AugmentOptions say, by numbers of (seed, epoch,
/// picture); with `mixup` above 0 each is laid over another one, and its targets (B, n_class) are shares of both.
class PictureTask : public TaskDataset {
 public:
  struct Options {
    int64_t side = 0;  ///< of what a model sees
    AugmentOptions augment = {};
    double mixup = 0;  ///< alpha, of Beta(alpha, alpha), from which the other one's share is drawn
  };
  /// `places` are those of the pictures that it has, among `pictures`.
  PictureTask(TaskOptions task, std::shared_ptr<const FittedPictures> pictures, std::vector<int64_t> places,
              std::vector<std::string> class_names, Options options);

  TaskKind kind() const override { return TaskKind::pictures; }
  TaskSizes sizes() const override;
  std::vector<std::string> scores() const override { return {"accuracy", "f1"}; }
  double best_accuracy() const override;
  int64_t samples_per_epoch() const override { return size(); }
  Batch batch(int64_t first, int64_t count) const override;
  std::vector<std::vector<SamplePlace>> places(int64_t first, int64_t count) const override;
  int64_t size() const { return static_cast<int64_t>(places_.size()); }
  /// The class of each that it has.
  std::vector<int64_t> classes_of_all() const;
  const PictureSource& source() const { return *pictures_->source; }
  const std::vector<std::string>& notes() const { return pictures_->notes; }
  /// The number of sample n of the run in it.
  int64_t number_of(int64_t n) const { return pictures_->numbers[static_cast<size_t>(place_of(n))]; }

 private:
  uint64_t sample_of(int64_t n) const override;
  int64_t place_of(int64_t n) const { return places_[sample_of(n)]; }
  void view(int64_t place, uint64_t epoch, std::span<float> to) const;

  std::shared_ptr<const FittedPictures> pictures_;
  std::vector<int64_t> places_;
  Options options_;
};

/// image_size, channels, fit; file, label, labels, header; val_share, invalid; those of AugmentOptions, mixup.
std::vector<Setting> picture_settings();

/// The pictures of request.data, each once decoded, fitted and, where there is a cache_folder, kept there. Those of
/// request.val_data validate; without any, the share val_share of the pictures, chosen by what they show, so that equal ones
/// are on one side. FileError for what cannot be read, with its name, before anything is trained; with invalid=skip it is
/// passed over, and counted. ValueError for one class, and for a class of which no picture trains.
TaskData open_picture_classes(const TaskRequest& request);
/// All pictures of request.data, with the classes and the sizes of a model.
std::shared_ptr<const TaskDataset> open_picture_classes_to_score(const TaskRequest& request);

/// One picture as a model sees it: (1, channels, side, side).
Array picture_input(const Picture& picture, Fit fit, int64_t channels, int64_t side);

}  // namespace weft
