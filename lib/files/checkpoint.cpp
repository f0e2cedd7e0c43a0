#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/lib/base/hash.h>
#include <weft/lib/base/values.h>
#include <weft/lib/files/checkpoint.h>
#include <weft/lib/machine/child_process.h>

#include <algorithm>
#include <memory>
#include <new>
#include <string_view>

namespace weft {
namespace {

constexpr std::string_view magic = "weft checkpoint\n";
constexpr size_t version_at = 16, length_at = 24, body_digest_at = 32, header_digest_at = 496;
constexpr const char* advice = "; use an older checkpoint or another copy of this one";

/// For a file that is ours, but not as it was written.
std::string changed(const std::string& path) {
  return str(
      ": it was changed since it was written, damaged or opened for writing by another program (h5py's mode "
      "'r' only reads); weft seal ",
      quoted(path), " checks what it holds and takes an edited file back", advice);
}

template <class T>
void put(std::span<uint8_t> header, size_t at, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) header[at + i] = static_cast<uint8_t>(value >> (8 * i));
}

template <class T>
T get(std::span<const uint8_t> header, size_t at) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) value |= static_cast<T>(static_cast<T>(header[at + i]) << (8 * i));
  return value;
}

void put_digest(std::span<uint8_t> header, size_t at, const Digest& digest) {
  std::copy(digest.begin(), digest.end(), header.begin() + static_cast<std::ptrdiff_t>(at));
}

bool has_digest(std::span<const uint8_t> header, size_t at, const Digest& digest) {
  return std::equal(digest.begin(), digest.end(), header.begin() + static_cast<std::ptrdiff_t>(at));
}

bool begins_with_magic(std::span<const uint8_t> image) {
  const size_t known = std::min(image.size(), magic.size());
  return std::equal(magic.begin(), magic.begin() + known, image.begin());
}

/// Whether only the magic is damaged: the header's digest is right once the magic is put back.
bool is_ours_but_for_magic(std::span<const uint8_t> image) {
  std::vector<uint8_t> header(image.begin(), image.begin() + header_digest_at);
  std::copy(magic.begin(), magic.end(), header.begin());
  return has_digest(image, header_digest_at, digest_of(header));
}

/// What the first bytes of a file (all, or at least those of the header) say against it.
void check_header(std::span<const uint8_t> head, const std::string& path) {
  if (head.empty()) fail<FileError>(path, ": is empty, not a checkpoint", advice);
  if (!begins_with_magic(head)) {
    if (head.size() >= checkpoint_header_bytes && is_ours_but_for_magic(head))
      fail<FileError>(path, ": is damaged: its first ", magic.size(), " bytes are not a checkpoint's",
                      advice);
    if (is_hdf5(head)) fail<FileError>(path, ": is an HDF5 file, but not a weft checkpoint");
    fail<FileError>(path, ": is not a weft checkpoint");
  }
  if (head.size() < checkpoint_header_bytes)
    fail<FileError>(path, ": is truncated: it holds ", head.size(), " bytes of at least ",
                    checkpoint_header_bytes, advice);
  if (!has_digest(head, header_digest_at, digest_of(head.first(header_digest_at))))
    fail<FileError>(path, ": is damaged: the digest of its first ", checkpoint_header_bytes,
                    " bytes is wrong", advice);
  const auto version = get<uint32_t>(head, version_at);
  if (version > checkpoint_format_version)
    fail<FileError>(path, ": has format version ", version, ", newer than ", checkpoint_format_version,
                    ", the newest this weft reads; update weft");
}

void check_length(std::span<const uint8_t> head, uint64_t size, const std::string& path) {
  const auto length = get<uint64_t>(head, length_at);
  if (size < length)
    fail<FileError>(path, ": is truncated: it holds ", size, " bytes of ", length, changed(path));
  if (size > length)
    fail<FileError>(path, ": is damaged: it holds ", size, " bytes, more than its ", length, changed(path));
}

std::vector<uint8_t> head_of(const InputFile& file) {
  std::vector<uint8_t> head(std::min<uint64_t>(file.size(), 4096));
  file.read(0, head);
  check_header(head, file.path());
  return head;
}

/// All of a file. Not a vector, which would write zeros first; not of the pool, which would keep the memory.
class Whole {
 public:
  explicit Whole(const InputFile& file) : size_(file.size()) {
    file.check_memory();
    bytes_ = std::make_unique_for_overwrite<uint8_t[]>(size_);
    file.read(0, {bytes_.get(), size_});
  }
  std::span<const uint8_t> bytes() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<uint8_t[]> bytes_;
  size_t size_;
};

}  // namespace

std::vector<uint8_t> checkpoint_image(const StateDict& state, const Hdf5Options& options) {
  std::vector<uint8_t> image = to_hdf5(state, checkpoint_header_bytes, options);
  const std::span header = std::span(image).first(checkpoint_header_bytes);
  std::copy(magic.begin(), magic.end(), header.begin());
  put<uint32_t>(header, version_at, checkpoint_format_version);
  put<uint64_t>(header, length_at, image.size());
  put_digest(header, body_digest_at, digest_of(std::span(image).subspan(checkpoint_header_bytes)));
  put_digest(header, header_digest_at, digest_of(header.first(header_digest_at)));
  return image;
}

void write_checkpoint_image(const std::string& path, std::span<const uint8_t> image) {
  write_file(path, image);
}

void write_checkpoint(const std::string& path, const StateDict& state, const Hdf5Options& options) {
  write_checkpoint_image(path, checkpoint_image(state, options));
}

void write_checkpoint_image(const HeldFolder& folder, const std::string& path,
                            std::span<const uint8_t> image) {
  write_file(folder, path, image);
}

void write_checkpoint(const HeldFolder& folder, const std::string& path, const StateDict& state) {
  write_checkpoint_image(folder, path, checkpoint_image(state));
}

StateDict read_checkpoint_image(std::span<const uint8_t> image, const std::string& path) {
  check_header(image, path);
  check_length(image, image.size(), path);
  if (!has_digest(image, body_digest_at, digest_of(image.subspan(checkpoint_header_bytes))))
    fail<FileError>(path, ": is damaged: its digest is wrong", changed(path));
  return from_own_hdf5(image, path, checkpoint_header_bytes);
}

StateDict read_checkpoint(const std::string& path) {
  const InputFile file(path);
  check_length(head_of(file), file.size(), path);
  return read_checkpoint_image(Whole(file).bytes(), path);
}

StateDict read_edited_checkpoint(const std::string& path) {
  const InputFile file(path);
  head_of(file);
  const ChildResult read = run_in_child([&] { return to_hdf5(from_hdf5(Whole(file).bytes(), path)); });
  if (read.died) fail<FileError>(path, ": is damaged: libhdf5 crashes when it reads it", advice);
  if (!read.error.empty()) fail<FileError>(read.error);
  return from_own_hdf5(read.bytes, path);
}

bool is_checkpoint(const std::string& path) {
  const InputFile file(path);
  std::vector<uint8_t> head(std::min<uint64_t>(file.size(), magic.size()));
  file.read(0, head);
  return head.size() == magic.size() && begins_with_magic(head);
}

}  // namespace weft
