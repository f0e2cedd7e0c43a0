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

void FittedPictures::read(int64_t place, std::span<uint8_t> to) const {
  std::vector<int64_t> wide(to.size());
  bytes->read(place * values(), wide);
  std::ranges::transform(wide, to.begin(), [](int64_t value) { return static_cast<uint8_t>(value); });
}

PictureTask::PictureTask(TaskOptions task, std::shared_ptr<const FittedPictures> pictures,
                         std::vector<int64_t> places, std::vector<std::string> class_names, Options options)
    : TaskDataset("classify-pictures", std::move(task), nullptr, std::move(class_names)),
      pictures_(std::move(pictures)),
      places_(std::move(places)),
      options_(options) {
  if (options_.mixup < 0 || options_.mixup > 1)
    fail<ValueError>(name(), ": mixup must be between 0 and 1, not ", options_.mixup);
}

TaskSizes PictureTask::sizes() const {
  return {.channels = pictures_->channels, .height = options_.side, .width = options_.side};
}

double PictureTask::best_accuracy() const { return std::numeric_limits<double>::quiet_NaN(); }

uint64_t PictureTask::sample_of(int64_t n) const {
  return options().samples > 0 ? TaskDataset::sample_of(n) : static_cast<uint64_t>(n % size());
}

void PictureTask::view(int64_t place, uint64_t epoch, std::span<float> to) const {
  const FittedPictures& all = *pictures_;
  std::vector<uint8_t> bytes(static_cast<size_t>(all.values()));
  all.read(place, bytes);
  if (options().split == Split::validation) {
    plain_view(bytes, all.channels, all.whole, options_.side, to);
    return;
  }
  Draws draws(random_key(options().seed, stream_id("pictures.augment"), epoch), static_cast<uint64_t>(place));
  augment(bytes, all.channels, all.whole, options_.side, options_.augment, draws, to);
}

Batch PictureTask::batch(int64_t first, int64_t count) const {
  check_samples(name().c_str(), first, count);
  const int64_t C = pictures_->channels, side = options_.side, values = C * side * side;
  const bool mixes = options_.mixup > 0 && options().split == Split::train;
  Batch batch{Array({count, C, side, side}, float32),
              mixes ? Array::zeros({count, classes()}, float32) : Array({count}, int64)};
  float* const inputs = batch.inputs.mutable_data<float>();
  float* const shares = mixes ? batch.targets.mutable_data<float>() : nullptr;
  int64_t* const targets = mixes ? nullptr : batch.targets.mutable_data<int64_t>();
  parallel_for(count, 1, [&](int64_t row, int64_t) {
    const int64_t place = place_of(first + row);
    const auto epoch = static_cast<uint64_t>((first + row) / size());
    const std::span to(inputs + row * values, static_cast<size_t>(values));
    view(place, epoch, to);
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

std::vector<std::vector<SamplePlace>> PictureTask::places(int64_t first, int64_t count) const {
  check_samples(name().c_str(), first, count);
  std::vector<std::vector<SamplePlace>> all;
  for (int64_t n = first; n < first + count; ++n) all.push_back({source().place(number_of(n))});
  return all;
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
