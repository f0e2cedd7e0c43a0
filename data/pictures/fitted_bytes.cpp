#include <weft/data/pictures/fitted_bytes.h>
#include <weft/data/text/token_cache.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/values.h>
#include <weft/lib/machine/parallel.h>
#include <weft/lib/machine/plugin.h>

#include <algorithm>
#include <filesystem>

namespace weft {
namespace {

/// Pictures that are decoded at once.
constexpr int64_t together = 256;

void pass_over(ListedPictures& all, const std::string& error, bool skips) {
  if (!skips) fail<FileError>(error, "; --set invalid=skip passes over what cannot be read");
  if (all.skipped++ == 0) all.first_skipped = error;
}

void check_some(const ListedPictures& all) {
  if (all.numbers.empty())
    fail<FileError>("none of ", all.source->size(), " pictures can be read; the first: ", all.first_skipped);
}

/// Decodes and fits each, in their order, by all threads; takes those out of `all` that cannot be read.
class Fitting {
 public:
  Fitting(ListedPictures& all, bool skips, Fit fit, int64_t channels, int64_t whole)
      : all_(all), skips_(skips), fit_(fit), channels_(channels), whole_(whole) {}

  template <class Take>
  void run(const TextProgress& progress, Take take) {
    const auto size = std::ssize(all_.numbers), values = channels_ * whole_ * whole_;
    std::vector<char> readable(static_cast<size_t>(size), 1);
    for (int64_t first = 0; first < size; first += together) {
      const int64_t count = std::min(together, size - first);
      std::string bytes(static_cast<size_t>(count * values), '\0');
      std::vector<std::string> errors(static_cast<size_t>(count));
      parallel_for(count, 1, [&](int64_t i, int64_t) {
        try {
          const Picture picture = all_.source->picture(all_.numbers[static_cast<size_t>(first + i)]);
          fit_picture(picture, fit_, channels_, whole_,
                      {reinterpret_cast<uint8_t*>(bytes.data()) + i * values, static_cast<size_t>(values)});
        } catch (const PluginError&) {
          throw;  // says nothing of the picture
        } catch (const FileError& error) {
          errors[static_cast<size_t>(i)] = error.what();
        }
      });
      for (int64_t i = 0; i < count; ++i) {
        const std::string& error = errors[static_cast<size_t>(i)];
        if (error.empty()) {
          take(std::string_view(bytes).substr(static_cast<size_t>(i * values), static_cast<size_t>(values)));
          continue;
        }
        pass_over(all_, error, skips_);
        readable[static_cast<size_t>(first + i)] = 0;
      }
      if (progress) progress(first + count, size);
    }
    const auto drop = [&](auto& values_of_each) {
      size_t kept = 0;
      for (size_t i = 0; i < readable.size(); ++i)
        if (readable[i] != 0) values_of_each[kept++] = values_of_each[i];
      values_of_each.resize(kept);
    };
    drop(all_.numbers);
    drop(all_.digests);
    check_some(all_);
  }

 private:
  ListedPictures& all_;
  bool skips_;
  Fit fit_;
  int64_t channels_, whole_;
};

}  // namespace

std::vector<std::string> ListedPictures::notes() const {
  std::vector<std::string> all = source->notes();
  if (skipped > 0)
    all.push_back(str("warning: ", grouped(skipped),
                      " pictures cannot be read and are passed over; the first: ", first_skipped));
  return all;
}

ListedPictures listed_pictures(std::shared_ptr<const PictureSource> source, bool skips,
                               const TextProgress& progress) {
  ListedPictures all;
  all.source = std::move(source);
  const int64_t size = all.source->size();
  std::vector<PictureLook> found(static_cast<size_t>(size));
  for (int64_t first = 0; first < size; first += together) {
    const int64_t count = std::min(together, size - first);
    parallel_for(count, 1, [&](int64_t i, int64_t) {
      found[static_cast<size_t>(first + i)] = all.source->look(first + i);
    });
    if (progress) progress(first + count, size);
  }
  Hasher hasher;
  for (int64_t n = 0; n < size; ++n) {
    const PictureLook& one = found[static_cast<size_t>(n)];
    hasher.update(one.digest);
    hasher.update(str(" ", all.source->label(n), "\n"));
    if (!one.error.empty()) {
      pass_over(all, one.error, skips);
      continue;
    }
    all.numbers.push_back(n);
    all.digests.push_back(one.digest);
    all.sizes.emplace(one.shape.height, one.shape.width);
    all.colours = all.colours || one.shape.channels == 3;
  }
  all.content_hash = to_hex(hasher.digest());
  check_some(all);
  return all;
}

std::shared_ptr<const Tokens> fitted_bytes(ListedPictures& all, const FittingOptions& options,
                                           const TextProgress& progress) {
  const auto [skips, fit, channels, whole, cache_folder, other_caches] = options;
  Fitting fitting(all, skips, fit, channels, whole);
  if (cache_folder.empty()) {
    std::string packed;
    fitting.run(progress, [&](std::string_view bytes) { packed += bytes; });
    return std::make_shared<MemoryTokens>(std::move(packed), 1);
  }
  std::error_code error;
  std::filesystem::create_directories(cache_folder, error);
  if (error) fail<FileError>(cache_folder, ": cannot be made to hold pictures: ", error.message());
  Hasher hasher;
  hasher.update(str("pictures 1 ", static_cast<int>(fit), " ", channels, " ", whole, "\n"));
  for (const Digest& digest : all.digests) hasher.update(digest);
  const std::string key = to_hex(hasher.digest()), path = cache_folder + "/" + key + ".pictures";
  std::string reason;
  std::shared_ptr<const Tokens> found = open_cache(path, key, reason);
  if (!found) found = linked_cache(path, key, other_caches);
  // What could not be decoded is not in it, and would have to be found again.
  if (found && found->size() == std::ssize(all.numbers) * channels * whole * whole) return found;
  found = nullptr;
  TokenCacheWriter cache(path, 1, key);
  fitting.run(progress, [&](std::string_view bytes) { cache.add(bytes); });
  cache.commit();
  return std::make_shared<TokenCache>(path, key);
}

}  // namespace weft
