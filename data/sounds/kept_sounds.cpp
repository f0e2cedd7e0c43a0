#include <weft/data/sounds/kept_sounds.h>
#include <weft/data/text/token_cache.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>

namespace weft {
namespace {

// A sound is its number of samples, in two halves, and these, from 0 to 65535, of which 32768 is silence.
constexpr int width = 2;
constexpr int64_t head = 2, silence = 32768;

std::string packed(const Sound& sound) {
  std::vector<int64_t> values{std::ssize(sound.samples) & 0xFFFF, std::ssize(sound.samples) >> 16};
  for (const float sample : sound.samples)
    values.push_back(
        std::clamp<int64_t>(std::llround(static_cast<double>(sample) * 32768) + silence, 0, 65535));
  std::string bytes;
  pack_ids(values, width, bytes);
  return bytes;
}

}  // namespace

ListedSounds listed_sounds(std::shared_ptr<const SoundFiles> source, bool skips,
                           const TextProgress& progress) {
  ListedSounds all;
  all.source = std::move(source);
  all.what = "sound";
  all.skips = skips;
  look_at_all(all, progress, [&](const SoundLook& one) { all.rates.insert(one.shape.rate); });
  return all;
}

KeptSounds::KeptSounds(ListedSounds list, const Options& options, const TextProgress& progress)
    : all_(std::move(list)), rate_(options.rate), longest_(options.longest) {
  const auto decoded = [&](int64_t number) { return packed(resampled(all_.source->sound(number), rate_)); };
  if (options.cache_folder.empty()) {
    std::string bytes;
    decode_all(all_, progress, decoded, [&](std::string_view some) { bytes += some; });
    values_ = std::make_shared<MemoryTokens>(std::move(bytes), width);
    find_places(longest_);
    return;
  }
  std::error_code error;
  std::filesystem::create_directories(options.cache_folder, error);
  if (error) fail<FileError>(options.cache_folder, ": cannot be made to hold sounds: ", error.message());
  Hasher hasher;
  hasher.update(str("sounds 1 ", rate_, "\n"));
  for (const Digest& digest : all_.digests) hasher.update(digest);
  const std::string key = to_hex(hasher.digest()), path = options.cache_folder + "/" + key + ".sounds";
  std::string reason;
  values_ = open_cache(path, key, reason);
  if (!values_) values_ = linked_cache(path, key, options.other_caches);
  if (values_) {
    find_places(longest_);
    // What could not be decoded is not in it, and would have to be found again.
    if (size() + left_out_ == std::ssize(all_.numbers)) return;
    places_.clear();
    left_out_ = 0;
    values_ = nullptr;
  }
  TokenCacheWriter cache(path, width, key);
  decode_all(all_, progress, decoded, [&](std::string_view some) { cache.add(some); });
  cache.commit();
  values_ = std::make_shared<TokenCache>(path, key);
  find_places(longest_);
}

void KeptSounds::find_places(double longest) {
  size_t listed = 0;
  for (int64_t begin = 0; begin + head <= values_->size(); ++listed) {
    std::array<int64_t, head> size{};
    values_->read(begin, size);
    const int64_t samples = size[0] + (size[1] << 16);
    if (longest > 0 && static_cast<double>(samples) > longest * static_cast<double>(rate_))
      ++left_out_;
    else
      places_.push_back({listed, begin + head, samples});
    begin += head + samples;
  }
  if (places_.empty() && left_out_ > 0)
    fail<FileError>("all ", grouped(left_out_), " sounds are longer than longest_seconds = ", longest,
                    "; --set longest_seconds=0 takes them");
}

std::vector<Digest> KeptSounds::digests() const { return of_kept(all_.digests); }

std::vector<float> KeptSounds::read(int64_t place) const {
  const Place& one = places_.at(static_cast<size_t>(place));
  std::vector<int64_t> values(static_cast<size_t>(one.samples));
  values_->read(one.begin, values);
  std::vector<float> samples;
  samples.reserve(values.size());
  for (const int64_t value : values) samples.push_back(static_cast<float>(value - silence) / 32768);
  return samples;
}

std::vector<std::string> KeptSounds::notes() const {
  std::vector<std::string> all = all_.notes();
  if (left_out_ > 0)
    all.push_back(str("warning: ", grouped(left_out_), " sounds are longer than longest_seconds = ", longest_,
                      " and are left out"));
  return all;
}

}  // namespace weft
