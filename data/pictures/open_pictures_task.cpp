#include <weft/data/labelled_files.h>
#include <weft/data/pictures/fitted_bytes.h>
#include <weft/data/pictures/picture_task.h>
#include <weft/data/tasks/open_internal.h>
#include <weft/data/text/tokenize.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>

#include <algorithm>
#include <iterator>
#include <optional>

namespace weft {
namespace {

/// The side of pictures that are of other sizes, or larger, unless told.
constexpr int64_t usual_side = 64;

struct PictureSettings {
  PictureSourceOptions source;
  int64_t image_size = 0, channels = 0;
  Fit fit = Fit::crop;
  bool skips = false;  ///< what cannot be read
  AugmentOptions augment;
  double mixup = 0;
  bool masks = false;
  int64_t patch = 0;  ///< with masks
};

PictureSettings settings_of(const SettingValues& given, bool masks) {
  PictureSettings all;
  all.masks = masks;
  if (masks)
    all.source = {.file = given.text("file"), .label = given.text("mask")};
  else
    all.source = {.file = given.text("file"), .label = given.text("label"), .labels = given.text("labels")};
  if (masks && !given.contains("patch_size"))
    fail<ValueError>("to tell the class of each patch needs a model of patches, which has patch_size");
  if (masks) all.patch = given.integer("patch_size");
  all.image_size = given.integer("image_size");
  all.channels = given.integer("channels");
  if (all.channels == 2) fail<ValueError>("channels = 2: must be 0, 1 (grey) or 3 (colours)");
  all.fit = fit_from(given.text("fit"));
  all.skips = given.text("invalid") == "skip";
  SettingValues augment;
  for (const Setting& s : AugmentOptions::settings().list()) augment.set(s.name, given.at(s.name));
  AugmentOptions::settings().take(all.augment, augment);
  if (!masks) all.mixup = given.number("mixup");
  return all;
}

ListedPictures looked_at(const std::vector<std::string>& paths, const PictureSettings& settings,
                         const TextProgress& progress) {
  return listed_pictures(
      settings.masks ? open_masked_pictures(paths, settings.source) : open_pictures(paths, settings.source),
      settings.skips, settings.masks, progress);
}

/// The side that a model sees: that of the pictures where all are equal squares and not large.
int64_t side_of(const PictureSettings& settings, const ListedPictures& all) {
  const auto [height, width] = *all.sizes.begin();
  const bool own = all.sizes.size() == 1 && height == width && height <= usual_side;
  const int64_t side = settings.image_size > 0 ? settings.image_size : own ? height : usual_side;
  if (settings.masks && side % settings.patch != 0)
    fail<ValueError>("patch_size = ", settings.patch, " does not divide pictures of ", side, " x ", side,
                     "; --set image_size=", (side + settings.patch - 1) / settings.patch * settings.patch,
                     " is divided");
  return side;
}

/// All of them, fitted.
std::shared_ptr<const FittedPictures> pictures_of(ListedPictures& all, const PictureSettings& settings,
                                                  int64_t channels, int64_t whole,
                                                  const std::vector<std::string>& names,
                                                  const TaskRequest& request, const TextProgress& progress) {
  auto made = std::make_shared<FittedPictures>();
  made->source = all.source;
  made->channels = channels;
  made->whole = whole;
  made->masked = settings.masks;
  if (!settings.masks) made->classes = all.classes(names);  // before the long work
  const size_t before = all.numbers.size();
  made->bytes = fitted_bytes(all,
                             {.fit = settings.fit,
                              .channels = channels,
                              .side = whole,
                              .mask_names = settings.masks ? names : std::vector<std::string>(),
                              .cache_folder = request.cache_folder,
                              .other_caches = request.other_caches},
                             progress);
  if (!settings.masks && all.numbers.size() < before) made->classes = all.classes(names);
  made->notes = all.notes();
  made->numbers = all.numbers;
  return made;
}

TaskOptions options_for(const TaskRequest& request, Split split, int64_t samples) {
  return {.seed = request.seed, .split = split, .samples = samples, .settings = request.settings};
}

std::vector<std::string> class_names_of(const TaskRequest& request, ListedPictures& train) {
  if (!request.class_names.empty()) return request.class_names;
  if (train.labels_are_paths) return colours_of_masks(train, nullptr);
  std::vector<std::string> met;
  for (const int64_t n : train.numbers) met.push_back(train.source->label(n));
  std::vector<std::string> names = sorted_labels(std::move(met));
  if (names.size() < 2)
    fail<ValueError>(request.data[0], ": every picture has the label '", names[0],
                     "'; to classify needs two");
  return names;
}

}  // namespace

std::vector<Setting> picture_settings(bool masks) {
  std::vector<Setting> all = {
      {.name = "image_size",
       .value = int64_t{0},
       .help = "side of pictures as the model sees them; 0: their own where all are equal squares of up to "
               "64, else 64",
       .least = 0,
       .most = 1 << 12},
      {.name = "channels",
       .value = int64_t{0},
       .help = "1 grey, 3 colours; 0: 3 where a picture has colours",
       .least = 0,
       .most = 3},
      {.name = "fit",
       .value = std::string("crop"),
       .help =
           "what pictures become that are no squares: crop, their middle; pad, all on black; stretch, all",
       .choices = {"crop", "pad", "stretch"}},
      {.name = "file", .value = std::string("file"), .help = "tables of pictures: the column with the file"},
      {.name = "invalid",
       .value = std::string("refuse"),
       .help = "pictures that cannot be read: an error, or passed over and counted",
       .choices = {"refuse", "skip"}},
      {.name = "val_share",
       .value = 0.1,
       .help = "share of the pictures that validates, where val_data names none",
       .from = 0,
       .below = 1}};
  for (const Setting& s : AugmentOptions::settings().list()) all.push_back(s);
  if (masks) {
    all.push_back({.name = "mask",
                   .value = std::string("mask"),
                   .help = "tables of pictures: the column with the mask"});
    return all;
  }
  all.push_back({.name = "label", .value = std::string("label"), .help = "the column with the label"});
  all.push_back(
      {.name = "labels", .value = std::string(), .help = "arrays of pictures: the file with their labels"});
  all.push_back(
      {.name = "mixup",
       .value = 0.0,
       .help = "pictures that train are laid over others, in shares by Beta(mixup, mixup); 0 is off",
       .from = 0,
       .below = 1});
  return all;
}

TaskData open_pictures_task(const TaskRequest& request, bool masks) {
  const PictureSettings settings = settings_of(request.settings, masks);
  const int passes = request.val_data.empty() ? 2 : 4;
  ListedPictures train = looked_at(request.data, settings, of_pass(request.progress, 0, passes));
  std::optional<ListedPictures> apart;
  if (!request.val_data.empty())
    apart = looked_at(request.val_data, settings, of_pass(request.progress, 1, passes));
  const std::string content_hash = joint_hash(train.content_hash, apart ? &apart->content_hash : nullptr);
  check_content(request.data, content_hash, request.expected_hash);

  const std::vector<std::string> names = class_names_of(request, train);
  const int64_t side = side_of(settings, train), whole = settings.augment.side_for(side);
  const int64_t channels = settings.channels > 0 ? settings.channels : train.colours ? 3 : 1;
  const auto pictures = pictures_of(train, settings, channels, whole, names, request,
                                    of_pass(request.progress, passes / 2, passes));
  const auto others = apart ? pictures_of(*apart, settings, channels, whole, names, request,
                                          of_pass(request.progress, passes - 1, passes))
                            : pictures;
  std::vector<int64_t> training = first_numbers(pictures->size()), validating = first_numbers(others->size());
  if (!apart) {
    ListedSplit split =
        split_by_digest(train.digests, request.settings.number("val_share"), request.data[0], train.what);
    training = std::move(split.train);
    validating = std::move(split.validation);
    if (!masks && request.expected_hash.empty())  // a run that has begun goes on
      check_all_train(pictures->classes, training, names, train.what, [&](int64_t place) {
        return pictures->source->describe(pictures->numbers[static_cast<size_t>(place)]);
      });
  }
  const PictureTask::Options plain{.side = side, .patch = settings.patch};
  const auto count = std::ssize(training);
  const auto trains = std::make_shared<const PictureTask>(
      options_for(request, Split::train, count), pictures, training, names,
      PictureTask::Options{
          .side = side, .augment = settings.augment, .mixup = settings.mixup, .patch = settings.patch});
  const auto seen = std::make_shared<const PictureTask>(options_for(request, Split::validation, 0), pictures,
                                                        training, names, plain);
  const auto validates = std::make_shared<const PictureTask>(options_for(request, Split::validation, 0),
                                                             others, validating, names, plain);
  TaskData task;
  task.shape = {.kind = trains->kind(), .classes = std::ssize(names), .sizes = trains->sizes()};
  task.held_out = validates;
  task.training = trains;
  task.seen =
      evaluated_by_length(seen, seen->size(), request.evaluated > 0 ? request.evaluated : validates->size());
  task.unseen = evaluated_by_length(validates, validates->size(), request.evaluated);
  const int64_t patches = masks ? (side / settings.patch) * (side / settings.patch) : 0;
  task.smallest = batches_like(trains->kind(), 0, float32, Shape{channels, side, side},
                               masks ? Shape{patches} : Shape{}, 1);
  task.largest = task.smallest;
  if (settings.mixup > 0)
    task.largest = [plain = task.smallest, classes = std::ssize(names)](int64_t rows) {
      Batch batch = plain(rows);
      batch.targets = Array::full({rows, classes}, 1.0 / static_cast<double>(classes), float32);
      return batch;
    };
  task.content_hash = content_hash;
  task.summary = str("task ", request.name, ": ", grouped(trains->size()), " pictures train, ",
                     grouped(validates->size()), " validate; ", side, " x ", side,
                     channels == 1 ? ", grey; " : ", in colour; ", names.size(), " classes");
  if (!masks) task.notes = notes_of_labels(trains->classes_of_all(), names);
  std::ranges::copy(pictures->notes, std::back_inserter(task.notes));
  if (!apart) return task;
  std::ranges::copy(others->notes, std::back_inserter(task.notes));
  std::ranges::copy(notes_of_shared(train.digests, apart->digests, train.what),
                    std::back_inserter(task.notes));
  return task;
}

std::shared_ptr<const TaskDataset> open_pictures_to_score(const TaskRequest& request, bool masks) {
  const PictureSettings settings = settings_of(request.settings, masks);
  if (request.class_names.empty())
    fail<ValueError>("task ", request.name, ": the model has no names of classes");
  if (settings.image_size < 1 || settings.channels < 1)
    fail<ValueError>("task ", request.name, ": image_size and channels must be those of the model");
  ListedPictures all = looked_at(request.data, settings, of_pass(request.progress, 0, 2));
  const auto pictures = pictures_of(all, settings, settings.channels, settings.image_size,
                                    request.class_names, request, of_pass(request.progress, 1, 2));
  return std::make_shared<const PictureTask>(
      options_for(request, Split::validation, 0), pictures, first_numbers(pictures->size()),
      request.class_names, PictureTask::Options{.side = settings.image_size, .patch = settings.patch});
}

}  // namespace weft
