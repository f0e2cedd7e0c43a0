// Pictures of a source as squares of bytes of one size, decoded once and kept.
#pragma once

#include <weft/data/pictures/fit.h>
#include <weft/data/pictures/picture_source.h>
#include <weft/data/text/text.h>
#include <weft/data/text/tokens.h>

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace weft {

/// The pictures of a source that can be read, and what is known of them before they are decoded.
struct ListedPictures {
  std::shared_ptr<const PictureSource> source;
  std::vector<int64_t> numbers;    ///< of each in the source
  std::vector<Digest> digests;     ///< of each
  std::string content_hash;        ///< of all that there are, with their labels; 32 hexadecimal digits
  int64_t skipped = 0;             ///< that cannot be read
  std::string first_skipped = {};  ///< why
  std::set<std::pair<int64_t, int64_t>> sizes;  ///< (height, width)
  bool colours = false;                         ///< whether some has

  /// What a user should know of what was passed over.
  std::vector<std::string> notes() const;
};
/// Looks at all of them, by all threads. FileError, with its name, for one that cannot be read, unless `skips`, and where none
/// can.
ListedPictures listed_pictures(std::shared_ptr<const PictureSource> source, bool skips,
                               const TextProgress& progress);

struct FittingOptions {
  bool skips = false;  ///< passes over what cannot be decoded, and counts it
  Fit fit = Fit::crop;
  int64_t channels = 0, side = 0;
  std::string cache_folder = {};               ///< where the bytes are kept; empty: in memory
  std::vector<std::string> other_caches = {};  ///< where they may lie already (linked_cache)
};
/// (channels, side, side) of each, one after the other, decoded by all threads; those that cannot be are taken out of `all`.
/// Errors as listed_pictures; PluginError where the library that decodes them is missing.
std::shared_ptr<const Tokens> fitted_bytes(ListedPictures& all, const FittingOptions& options,
                                           const TextProgress& progress);

}  // namespace weft
