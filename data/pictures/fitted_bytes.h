// Pictures of a source as squares of bytes of one size, decoded once and kept.
#pragma once

#include <weft/data/listed_samples.h>
#include <weft/data/pictures/fit.h>
#include <weft/data/pictures/picture_source.h>
#include <weft/data/text/tokens.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace weft {

struct ListedPictures : ListedSamples<PictureSource> {
  std::set<std::pair<int64_t, int64_t>> sizes = {};  ///< (height, width)
  bool colours = false;                              ///< whether some has
};
/// Names of all colours of the masks, grey ones by their number, then the others. FileError for more than 254, which is what a
/// photograph has; ValueError for fewer than two.
std::vector<std::string> colours_of_masks(ListedPictures& all, const TextProgress& progress);
/// look_at_all.
ListedPictures listed_pictures(std::shared_ptr<const PictureSource> source, bool skips, bool masked,
                               const TextProgress& progress);

struct FittingOptions {
  Fit fit = Fit::crop;
  int64_t channels = 0, side = 0;
  /// Of pictures that have masks: the names of their colours, in the order of the classes. Then the classes (side, side) lie
  /// behind each picture. FileError for a mask of another colour.
  std::vector<std::string> mask_names = {};
  std::string cache_folder = {};               ///< where the bytes are kept; empty: in memory
  std::vector<std::string> other_caches = {};  ///< where they may lie already (linked_cache)
};
/// (channels, side, side) of each, one after the other, decoded by all threads; those that cannot be are taken out of `all`.
/// Errors as decode_all; PluginError where the library that decodes them is missing.
std::shared_ptr<const Tokens> fitted_bytes(ListedPictures& all, const FittingOptions& options,
                                           const TextProgress& progress);

}  // namespace weft
