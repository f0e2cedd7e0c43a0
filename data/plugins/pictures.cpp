// libweft-pictures.so: PNG and JPEG by libpng and libjpeg.
#include <png.h>
#include <weft/data/pictures/pictures_plugin_internal.h>

#include <csetjmp>
#include <cstring>

// libjpeg's headers need what comes before them.
// clang-format off
#include <cstdio>
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

// Both libraries leave by longjmp: between setjmp and the end there are no objects with destructors.
namespace {

struct PngReader {
  const weft_picture_request* request;
  size_t at;
  char error[256];
};

void png_bytes(png_structp png, png_bytep out, png_size_t count) {
  auto* const reader = static_cast<PngReader*>(png_get_io_ptr(png));
  if (count > reader->request->size - reader->at) png_error(png, "ends early");
  std::memcpy(out, reader->request->bytes + reader->at, count);
  reader->at += count;
}

[[noreturn]] void png_failed(png_structp png, png_const_charp text) {
  auto* const reader = static_cast<PngReader*>(png_get_error_ptr(png));
  std::snprintf(reader->error, sizeof reader->error, "%s", text);
  png_longjmp(png, 1);
}

void png_warned(png_structp, png_const_charp) {}

/// Whether it was read; the error lies in the reader.
bool read_png(PngReader& reader, png_structp png, png_infop info) {
  if (setjmp(png_jmpbuf(png)) != 0) return false;
  png_set_read_fn(png, &reader, png_bytes);
  png_set_user_limits(png, 1 << 20, 1 << 20);
  png_set_chunk_malloc_max(png, 1 << 23);
  png_read_info(png, info);
  // Any kind of pixels as 8 bits of grey or colour, with opacity where there is some.
  png_set_expand(png);
  png_set_scale_16(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, info);
  const size_t height = png_get_image_height(png, info), width = png_get_image_width(png, info),
               channels = png_get_channels(png, info);
  unsigned char* const pixels = reader.request->start(reader.request->self, height, width, channels);
  if (pixels == nullptr) return true;
  if (png_get_rowbytes(png, info) != width * channels) png_error(png, "rows of an unexpected length");
  const int passes =
      png_get_interlace_type(png, info) == PNG_INTERLACE_ADAM7 ? PNG_INTERLACE_ADAM7_PASSES : 1;
  for (int pass = 0; pass < passes; ++pass)
    for (size_t row = 0; row < height; ++row) png_read_row(png, pixels + row * width * channels, nullptr);
  png_read_end(png, nullptr);
  return true;
}

struct JpegErrors {
  jpeg_error_mgr manager;  // first: libjpeg knows this part alone
  jmp_buf out;
  char error[JMSG_LENGTH_MAX];
};

void jpeg_failed(j_common_ptr common) {
  auto* const errors = reinterpret_cast<JpegErrors*>(common->err);
  errors->manager.format_message(common, errors->error);
  longjmp(errors->out, 1);
}

/// What libjpeg would go on from with made-up pixels is an error; what only surprises it is none.
void jpeg_said(j_common_ptr common, int level) {
  if (level >= 0) return;
  const int code = common->err->msg_code;
  if (code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR) return;
  jpeg_failed(common);
}

bool read_jpeg(const weft_picture_request& request, jpeg_decompress_struct& jpeg, JpegErrors& errors) {
  if (setjmp(errors.out) != 0) return false;
  jpeg_create_decompress(&jpeg);
  jpeg_mem_src(&jpeg, request.bytes, request.size);
  jpeg_read_header(&jpeg, TRUE);
  if (jpeg.num_components != 1 && jpeg.num_components != 3) {
    std::snprintf(errors.error, sizeof errors.error, "has %d inks (CMYK); only grey and colour are read",
                  jpeg.num_components);
    return false;
  }
  jpeg.out_color_space = jpeg.num_components == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg.dct_method = JDCT_ISLOW;  // the exact one
  jpeg_start_decompress(&jpeg);
  const size_t width = jpeg.output_width, channels = jpeg.output_components;
  unsigned char* const pixels = request.start(request.self, jpeg.output_height, width, channels);
  if (pixels == nullptr) return true;
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW row = pixels + jpeg.output_scanline * width * channels;
    jpeg_read_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_decompress(&jpeg);
  return true;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) void weft_png_decode_1(
    const weft_picture_request* request) {
  PngReader reader{request, 0, "out of memory"};
  png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, png_failed, png_warned);
  png_infop info = png != nullptr ? png_create_info_struct(png) : nullptr;
  const bool done = info != nullptr && read_png(reader, png, info);
  png_destroy_read_struct(&png, &info, nullptr);
  if (!done) request->take_error(request->self, reader.error);
}

extern "C" __attribute__((visibility("default"))) void weft_jpeg_decode_1(
    const weft_picture_request* request) {
  jpeg_decompress_struct jpeg{};
  JpegErrors errors{};
  jpeg.err = jpeg_std_error(&errors.manager);
  errors.manager.error_exit = jpeg_failed;
  errors.manager.emit_message = jpeg_said;
  const bool done = read_jpeg(*request, jpeg, errors);
  jpeg_destroy_decompress(&jpeg);
  if (!done) request->take_error(request->self, errors.error);
}
