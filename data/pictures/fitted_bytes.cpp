#include <weft/data/pictures/fitted_bytes.h>
#include <weft/data/text/token_cache.h>
#include <weft/lib/base/error.h>

#include <filesystem>

namespace weft {

ListedPictures listed_pictures(std::shared_ptr<const PictureSource> source, bool skips,
                               const TextProgress& progress) {
  ListedPictures all;
  all.source = std::move(source);
  all.what = "picture";
  all.skips = skips;
  look_at_all(all, progress, [&](const PictureLook& one) {
    all.sizes.emplace(one.shape.height, one.shape.width);
    all.colours = all.colours || one.shape.channels == 3;
  });
  return all;
}

std::shared_ptr<const Tokens> fitted_bytes(ListedPictures& all, const FittingOptions& options,
                                           const TextProgress& progress) {
  const auto [fit, channels, whole, cache_folder, other_caches] = options;
  const auto fitted = [&, fit = fit, channels = channels, whole = whole](int64_t number) {
    std::string bytes(static_cast<size_t>(channels * whole * whole), '\0');
    fit_picture(all.source->picture(number), fit, channels, whole,
                {reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()});
    return bytes;
  };
  if (cache_folder.empty()) {
    std::string packed;
    decode_all(all, progress, fitted, [&](std::string_view bytes) { packed += bytes; });
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
  decode_all(all, progress, fitted, [&](std::string_view bytes) { cache.add(bytes); });
  cache.commit();
  return std::make_shared<TokenCache>(path, key);
}

}  // namespace weft
