#include <weft/data/pictures/picture_task.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/math.h>
#include <weft/lib/machine/parallel.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace weft {
namespace {

/// Jöhnk's algorithm ("Erzeugung von betaverteilten und gammaverteilten Zufallszahlen", 1964), for alpha up to 1.
double beta(double alpha, Draws& draws) {
  for (;;) {
    const double x = math::pow(draws.uniform(), 1 / alpha), y = math::pow(draws.uniform(), 1 / alpha);
    if (x + y > 0 && x + y <= 1) return x / (x + y);
  }
}

}  // namespace

std::vector<uint8_t> FittedPictures::read(int64_t place, int64_t from, int64_t count) const {
  std::vector<int64_t> wide(static_cast<size_t>(count));
  bytes->read(place * (values() + (masked ? whole * whole : 0)) + from, wide);
  return {wide.begin(), wide.end()};
}

PictureTask::PictureTask(TaskOptions task, std::shared_ptr<const FittedPictures> pictures,
                         std::vector<int64_t> places, std::vector<std::string> class_names, Options options)
    : IndexedTask(pictures->masked ? "segment" : "classify-pictures", std::move(task), nullptr,
                  std::move(class_names)),
      pictures_(std::move(pictures)),
      places_(std::move(places)),
      options_(options) {
  if (options_.mixup < 0 || options_.mixup > 1)
    fail<ValueError>(name(), ": mixup must be between 0 and 1, not ", options_.mixup);
}

TaskSizes PictureTask::sizes() const {
  return {.channels = pictures_->channels,
          .height = options_.side,
          .width = options_.side,
          .patch = options_.patch};
}

std::vector<std::string> PictureTask::scores() const {
  if (pictures_->masked) return {"iou", "accuracy"};
  return {"accuracy", "f1"};
}

double PictureTask::best_accuracy() const { return std::numeric_limits<double>::quiet_NaN(); }

uint64_t PictureTask::sample_of(int64_t n) const {
  return options().samples > 0 ? TaskDataset::sample_of(n) : static_cast<uint64_t>(n % size());
}

Draws PictureTask::draws_of(int64_t place, uint64_t epoch) const {
  return {random_key(options().seed, stream_id("pictures.augment"), epoch), static_cast<uint64_t>(place)};
}

void PictureTask::view(int64_t place, uint64_t epoch, std::span<float> to) const {
  const FittedPictures& all = *pictures_;
  const std::vector<uint8_t> bytes = all.picture(place);
  if (options().split == Split::validation) {
    plain_view(bytes, all.channels, all.whole, options_.side, to);
    return;
  }
  Draws draws = draws_of(place, epoch);
  augment(bytes, all.channels, all.whole, options_.side, options_.augment, draws, to);
}

void PictureTask::view_mask(int64_t place, uint64_t epoch, std::span<int64_t> to) const {
  const int64_t side = options_.side, patch = options_.patch, across = side / patch;
  std::vector<uint8_t> seen(static_cast<size_t>(side * side));
  const std::vector<uint8_t> mask = pictures_->mask(place);
  if (options().split == Split::validation) {
    plain_mask(mask, pictures_->whole, side, seen);
  } else {
    Draws draws = draws_of(place, epoch);
    augment_mask(mask, pictures_->whole, side, options_.augment, draws, seen);
  }
  for (int64_t p = 0; p < across * across; ++p) {
    std::vector<int64_t> counts(static_cast<size_t>(classes()));
    for (int64_t y = 0; y < patch; ++y)
      for (int64_t x = 0; x < patch; ++x) {
        const uint8_t one =
            seen[static_cast<size_t>((p / across * patch + y) * side + p % across * patch + x)];
        if (one != no_class) ++counts[one];
      }
    const auto most = std::ranges::max_element(counts);
    to[static_cast<size_t>(p)] = *most == 0 ? Batch::ignored : most - counts.begin();
  }
}

Batch PictureTask::batch_of(std::span<const Drawn> samples) const {
  const auto count = std::ssize(samples);
  const int64_t C = pictures_->channels, side = options_.side, values = C * side * side;
  const bool mixes = options_.mixup > 0 && options().split == Split::train;
  const int64_t patches = pictures_->masked ? (side / options_.patch) * (side / options_.patch) : 0;
  Batch batch{Array({count, C, side, side}, float32), patches > 0 ? Array({count, patches}, int64)
                                                      : mixes     ? Array::zeros({count, classes()}, float32)
                                                                  : Array({count}, int64)};
  float* const inputs = batch.inputs.mutable_data<float>();
  float* const shares = mixes ? batch.targets.mutable_data<float>() : nullptr;
  int64_t* const targets = mixes ? nullptr : batch.targets.mutable_data<int64_t>();
  parallel_for(count, 1, [&](int64_t row, int64_t) {
    const auto [index, epoch] = samples[static_cast<size_t>(row)];
    const int64_t place = places_.at(index);
    const std::span to(inputs + row * values, static_cast<size_t>(values));
    view(place, epoch, to);
    if (patches > 0) {
      view_mask(place, epoch, {targets + row * patches, static_cast<size_t>(patches)});
      return;
    }
    const int64_t wanted = pictures_->classes[static_cast<size_t>(place)];
    if (!mixes) {
      targets[row] = wanted;
      return;
    }
    Draws draws(random_key(options().seed, stream_id("pictures.mixup"), epoch), static_cast<uint64_t>(place));
    const int64_t other = places_[draws.below(places_.size())];
    const auto share = static_cast<float>(beta(options_.mixup, draws));
    std::vector<float> over(static_cast<size_t>(values));
    view(other, epoch, over);
    for (int64_t i = 0; i < values; ++i)
      to[static_cast<size_t>(i)] += (over[static_cast<size_t>(i)] - to[static_cast<size_t>(i)]) * share;
    shares[row * classes() + wanted] += 1 - share;
    shares[row * classes() + pictures_->classes[static_cast<size_t>(other)]] += share;
  });
  return batch;
}

std::vector<SamplePlace> PictureTask::places_at(uint64_t index) const {
  return {source().place(pictures_->numbers[static_cast<size_t>(places_.at(index))])};
}

std::vector<int64_t> PictureTask::classes_of_all() const {
  std::vector<int64_t> all;
  for (const int64_t place : places_) all.push_back(pictures_->classes[static_cast<size_t>(place)]);
  return all;
}

Array picture_input(const Picture& picture, Fit fit, int64_t channels, int64_t side) {
  std::vector<uint8_t> bytes(static_cast<size_t>(channels * side * side));
  fit_picture(picture, fit, channels, side, bytes);
  Array input({1, channels, side, side}, float32);
  plain_view(bytes, channels, side, side, {input.mutable_data<float>(), bytes.size()});
  return input;
}

}  // namespace weft
