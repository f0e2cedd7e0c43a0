// libweft-sounds.so: sounds by libsndfile and libsamplerate.
#include <samplerate.h>
#include <sndfile.h>
#include <weft/data/sounds/sounds_plugin_internal.h>

#include <algorithm>
#include <cstring>

namespace {

/// A file in memory.
struct Bytes {
  const unsigned char* begin;
  sf_count_t size, at;
};

sf_count_t length(void* user) { return static_cast<Bytes*>(user)->size; }

sf_count_t seek(sf_count_t offset, int whence, void* user) {
  auto& bytes = *static_cast<Bytes*>(user);
  const sf_count_t from = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? bytes.at : bytes.size;
  if (offset < -from || offset > bytes.size - from) return -1;
  return bytes.at = from + offset;
}

sf_count_t read(void* to, sf_count_t count, void* user) {
  auto& bytes = *static_cast<Bytes*>(user);
  const sf_count_t some = std::clamp<sf_count_t>(count, 0, bytes.size - bytes.at);
  std::memcpy(to, bytes.begin + bytes.at, static_cast<size_t>(some));
  bytes.at += some;
  return some;
}

sf_count_t write(const void*, sf_count_t, void*) { return 0; }
sf_count_t tell(void* user) { return static_cast<Bytes*>(user)->at; }

}  // namespace

extern "C" __attribute__((visibility("default"))) void weft_sound_decode_1(
    const weft_sound_request* request) {
  Bytes bytes{request->bytes, static_cast<sf_count_t>(request->size), 0};
  SF_VIRTUAL_IO io{length, seek, read, write, tell};
  SF_INFO info{};
  SNDFILE* const file = sf_open_virtual(&io, SFM_READ, &info, &bytes);
  if (file == nullptr) {
    request->take_error(request->self, sf_strerror(nullptr));
    return;
  }
  if (float* const samples = request->start(request->self, info.samplerate, info.channels, info.frames)) {
    const sf_count_t frames = sf_readf_float(file, samples, info.frames);
    if (sf_error(file) != SF_ERR_NO_ERROR)
      request->take_error(request->self, sf_strerror(file));
    else
      request->finish(request->self, frames);
  }
  sf_close(file);
}

extern "C" __attribute__((visibility("default"))) int64_t weft_sound_resample_1(const float* from,
                                                                                int64_t size, double ratio,
                                                                                float* to, int64_t most) {
  SRC_DATA data{};
  data.data_in = from;
  data.input_frames = static_cast<long>(size);
  data.data_out = to;
  data.output_frames = static_cast<long>(most);
  data.src_ratio = ratio;
  return src_simple(&data, SRC_SINC_MEDIUM_QUALITY, 1) == 0 ? data.output_frames_gen : -1;
}
