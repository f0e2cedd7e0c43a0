#include <weft/data/pictures/picture_arrays_internal.h>
#include <weft/data/text/byte_stream.h>
#include <weft/lib/base/error.h>
#include <weft/lib/files/hdf5_file.h>
#include <weft/lib/files/npy.h>

#include <algorithm>
#include <array>
#include <filesystem>

namespace weft {
namespace {

constexpr int64_t most_bytes = int64_t{1} << 32;

std::string_view without_gz(std::string_view path) {
  if (path.ends_with(".gz")) path.remove_suffix(3);
  return path;
}

int64_t product(const std::vector<int64_t>& extents, const std::string& path) {
  int64_t all = 1;
  for (const int64_t extent : extents) {
    if (extent > 0 && all > most_bytes / extent)
      fail<FileError>(path, ": says it has more than ", most_bytes, " bytes");
    all *= extent;
  }
  return all;
}

/// Fewer only at the end.
size_t read_all(ByteStream& stream, std::span<uint8_t> out) {
  size_t done = 0;
  while (done < out.size()) {
    const size_t some = stream.read(out.subspan(done));
    if (some == 0) break;
    done += some;
  }
  return done;
}

ByteArray read_npy_bytes(const std::string& path) {
  const std::vector<uint8_t> bytes = read_file(path);
  const NpyHeader header = read_npy_header(bytes, bytes.size(), path);
  if (header.type != "|u1")
    fail<FileError>(path, ": holds '", header.type,
                    "'; numpy.save(path, x.astype(numpy.uint8)) makes it readable");
  return {header.extents, {bytes.begin() + static_cast<std::ptrdiff_t>(header.data), bytes.end()}};
}

/// Of integers that fit into bytes.
ByteArray bytes_of(const Array& array, const std::string& what) {
  ByteArray made;
  for (const int64_t extent : array.shape()) made.extents.push_back(extent);
  const Array wide = array.to(int64);
  for (const int64_t value : wide.values<int64_t>()) {
    if (value < 0 || value > 255) fail<FileError>(what, " holds ", value, ", which is no byte of a pixel");
    made.bytes.push_back(static_cast<uint8_t>(value));
  }
  return made;
}

std::vector<std::string> labels_of(const Array& numbers) {
  std::vector<std::string> labels;
  const Array wide = numbers.to(int64);
  for (const int64_t value : wide.values<int64_t>()) labels.push_back(std::to_string(value));
  return labels;
}

std::vector<std::string> labels_of(const ByteArray& bytes) {
  std::vector<std::string> labels;
  for (const uint8_t value : bytes.bytes) labels.push_back(std::to_string(value));
  return labels;
}

std::vector<std::string> read_labels(const std::string& path) {
  const std::string_view name = without_gz(path);
  if (!name.ends_with(".npy")) {
    const ByteArray bytes = read_idx(path);
    if (bytes.extents.size() != 1)
      fail<FileError>(path, ": has ", bytes.extents.size(), " axes, and labels one");
    return labels_of(bytes);
  }
  std::vector<uint8_t> start(std::min<uint64_t>(InputFile(path).size(), npy_header_bytes));
  InputFile(path).read(0, start);
  const NpyHeader header = read_npy_header(start, InputFile(path).size(), path);
  if (header.extents.size() != 1)
    fail<FileError>(path, ": has ", header.extents.size(), " axes, and labels one");
  return header.type == "|u1" ? labels_of(read_npy_bytes(path)) : labels_of(read_npy(path));
}

/// "t10k-images-idx3-ubyte.gz" -> "t10k-labels-idx1-ubyte.gz".
std::string labels_beside(const std::string& path) {
  std::string name = std::filesystem::path(path).filename().string();
  for (const auto& [images, labels] : {std::pair("images", "labels"), {"idx3", "idx1"}}) {
    const size_t at = name.find(images);
    if (at == std::string::npos) return {};
    name.replace(at, std::string_view(images).size(), labels);
  }
  return (std::filesystem::path(path).parent_path() / name).string();
}

class PictureArray : public PictureSource {
 public:
  PictureArray(std::string path, ByteArray array, std::vector<std::string> labels, bool labelled)
      : path_(std::move(path)), array_(std::move(array)), labels_(std::move(labels)) {
    const std::vector<int64_t>& e = array_.extents;
    const bool colours = e.size() == 4 && (e[3] == 1 || e[3] == 3);
    if (e.size() != 3 && !colours)
      fail<FileError>(path_, ": is no array of pictures, (N, H, W) or (N, H, W, 3), but has ", e.size(),
                      " axes");
    shape_ = {e[1], e[2], colours ? e[3] : 1};
    if (e[0] == 0) fail<FileError>(path_, ": holds no picture");
    check_pixels(shape_.height, shape_.width, path_);
    if (labelled && labels_.empty())
      fail<FileError>(path_, ": no labels are known; --set labels=FILE names them");
    if (!labels_.empty() && std::ssize(labels_) != e[0])
      fail<FileError>(path_, ": has ", e[0], " pictures, and there are ", labels_.size(), " labels");
  }

