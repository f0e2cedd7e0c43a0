#include <weft/data/labelled_files.h>
#include <weft/data/pictures/formats_internal.h>
#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/values.h>

#include <algorithm>

namespace weft {
namespace {

void add_ours(Registry<PictureFormat>& to) {
  to.add(png_format());
  to.add(jpeg_format());
  to.add(pnm_format());
  to.add(npy_format());
}

const PictureFormat& format_of(std::span<const uint8_t> bytes, const std::string& path) {
  std::vector<std::string> names;
  for (const PictureFormat* const format : picture_formats().entries()) {
    if (format->is(bytes)) return *format;
    names.push_back(format->name);
  }
  if (bytes.empty()) fail<FileError>(path, ": is empty");
  fail<FileError>(path, ": is no picture that is known; these are: ", joined(names));
}

}  // namespace

Registry<PictureFormat>& picture_formats() {
  static Registry<PictureFormat> all("picture format");
  static const bool filled = (add_ours(all), true);
  static_cast<void>(filled);
  return all;
}

void register_picture_format(PictureFormat format) { picture_formats().add(std::move(format)); }

bool is_picture_name(std::string_view path) {
  return std::ranges::any_of(picture_formats().entries(),
                             [&](const PictureFormat* format) { return ends_as(path, format->endings); });
}

void check_pixels(int64_t height, int64_t width, const std::string& path) {
  if (height < 1 || width < 1) fail<FileError>(path, ": has no pixels: ", height, " x ", width);
  if (height > most_pixels / width)
    fail<FileError>(path, ": says it has ", grouped(height), " x ", grouped(width), " pixels, more than the ",
                    grouped(most_pixels), " that a picture may have");
}

Picture decode_picture(std::span<const uint8_t> bytes, const std::string& path) {
  const PictureFormat& format = format_of(bytes, path);
  // Refused before there is memory for it.
  const PictureShape shape = format.shape(bytes, path);
  check_pixels(shape.height, shape.width, path);
  return format.decode(bytes, path);
}

PictureShape picture_shape(std::span<const uint8_t> bytes, const std::string& path) {
  const PictureShape shape = format_of(bytes, path).shape(bytes, path);
  check_pixels(shape.height, shape.width, path);
  return shape;
}

Picture read_picture(const std::string& path) { return decode_picture(read_file(path), path); }

}  // namespace weft
