// Pictures with labels, wherever they lie: folders, tables of file names, arrays.
#pragma once

#include <weft/data/dataset.h>
#include <weft/data/pictures/picture.h>
#include <weft/lib/base/hash.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace weft {

/// What is known of a picture before it is decoded.
struct PictureLook {
  Digest digest{};  ///< of the bytes of its file, or of its pixels in an array
  PictureShape shape = {};
  std::string error = {};  ///< why it is none, beginning with where it lies; empty: it may be one
};

/// A row of pictures. Any number of threads may read it.
class PictureSource {
 public:
  virtual ~PictureSource() = default;
  virtual int64_t size() const = 0;
  /// FileError, which begins with where the picture lies, for what is none.
  virtual Picture picture(int64_t number) const = 0;
  /// Reads it without decoding it. Never throws for what is no picture, but says so.
  virtual PictureLook look(int64_t number) const = 0;
  /// Empty where nobody says one.
  virtual const std::string& label(int64_t number) const = 0;
  /// "cats/3.png", "labels.csv: line 7", "train.idx: picture 12".
  virtual std::string describe(int64_t number) const = 0;
  virtual SamplePlace place(int64_t number) const = 0;
  /// What was passed over.
  virtual std::vector<std::string> notes() const { return {}; }
};

struct PictureSourceOptions {
  /// Of a table: the columns with the file, and with the label, by name or number.
  std::string file = "file", label = "label";
  /// Of arrays: the file with the labels; empty: of "...images-idx3-ubyte" that of "...labels-idx1-ubyte", of HDF5 the
  /// dataset "labels".
  std::string labels = {};
  bool labelled = true;  ///< whether each needs a label
};

/// What the paths hold:
///   a folder      pictures, each with the label that the folder below it has in which it lies, at any depth; files whose
///                 endings are of no picture are passed over, and counted
///   .csv, .tsv    a row a picture: its file, from the folder of the table on, and its label
///   IDX           bytes of (N, H, W) or (N, H, W, 3), as MNIST has them, compressed or not, and labels of (N)
///   .npy          the same as an array of uint8 (N, H, W) or (N, H, W, 3), with `labels` another of integers
///   .h5           datasets "pictures" (or "images") and "labels" of these shapes
///   a picture     itself, without a label
/// Several paths are one row after the other. FileError for what cannot be read, a file that is missing, a picture without
/// a label where it needs one, and arrays of other lengths; ValueError without paths.
std::shared_ptr<const PictureSource> open_pictures(const std::vector<std::string>& paths,
                                                   const PictureSourceOptions& options = {});

/// Pictures that have a mask each, a picture of the same size whose colours are classes; its path is the label:
///   a folder      pictures at any depth, "7.jpg", each with its mask beside it, "7.mask.png" or "7_mask.png" (of any format)
///   .csv, .tsv    a row a picture: its file and its mask (options.label), from the folder of the table on
/// Looks have the digest of both, and errors for a mask that is missing, none, or of another size. FileError as above.
std::shared_ptr<const PictureSource> open_masked_pictures(const std::vector<std::string>& paths,
                                                          const PictureSourceOptions& options = {});
/// The mask of a picture of such a source, its colours as numbers: grey as it is, others as 0x1RRGGBB.
std::vector<uint32_t> mask_colours(const PictureSource& source, int64_t number);
/// "7", "#ff8000".
std::string name_of_colour(uint32_t colour);

/// Whether the first of the paths is what open_pictures reads as pictures, by its ending or by what a folder holds.
bool are_pictures(const std::vector<std::string>& paths);

}  // namespace weft