  int64_t size() const override { return array_.extents[0]; }
  Picture picture(int64_t number) const override {
    const auto pixels = pixels_of(number);
    return {shape_, {pixels.begin(), pixels.end()}};
  }
  PictureLook look(int64_t number) const override { return {digest_of(pixels_of(number)), shape_}; }
  const std::string& label(int64_t number) const override {
    return labels_.empty() ? none_ : labels_.at(static_cast<size_t>(number));
  }
  std::string describe(int64_t number) const override { return str(path_, ": picture ", number + 1); }
  SamplePlace place(int64_t number) const override {
    const TokenPlace one{path_, number + 1};
    return {one, one};
  }

 private:
  std::span<const uint8_t> pixels_of(int64_t number) const {
    const int64_t count = shape_.height * shape_.width * shape_.channels;
    return std::span(array_.bytes).subspan(static_cast<size_t>(number * count), static_cast<size_t>(count));
  }

  std::string path_;
  ByteArray array_;
  std::vector<std::string> labels_;
  PictureShape shape_;
  std::string none_;
};

}  // namespace

bool is_idx(const std::string& path) {
  const std::string_view name = without_gz(path);
  if (name.ends_with(".idx") || (name.find("-idx") != name.npos && name.ends_with("-ubyte"))) return true;
  std::error_code error;
  if (name.find('.', name.rfind('/') + 1) != name.npos || !std::filesystem::is_regular_file(path, error))
    return false;
  const InputFile file(path);
  std::array<uint8_t, 4> magic{};
  if (file.size() < magic.size()) return false;
  file.read(0, magic);
  return magic[0] == 0 && magic[1] == 0 && magic[2] == 8 && (magic[3] == 3 || magic[3] == 4);
}

ByteArray read_idx(const std::string& path) {
  ByteStream stream(path);
  std::array<uint8_t, 4> magic{};
  if (read_all(stream, magic) < magic.size() || magic[0] != 0 || magic[1] != 0 || magic[3] < 1 ||
      magic[3] > 4)
    fail<FileError>(path, ": is no file of IDX (two zeros, the type, the number of axes)");
  constexpr uint8_t unsigned_byte = 8;
  if (magic[2] != unsigned_byte)
    fail<FileError>(path, ": holds values of IDX's type ", int{magic[2]}, "; unsigned bytes, 8, are read");
  ByteArray made;
  for (int axis = 0; axis < magic[3]; ++axis) {
    std::array<uint8_t, 4> number{};
    if (read_all(stream, number) < number.size()) fail<FileError>(path, ": ends early, among its axes");
    made.extents.push_back(int64_t{number[0]} << 24 | number[1] << 16 | number[2] << 8 | number[3]);
  }
  const int64_t wanted = product(made.extents, path);
  // Grows with what is there: the header may lie.
  while (std::ssize(made.bytes) < wanted) {
    const size_t before = made.bytes.size();
    made.bytes.resize(before +
                      static_cast<size_t>(std::min<int64_t>(wanted - std::ssize(made.bytes), 1 << 20)));
    const size_t some = read_all(stream, std::span(made.bytes).subspan(before));
    if (some < made.bytes.size() - before)
      fail<FileError>(path, ": ends early: has ", before + some, " of ", wanted, " values");
  }
  std::array<uint8_t, 1> more{};
  if (read_all(stream, more) > 0)
    fail<FileError>(path, ": has more than the ", wanted, " values that it says");
  return made;
}

std::shared_ptr<const PictureSource> open_picture_array(const std::string& path,
                                                        const PictureSourceOptions& options) {
  const std::string_view name = without_gz(path);
  std::vector<std::string> labels;
  ByteArray array;
  if (name.ends_with(".h5") || name.ends_with(".hdf5")) {
    const StateDict state = read_hdf5(path);
    const char* const which = state.contains("pictures") ? "pictures" : "images";
    if (!state.contains(which)) fail<FileError>(path, ": has no dataset 'pictures' or 'images'");
    array = bytes_of(state.array(which), str(path, ": ", which));
    if (state.contains("labels")) labels = labels_of(state.array("labels"));
  } else {
    array = name.ends_with(".npy") ? read_npy_bytes(path) : read_idx(path);
    const std::string beside = labels_beside(path);
    std::error_code error;
    if (options.labels.empty() && !beside.empty() && std::filesystem::exists(beside, error))
      labels = read_labels(beside);
  }
  if (!options.labels.empty()) labels = read_labels(options.labels);
  return std::make_shared<PictureArray>(path, std::move(array), std::move(labels), options.labelled);
}

}  // namespace weft
