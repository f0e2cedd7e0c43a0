#include <weft/data/sounds/sound_task.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>
#include <weft/lib/machine/parallel.h>

#include <algorithm>
#include <limits>

namespace weft {

SoundTask::SoundTask(std::string name, TaskOptions task, Parts parts,
                     std::shared_ptr<const Tokenizer> tokenizer, std::vector<std::string> class_names)
    : IndexedTask(std::move(name), std::move(task), std::move(tokenizer), std::move(class_names)),
      parts_(std::move(parts)) {}

TaskSizes SoundTask::sizes() const {
  const LogMel::Options& o = parts_.frames->options();
  return {.longest_target = asks() ? longest().target : 0,
          .n_mels = o.n_mels,
          .sample_rate = o.rate,
          .n_fft = o.n_fft,
          .hop_length = o.hop_length,
          .centred = o.centred,
          .longest_frames = longest().input};
}

std::vector<std::string> SoundTask::scores() const {
  if (asks()) return {"wer", "cer", "exact_match"};
  return {"accuracy", "f1"};
}

double SoundTask::best_accuracy() const { return std::numeric_limits<double>::quiet_NaN(); }

uint64_t SoundTask::sample_of(int64_t n) const {
  return options().samples > 0 ? TaskDataset::sample_of(n) : static_cast<uint64_t>(n % size());
}

IndexedTask::Lengths SoundTask::lengths(uint64_t index) const {
  const int64_t at = place(index);
  return {parts_.frames->frames(parts_.sounds->samples(at)),
          asks() ? std::ssize((*parts_.targets)[static_cast<size_t>(at)]) : 0};
}

IndexedTask::Lengths SoundTask::longest() const {
  Lengths most;
  for (const int64_t at : parts_.places) {
    int64_t samples = parts_.sounds->samples(at);
    if (options().split == Split::train)
      samples = parts_.augment.most_samples(samples, parts_.sounds->rate());
    most.input = std::max(most.input, parts_.frames->frames(samples));
    most.target = std::max(most.target, std::ssize((*parts_.targets)[static_cast<size_t>(at)]));
  }
  return most;
}

IndexedTask::Lengths SoundTask::shortest() const {
  Lengths least = lengths(0);
  for (size_t index = 1; index < parts_.places.size(); ++index) {
    const Lengths one = lengths(index);
    least.input = std::min(least.input, one.input);
    least.target = std::min(least.target, one.target);
  }
  return least;
}

std::vector<SamplePlace> SoundTask::places_at(uint64_t index) const {
  return {parts_.sounds->source().place(parts_.sounds->number(place(index)))};
}

Array SoundTask::frames_of(const Drawn& sample) const {
  const int64_t at = place(sample.index), rate = parts_.sounds->rate();
  const bool trains = options().split == Split::train;
  Draws draws(random_key(options().seed, stream_id("sounds.augment"), sample.epoch),
              static_cast<uint64_t>(at));
  std::vector<float> samples = parts_.sounds->read(at);
  if (trains) samples = augmented(std::move(samples), rate, parts_.augment, draws);
  const LogMel& frames = *parts_.frames;
  const int64_t M = frames.options().n_mels;
  Array made({1, frames.frames(std::ssize(samples)), M}, float32);
  const std::span values(made.mutable_data<float>(), static_cast<size_t>(made.size()));
  frames.write(samples, values);
  if (trains) augment_frames(values, M, parts_.augment, draws);
  return made;
}

Batch SoundTask::batch_of(std::span<const Drawn> samples) const {
  const auto B = std::ssize(samples);
  std::vector<Array> rows(samples.size());
  parallel_for(B, 1, [&](int64_t b, int64_t) {
    rows[static_cast<size_t>(b)] = frames_of(samples[static_cast<size_t>(b)]);
  });
  std::vector<Target> targets;
  for (const Drawn& one : samples)
    targets.push_back((*parts_.targets)[static_cast<size_t>(place(one.index))]);
  Batch batch = batch_of_sounds(rows);
  batch.targets = padded_rows(targets, Batch::ignored);
  if (!asks()) batch.targets = batch.targets.reshape({B});
  return batch;
}

std::string SoundTask::input_text(const Batch& batch, int64_t row) const {
  const LogMel::Options& o = parts_.frames->options();
  const int64_t frames =
      batch.lengths.empty() ? batch.inputs.dim(1) : batch.lengths.at(static_cast<size_t>(row));
  return str("a sound of ",
             fixed(static_cast<double>(frames * o.hop_length) / static_cast<double>(o.rate), 2), " s");
}

std::vector<TaskDataset::Prompt> SoundTask::prompts(const Batch& batch, int64_t row) const {
  return {{{}, target_text(batch, row)}};
}

std::vector<int64_t> SoundTask::classes_of_all() const {
  std::vector<int64_t> all;
  for (const int64_t at : parts_.places) all.push_back((*parts_.targets)[static_cast<size_t>(at)].at(0));
  return all;
}

Batch batch_of_sounds(const std::vector<Array>& rows) {
  if (rows.empty()) fail<ValueError>("batch_of_sounds: no sounds");
  Batch batch;
  const int64_t M = rows[0].dim(2);
  int64_t T = 0;
  for (const Array& row : rows) {
    batch.lengths.push_back(row.dim(1));
    T = std::max(T, row.dim(1));
  }
  batch.inputs = Array::zeros({std::ssize(rows), T, M}, float32);
  float* to = batch.inputs.mutable_data<float>();
  for (const Array& row : rows) {
    std::ranges::copy(row.values<float>(), to);
    to += T * M;
  }
  return batch;
}

Array sound_input(const Sound& sound, const LogMel& frames) {
  const Sound heard = resampled(sound, frames.options().rate);
  const int64_t T = frames.frames(std::ssize(heard.samples)), M = frames.options().n_mels;
  Array made({1, T, M}, float32);
  frames.write(heard.samples, {made.mutable_data<float>(), static_cast<size_t>(T * M)});
  return made;
}

}  // namespace weft
