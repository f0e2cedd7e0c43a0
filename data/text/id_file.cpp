#include <weft/data/text/data_files.h>
#include <weft/data/text/id_file.h>
#include <weft/lib/array/state_dict.h>
#include <weft/lib/base/error.h>
#include <weft/lib/files/hdf5_file.h>
#include <weft/lib/files/npy.h>

#include <algorithm>
#include <array>

namespace weft {
namespace {

constexpr size_t bin_header_bytes = 4 * llmc_header_numbers;

uint32_t number_at(std::span<const uint8_t> bytes, size_t place) {
  uint32_t number = 0;
  for (size_t i = 4; i-- > 0;) number = number << 8 | bytes[4 * place + i];
  return number;
}

std::shared_ptr<const Tokens> hdf5_ids(const std::string& path) {
  const StateDict state = read_hdf5(path);
  const Array* found = nullptr;
  for (const auto& [name, value] : state.entries())
    if (name == "ids" || state.entries().size() == 1) found = std::get_if<Array>(&value);
  if (!found || found->rank() != 1 || (found->dtype() != int32 && found->dtype() != int64))
    fail<FileError>(path, ": needs one dataset of int32 or int64 and one axis, or one that is called ids");
  const Array wide = found->to(int64);
  return std::make_shared<MemoryTokens>(wide.values<int64_t>());
}

}  // namespace

IdFile::IdFile(std::string path) : file_(std::move(path)) {
  std::array<uint8_t, 8> begin{};
  if (file_.size() >= begin.size()) file_.read(0, begin);
  if (is_npy(begin))
    read_npy_header();
  else
    read_bin_header();
}

void IdFile::read_bin_header() {
  const std::string& path = file_.path();
  const uint64_t bytes = file_.size();
  std::array<uint8_t, 12> header{};
  if (bytes >= bin_header_bytes) {
    file_.read(0, header);
    const uint32_t magic = number_at(header, 0), version = number_at(header, 1), count = number_at(header, 2);
    if (const auto* const made = std::ranges::find(llmc_files, magic, &LlmcFile::magic);
        made != std::end(llmc_files)) {
      if (version != made->version)
        fail<FileError>(path, ": is of llm.c's version ", version, "; weft knows ", made->version);
      width_ = made->width;
      begin_ = bin_header_bytes;
      if (bytes - begin_ != static_cast<uint64_t>(width_) * count)
        fail<FileError>(path, ": says it has ", count, " ids, but holds ", bytes - begin_, " bytes of ",
                        width_, " each");
    }
  }
  const uint64_t left = bytes - begin_;
  if (left % static_cast<uint64_t>(width_) != 0)
    fail<FileError>(path, ": has ", bytes, " bytes, not a whole number of ids of ", width_);
  count_ = static_cast<int64_t>(left) / width_;
}

void IdFile::read_npy_header() {
  std::vector<uint8_t> beginning(std::min(file_.size(), npy_header_bytes));
  file_.read(0, beginning);
  const NpyHeader header = weft::read_npy_header(beginning, file_.size(), file_.path());
  constexpr std::array<std::pair<std::string_view, int>, 6> types = {
      {{"|u1", 1}, {"<u2", 2}, {"<u4", 4}, {"<i4", 4}, {"<i8", 8}, {"<u8", 8}}};
  const auto* const type = std::ranges::find(types, header.type, &std::pair<std::string_view, int>::first);
  if (type == types.end() || header.extents.size() != 1)
    fail<FileError>(file_.path(),
                    ": holds no ids: numpy.save(path, ids.astype(numpy.uint32)) writes such of one axis");
  width_ = type->second;
  begin_ = header.data;
  count_ = header.extents[0];
}

void IdFile::fetch(int64_t begin, std::span<int64_t> out) const {
  std::string bytes(out.size() * static_cast<size_t>(width_), '\0');
  file_.read(begin_ + static_cast<uint64_t>(begin * width_),
             {reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()});
  unpack_ids(bytes.data(), width_, out);
}

JoinedTokens::JoinedTokens(std::vector<std::shared_ptr<const Tokens>> parts) : parts_(std::move(parts)) {
  for (const auto& part : parts_) ends_.push_back(size() + part->size());
}

void JoinedTokens::fetch(int64_t begin, std::span<int64_t> out) const {
  auto part = static_cast<size_t>(std::ranges::upper_bound(ends_, begin) - ends_.begin());
  for (size_t done = 0; done < out.size(); ++part) {
    const int64_t from = begin + static_cast<int64_t>(done) - (part == 0 ? 0 : ends_[part - 1]);
    const auto count = std::min(out.size() - done, static_cast<size_t>(parts_[part]->size() - from));
    if (count > 0) parts_[part]->read(from, out.subspan(done, count));
    done += count;
  }
}

ReadyIds read_ids(const std::vector<std::string>& paths) {
  ReadyIds all;
  std::vector<std::shared_ptr<const Tokens>> parts;
  Hasher hasher;
  std::vector<int64_t> ids;
  std::string packed;
  for (const std::string& path : data_files(paths)) {
    const bool hdf5 = path.ends_with(".h5") || path.ends_with(".hdf5");
    if (!hdf5 && !path.ends_with(".bin") && !path.ends_with(".npy"))
      fail<FileError>(path, ": format=ids reads token ids from .bin (nanoGPT, llm.c), .npy and .h5");
    parts.push_back(hdf5 ? hdf5_ids(path) : std::make_shared<IdFile>(path));
    const Tokens& part = *parts.back();
    for (int64_t at = 0; at < part.size(); at += std::ssize(ids)) {
      ids.resize(static_cast<size_t>(std::min<int64_t>(1 << 16, part.size() - at)));
      part.read(at, ids);
      for (size_t i = 0; i < ids.size(); ++i)
        if (ids[i] < 0 || ids[i] > INT32_MAX)
          fail<FileError>(path, ": id ", at + static_cast<int64_t>(i), " is ", ids[i],
                          ", no number of a token");
      all.largest = std::max(all.largest, *std::ranges::max_element(ids));
      packed.clear();
      pack_ids(ids, 4, packed);
      hasher.update(packed);
    }
  }
  all.ids = parts.size() == 1 ? parts[0] : std::make_shared<JoinedTokens>(std::move(parts));
  if (all.ids->size() == 0) fail<FileError>(paths.at(0), ": holds no ids");
  all.content_hash = to_hex(hasher.digest());
  return all;
}

}  // namespace weft
