#include <weft/data/text/byte_stream.h>
#include <weft/data/text/foreign_file.h>
#include <weft/lib/base/error.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <vector>

namespace weft {

class ByteStream::Decoder {
 public:
  virtual ~Decoder() = default;
  /// Decodes from `in` into `out`; both shrink by what was used.
  virtual void decode(std::span<const uint8_t>& in, std::span<uint8_t>& out) = 0;
  /// Whether the last stream has come to its end.
  virtual bool at_end() const = 0;

  std::vector<uint8_t> buffer = std::vector<uint8_t>(1 << 16);
  std::span<const uint8_t> input = {};
};

namespace {

class GzipDecoder : public ByteStream::Decoder {
 public:
  explicit GzipDecoder(std::string path) : path_(std::move(path)) {
    constexpr int gzip_only = 16;
    if (::inflateInit2(&stream_, gzip_only + MAX_WBITS) != Z_OK)
      fail<MemoryError>(path_, ": no memory to decompress it");
  }
  ~GzipDecoder() override { ::inflateEnd(&stream_); }

  void decode(std::span<const uint8_t>& in, std::span<uint8_t>& out) override {
    // A file may hold several streams, one behind the other.
    if (at_end_) ::inflateReset(&stream_);
    stream_.next_in = const_cast<Bytef*>(in.data());
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = out.data();
    stream_.avail_out = static_cast<uInt>(std::min<size_t>(out.size(), size_t{1} << 30));
    const uInt room = stream_.avail_out;
    const int result = ::inflate(&stream_, Z_NO_FLUSH);
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
      fail<FileError>(path_, ": is no gzip file, or damaged: ",
                      stream_.msg != nullptr ? stream_.msg : "it cannot be decompressed");
    in = in.last(stream_.avail_in);
    out = out.subspan(room - stream_.avail_out);
    at_end_ = result == Z_STREAM_END;
  }
  bool at_end() const override { return at_end_; }

 private:
  std::string path_;
  z_stream stream_{};
  bool at_end_ = false;
};

class ZstdDecoder : public ByteStream::Decoder {
 public:
  explicit ZstdDecoder(std::string path) : path_(std::move(path)), stream_(::ZSTD_createDStream()) {
    if (stream_ == nullptr) fail<MemoryError>(path_, ": no memory to decompress it");
  }
  ~ZstdDecoder() override { ::ZSTD_freeDStream(stream_); }

  void decode(std::span<const uint8_t>& in, std::span<uint8_t>& out) override {
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    const size_t left = ::ZSTD_decompressStream(stream_, &to, &from);
    if (::ZSTD_isError(left))
      fail<FileError>(path_, ": is no zstd file, or damaged: ", ::ZSTD_getErrorName(left));
    in = in.subspan(from.pos);
    out = out.subspan(to.pos);
    at_end_ = left == 0;
  }
  bool at_end() const override { return at_end_; }

 private:
  std::string path_;
  ZSTD_DStream* stream_;
  bool at_end_ = false;
};

}  // namespace

ByteStream::ByteStream(const std::string& path) : file_(path) {
  std::string head(std::min<size_t>(file_.size(), 4), '\0');
  file_.read(0, {reinterpret_cast<uint8_t*>(head.data()), head.size()});
  if (path.ends_with(".gz") && head.starts_with("\x1f\x8b")) decoder_ = std::make_unique<GzipDecoder>(path);
  if (path.ends_with(".zst") && head.starts_with("\x28\xb5\x2f\xfd"))
    decoder_ = std::make_unique<ZstdDecoder>(path);
  beginning_.resize(foreign_file_bytes);
  beginning_.resize(read_more({reinterpret_cast<uint8_t*>(beginning_.data()), beginning_.size()}));
}

ByteStream::~ByteStream() = default;
ByteStream::ByteStream(ByteStream&&) noexcept = default;
ByteStream& ByteStream::operator=(ByteStream&&) noexcept = default;

bool ByteStream::is_compressed() const { return decoder_ != nullptr; }

size_t ByteStream::read(std::span<uint8_t> out) {
  const size_t first = std::min(out.size(), beginning_.size() - begun_);
  std::copy_n(beginning_.begin() + static_cast<std::ptrdiff_t>(begun_), first, out.begin());
  begun_ += first;
  return first + read_more(out.subspan(first));
}

size_t ByteStream::read_file(std::span<uint8_t> out) {
  const auto left = static_cast<size_t>(static_cast<int64_t>(file_.size()) - at_);
  out = out.first(std::min(out.size(), left));
  file_.read(static_cast<uint64_t>(at_), out);
  at_ += static_cast<int64_t>(out.size());
  return out.size();
}

size_t ByteStream::read_more(std::span<uint8_t> out) {
  if (!decoder_) return read_file(out);
  const size_t wanted = out.size();
  while (!out.empty()) {
    if (decoder_->input.empty()) {
      const size_t got = read_file(decoder_->buffer);
      decoder_->input = std::span(decoder_->buffer).first(got);
      if (got == 0 && decoder_->at_end()) break;
      if (got == 0)
        fail<FileError>(file_.path(), ": ends at byte ", at_,
                        ", in the middle of what is compressed; get it whole");
    }
    const size_t before = decoder_->input.size(), room = out.size();
    decoder_->decode(decoder_->input, out);
    if (decoder_->input.size() == before && out.size() == room && !decoder_->at_end())
      fail<FileError>(file_.path(), ": is damaged: it cannot be decompressed from byte ",
                      at_ - static_cast<int64_t>(before), " on");
  }
  return wanted - out.size();
}

}  // namespace weft
