// Sounds of a source at one rate, decoded once and kept as 16 bits a sample.
#pragma once

#include <weft/data/listed_samples.h>
#include <weft/data/sounds/sound_files.h>
#include <weft/data/text/tokens.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace weft {

struct ListedSounds : ListedSamples<SoundFiles> {
  std::set<int64_t> rates = {};
};
/// look_at_all.
ListedSounds listed_sounds(std::shared_ptr<const SoundFiles> source, bool skips,
                           const TextProgress& progress);

/// Those of a list that can be decoded.
class KeptSounds {
 public:
  struct Options {
    int64_t rate = 0;
    double longest = 0;                          ///< seconds; longer ones are left out; 0: no limit
    std::string cache_folder = {};               ///< where they are kept; empty: in memory
    std::vector<std::string> other_caches = {};  ///< where they may lie already (linked_cache)
  };
  /// By all threads. Errors as decode_all; PluginError where the library that decodes them is missing; FileError where all
  /// are too long.
  KeptSounds(ListedSounds all, const Options& options, const TextProgress& progress);

  int64_t size() const { return std::ssize(places_); }
  int64_t rate() const { return rate_; }
  const SoundFiles& source() const { return *all_.source; }
  /// Of each: its number in the source, and the digest of its file.
  int64_t number(int64_t place) const { return all_.numbers[at(place)]; }
  std::vector<Digest> digests() const;
  const ListedSounds& list() const { return all_; }
  /// Of each that is kept, of values of each in the list.
  template <class T>
  std::vector<T> of_kept(const std::vector<T>& of_listed) const {
    std::vector<T> all;
    for (int64_t i = 0; i < size(); ++i) all.push_back(of_listed[at(i)]);
    return all;
  }
  int64_t samples(int64_t place) const { return places_[static_cast<size_t>(place)].samples; }
  std::vector<float> read(int64_t place) const;
  /// What was passed over and left out.
  std::vector<std::string> notes() const;

 private:
  struct Place {
    size_t listed;  ///< which of the list
    int64_t begin, samples;
  };
  size_t at(int64_t place) const { return places_[static_cast<size_t>(place)].listed; }
  void find_places(double longest);

  ListedSounds all_;
  int64_t rate_;
  std::shared_ptr<const Tokens> values_;
  std::vector<Place> places_;
  int64_t left_out_ = 0;
  double longest_;
};

}  // namespace weft
