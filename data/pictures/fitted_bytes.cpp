#include <weft/data/pictures/fitted_bytes.h>
#include <weft/data/text/token_cache.h>
#include <weft/lib/base/error.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <map>

namespace weft {

ListedPictures listed_pictures(std::shared_ptr<const PictureSource> source, bool skips, bool masked,
                               const TextProgress& progress) {
  ListedPictures all;
  all.source = std::move(source);
  all.what = "picture";
  all.skips = skips;
  all.labels_are_paths = masked;
  look_at_all(all, progress, [&](const PictureLook& one) {
    all.sizes.emplace(one.shape.height, one.shape.width);
    all.colours = all.colours || one.shape.channels == 3;
  });
  return all;
}

std::vector<std::string> colours_of_masks(ListedPictures& all, const TextProgress& progress) {
  constexpr size_t most = 254;
  std::set<uint32_t> met;
  decode_all(
      all, progress,
      [&](int64_t number) {
        std::vector<uint32_t> colours = mask_colours(*all.source, number);
        std::ranges::sort(colours);
        colours.erase(std::unique(colours.begin(), colours.end()), colours.end());
        if (colours.size() > most)
          fail<FileError>(all.source->label(number), ": has ", grouped(std::ssize(colours)),
                          " colours; a mask has at most ", most, ", and is no JPEG");
        return std::string(reinterpret_cast<const char*>(colours.data()), colours.size() * sizeof(uint32_t));
      },
      [&](std::string_view bytes) {
        std::vector<uint32_t> colours(bytes.size() / sizeof(uint32_t));
        std::memcpy(colours.data(), bytes.data(), bytes.size());
        met.insert(colours.begin(), colours.end());
      });
  if (met.size() > most)
    fail<FileError>("the masks have ", grouped(std::ssize(met)), " colours in all; ", most, " are the most");
  if (met.size() < 2) fail<ValueError>("the masks have one colour alone; to tell classes apart needs two");
  std::vector<std::string> names;
  for (const uint32_t colour : met) names.push_back(name_of_colour(colour));
  return names;
}

std::shared_ptr<const Tokens> fitted_bytes(ListedPictures& all, const FittingOptions& options,
                                           const TextProgress& progress) {
  const auto [fit, channels, whole, mask_names, cache_folder, other_caches] = options;
  const int64_t picture = channels * whole * whole,
                stride = picture + (mask_names.empty() ? 0 : whole * whole);
  std::map<std::string, uint8_t> classes;
  for (size_t i = 0; i < mask_names.size(); ++i) classes.emplace(mask_names[i], static_cast<uint8_t>(i));
  const auto fitted = [&, fit = fit, channels = channels, whole = whole](int64_t number) {
    std::string bytes(static_cast<size_t>(stride), '\0');
    const std::span all_bytes(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size());
    const Picture decoded = all.source->picture(number);
    fit_picture(decoded, fit, channels, whole, all_bytes.first(static_cast<size_t>(picture)));
    if (classes.empty()) return bytes;
    std::vector<uint8_t> mask;
    for (const uint32_t colour : mask_colours(*all.source, number)) {
      const auto found = classes.find(name_of_colour(colour));
      if (found == classes.end())
        fail<FileError>(all.source->label(number), ": the colour ", name_of_colour(colour),
                        " is none of those that train: ", joined(options.mask_names));
      mask.push_back(found->second);
    }
    fit_mask(mask, decoded.shape.height, decoded.shape.width, fit, whole,
             all_bytes.subspan(static_cast<size_t>(picture)));
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
  for (const std::string& name : mask_names) hasher.update(name + "\n");
  for (const Digest& digest : all.digests) hasher.update(digest);
  const std::string key = to_hex(hasher.digest()), path = cache_folder + "/" + key + ".pictures";
  std::string reason;
  std::shared_ptr<const Tokens> found = open_cache(path, key, reason);
  if (!found) found = linked_cache(path, key, other_caches);
  // What could not be decoded is not in it, and would have to be found again.
  if (found && found->size() == std::ssize(all.numbers) * stride) return found;
  found = nullptr;
  TokenCacheWriter cache(path, 1, key);
  decode_all(all, progress, fitted, [&](std::string_view bytes) { cache.add(bytes); });
  cache.commit();
  return std::make_shared<TokenCache>(path, key);
}

}  // namespace weft
