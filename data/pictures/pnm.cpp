#include <weft/data/pictures/formats_internal.h>
#include <weft/lib/base/error.h>
#include <weft/lib/files/npy.h>

#include <algorithm>

namespace weft {
namespace {

using Bytes = std::span<const uint8_t>;

bool is_space(uint8_t c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/// Reads numbers in decimal digits, between which are spaces and comments.
class Netpbm {
 public:
  Netpbm(Bytes bytes, const std::string& path) : bytes_(bytes), path_(path), kind_(bytes[1] - '0') {
    width_ = number();
    height_ = number();
    most_ = holds_bits() ? 1 : number();
    if (most_ < 1 || most_ > 65535)
      fail<FileError>(path_, ": its highest value is ", most_, ", not 1 to 65535");
    if (!holds_text()) {
      if (at_ == bytes_.size() || !is_space(bytes_[at_])) refuse_end();
      ++at_;
    }
  }

  PictureShape shape() const { return {height_, width_, kind_ % 3 == 0 ? 3 : 1}; }

  Picture decode() {
    Picture made{shape(), {}};
    const int64_t rows = height_, values = width_ * made.shape.channels;
    check_length(rows, values);
    made.pixels.resize(static_cast<size_t>(rows * values));
    uint8_t* out = made.pixels.data();
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t i = 0; i < values; ++i) *out++ = value(i);
      if (kind_ == 4) at_ += static_cast<size_t>((values + 7) / 8);
    }
    return made;
  }

 private:
  bool holds_text() const { return kind_ <= 3; }
  bool holds_bits() const { return kind_ % 3 == 1; }

  [[noreturn]] void refuse_end() const {
    fail<FileError>(path_, ": ends early, after ", bytes_.size(), " bytes");
  }

  void skip() {
    while (at_ < bytes_.size() && (is_space(bytes_[at_]) || bytes_[at_] == '#')) {
      if (bytes_[at_] == '#')
        while (at_ < bytes_.size() && bytes_[at_] != '\n') ++at_;
      else
        ++at_;
    }
  }

  int64_t number() {
    skip();
    const size_t begin = at_;
    int64_t found = 0;
    for (; at_ < bytes_.size() && bytes_[at_] >= '0' && bytes_[at_] <= '9'; ++at_) {
      found = found * 10 + (bytes_[at_] - '0');
      if (found > INT32_MAX)
        fail<FileError>(path_, ": a number of more than ", INT32_MAX, " at byte ", begin);
    }
    if (at_ == begin && at_ == bytes_.size()) refuse_end();
    if (at_ == begin) fail<FileError>(path_, ": no number at byte ", begin);
    return found;
  }

  void check_length(int64_t rows, int64_t values) const {
    if (holds_text()) {  // a digit, and for numbers a space at least
      if (std::ssize(bytes_) / (kind_ == 1 ? 1 : 2) < rows * values - 1) refuse_end();
      return;
    }
    const int64_t row = kind_ == 4 ? (values + 7) / 8 : values * (most_ > 255 ? 2 : 1);
    if (static_cast<int64_t>(bytes_.size() - at_) < rows * row) refuse_end();
  }

  /// Value i of a row, in 8 bits.
  uint8_t value(int64_t i) {
    if (kind_ == 4) {  // a bit of 1 is black
      const uint8_t byte = bytes_[at_ + static_cast<size_t>(i / 8)];
      return (byte >> (7 - i % 8) & 1) != 0 ? 0 : 255;
    }
    if (kind_ == 1) {
      skip();
      if (at_ == bytes_.size()) refuse_end();
      const uint8_t digit = bytes_[at_++];
      if (digit != '0' && digit != '1') fail<FileError>(path_, ": neither 0 nor 1 at byte ", at_ - 1);
      return digit == '1' ? 0 : 255;
    }
    int64_t found = 0;
    if (holds_text())
      found = number();
    else
      for (int byte = most_ > 255 ? 2 : 1; byte > 0; --byte) found = found << 8 | bytes_[at_++];
    if (found > most_) fail<FileError>(path_, ": the value ", found, ", above its highest, ", most_);
    return static_cast<uint8_t>((found * 255 + most_ / 2) / most_);
  }

  Bytes bytes_;
  const std::string& path_;
  int kind_;
  size_t at_ = 2;
  int64_t width_ = 0, height_ = 0, most_ = 1;
};

PictureShape shape_of_npy(Bytes bytes, const std::string& path) {
  const NpyHeader header = read_npy_header(bytes, bytes.size(), path);
  const std::vector<int64_t>& extents = header.extents;
  const bool colours = extents.size() == 3 && (extents[2] == 1 || extents[2] == 3);
  if (header.type != "|u1" || (extents.size() != 2 && !colours))
    fail<FileError>(path,
                    ": is no picture: numpy.save(path, x.astype(numpy.uint8)) of (height, width), or with 3 "
                    "colours behind, makes one");
  return {extents[0], extents[1], colours ? extents[2] : 1};
}

}  // namespace

PictureFormat pnm_format() {
  return {.name = "pnm",
          .endings = {".ppm", ".pgm", ".pbm", ".pnm"},
          .is =
              [](Bytes bytes) {
                return bytes.size() > 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6' &&
                       (is_space(bytes[2]) || bytes[2] == '#');
              },
          .shape = [](Bytes bytes, const std::string& path) { return Netpbm(bytes, path).shape(); },
          .decode = [](Bytes bytes, const std::string& path) { return Netpbm(bytes, path).decode(); }};
}

PictureFormat npy_format() {
  return {.name = "npy",
          .endings = {".npy"},
          .is = is_npy,
          .shape = shape_of_npy,
          .decode = [](Bytes bytes, const std::string& path) {
            const PictureShape shape = shape_of_npy(bytes, path);
            const Bytes values = bytes.subspan(read_npy_header(bytes, bytes.size(), path).data);
            return Picture{shape, {values.begin(), values.end()}};
          }};
}

}  // namespace weft
