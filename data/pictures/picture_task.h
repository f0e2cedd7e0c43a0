// Tasks on a user's pictures: the class of each, and that of each of its patches.
#pragma once

#include <weft/data/pictures/augment.h>
#include <weft/data/pictures/fit.h>
#include <weft/data/pictures/picture_source.h>
#include <weft/data/tasks/indexed_task.h>
#include <weft/data/text/tokens.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace weft {

/// Pictures as squares of bytes (channels, whole, whole), in memory or in a file, and what each of them shows; or, with masks,
/// each of its pixels, as classes (whole, whole) behind it.
struct FittedPictures {
  std::shared_ptr<const PictureSource> source;
  std::vector<int64_t> numbers;         ///< of each in the source
  std::shared_ptr<const Tokens> bytes;  ///< of all, one after the other
  int64_t channels = 0, whole = 0;
  bool masked = false;
  std::vector<int64_t> classes;    ///< of each; none with masks
  std::vector<std::string> notes;  ///< of what was passed over

  int64_t size() const { return static_cast<int64_t>(numbers.size()); }
  int64_t values() const { return channels * whole * whole; }
  /// The bytes of one, and the classes of its pixels.
  std::vector<uint8_t> picture(int64_t place) const { return read(place, 0, values()); }
  std::vector<uint8_t> mask(int64_t place) const { return read(place, values(), whole * whole); }

 private:
  std::vector<uint8_t> read(int64_t place, int64_t from, int64_t count) const;
};

/// Some of them. Those that train are seen otherwise in every epoch, as AugmentOptions say, by numbers of (seed, epoch,
/// picture); with `mixup` above 0 each is laid over another one, and its targets (B, n_class) are shares of both.
class PictureTask : public IndexedTask {
 public:
  struct Options {
    int64_t side = 0;  ///< of what a model sees
    AugmentOptions augment = {};
    double mixup = 0;  ///< alpha, of Beta(alpha, alpha), from which the other one's share is drawn
    int64_t patch =
        0;  ///< with masks: its side; the class of a patch is that of most of its pixels, of equals the first
  };
  /// `places` are those of the pictures that it has, among `pictures`.
  PictureTask(TaskOptions task, std::shared_ptr<const FittedPictures> pictures, std::vector<int64_t> places,
              std::vector<std::string> class_names, Options options);

  TaskKind kind() const override { return pictures_->masked ? TaskKind::patches : TaskKind::pictures; }
  TaskSizes sizes() const override;
  std::vector<std::string> scores() const override;
  double best_accuracy() const override;
  int64_t samples_per_epoch() const override { return size(); }
  /// All are of one size.
  Lengths lengths(uint64_t) const override { return {1, 0}; }
  std::vector<SamplePlace> places_at(uint64_t index) const override;
  Batch batch_of(std::span<const Drawn> samples) const override;
  int64_t size() const { return static_cast<int64_t>(places_.size()); }
  /// The class of each that it has.
  std::vector<int64_t> classes_of_all() const;
  const PictureSource& source() const { return *pictures_->source; }
  const std::vector<std::string>& notes() const { return pictures_->notes; }
  /// The number of sample n of the run in it.
  int64_t number_of(int64_t n) const {
    return pictures_->numbers[static_cast<size_t>(places_.at(index_of(n)))];
  }

 private:
  uint64_t sample_of(int64_t n) const override;
  Draws draws_of(int64_t place, uint64_t epoch) const;
  void view(int64_t place, uint64_t epoch, std::span<float> to) const;
  void view_mask(int64_t place, uint64_t epoch, std::span<int64_t> to) const;

  std::shared_ptr<const FittedPictures> pictures_;
  std::vector<int64_t> places_;
  Options options_;
};

/// image_size, channels, fit; file, label, labels, header; val_share, invalid; those of AugmentOptions, mixup. With masks
/// mask in place of label and labels, and no mixup.
std::vector<Setting> picture_settings(bool masks = false);

/// The pictures of request.data, each once decoded, fitted and, where there is a cache_folder, kept there. Those of
/// request.val_data validate; without any, the share val_share of the pictures, chosen by what they show, so that equal ones
/// are on one side. FileError for what cannot be read, with its name, before anything is trained; with invalid=skip it is
/// passed over, and counted. ValueError for one class, and for a class of which no picture trains.
/// `masks`: the classes of patches, whose side is the setting patch_size, of pictures with masks (open_masked_pictures).
TaskData open_pictures_task(const TaskRequest& request, bool masks);
/// All pictures of request.data, with the classes and the sizes of a model.
std::shared_ptr<const TaskDataset> open_pictures_to_score(const TaskRequest& request, bool masks);

/// One picture as a model sees it: (1, channels, side, side).
Array picture_input(const Picture& picture, Fit fit, int64_t channels, int64_t side);

}  // namespace weft
