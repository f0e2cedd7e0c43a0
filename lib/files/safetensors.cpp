#include <weft/lib/base/bfloat16.h>
#include <weft/lib/base/float16.h>
#include <weft/lib/base/join.h>
#include <weft/lib/files/safetensors.h>
#include <weft/lib/files/safetensors_json_internal.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <filesystem>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace weft {
namespace {

using safetensors::shown;

static_assert(std::endian::native == std::endian::little, "values are copied as they lie in the file");

constexpr uint64_t length_bytes = 8;
constexpr uint64_t most_header_bytes = 100'000'000;

/// An element type of the format, and what it is read as: ours that holds each of its values exactly, to compute with.
struct Element {
  std::string_view name;
  uint64_t bytes;
  DType as;
};
/// Those that are ours too are written, in this order.
constexpr Element elements[] = {{"I64", 8, int64},   {"F64", 8, float64},  {"F32", 4, float32},
                                {"I32", 4, int32},   {"BF16", 2, float32}, {"BOOL", 1, boolean},
                                {"F16", 2, float32}, {"U32", 4, int64},    {"U16", 2, int32},
                                {"I16", 2, int32},   {"U8", 1, int32},     {"I8", 1, int32}};

const Element* find_element(std::string_view name) {
  const auto found = std::ranges::find(elements, name, &Element::name);
  return found == std::end(elements) ? nullptr : found;
}

const Element& element_of(DType dtype) {
  return dtype == bfloat16 ? *find_element("BF16") : *std::ranges::find(elements, dtype, &Element::as);
}

/// Reads values of From in pieces and converts each.
template <class From, class To, class Convert>
void read_as(const InputFile& file, uint64_t at, Array& to, Convert&& convert) {
  constexpr int64_t piece = 1 << 16;
  std::vector<From> from(static_cast<size_t>(std::min(piece, to.size())));
  To* const values = to.mutable_data<To>();
  for (int64_t begin = 0; begin < to.size(); begin += piece) {
    const std::span part(from.data(), static_cast<size_t>(std::min(piece, to.size() - begin)));
    file.read(at + static_cast<uint64_t>(begin) * sizeof(From),
              {reinterpret_cast<uint8_t*>(part.data()), part.size_bytes()});
    std::transform(part.begin(), part.end(), values + begin, convert);
  }
}

/// Everything that the header says of one tensor, alone.
SafetensorsFile::Entry checked(const safetensors::RawEntry& raw, uint64_t value_bytes,
                               const std::string& who) {
  const auto need = [&](bool there, const char* field) {
    if (!there) fail<FileError>(who, "has no ", field);
  };
  need(raw.dtype.has_value(), "dtype");
  need(raw.shape.has_value(), "shape");
  need(raw.data_offsets.has_value() && raw.data_offsets->size() == 2, "pair of data_offsets");
  const Element* element = find_element(*raw.dtype);
  if (element == nullptr)
    fail<FileError>(who, "weft reads no dtype ", shown(*raw.dtype),
                    ", but BOOL, I8, U8, I16, U16, I32, U32, I64, F16, BF16, F32 and F64");
  SafetensorsFile::Entry entry;
  entry.dtype = *raw.dtype;
  try {
    entry.shape = Shape(*raw.shape);
  } catch (const ShapeError& error) {
    fail<FileError>(who, error.what());
  }
  entry.begin = (*raw.data_offsets)[0];
  entry.end = (*raw.data_offsets)[1];
  if (entry.begin > entry.end)
    fail<FileError>(who, "begins at byte ", entry.begin, " and ends before it, at ", entry.end);
  if (entry.end > value_bytes)
    fail<FileError>(who, "ends at byte ", entry.end, ", past the end of the ", value_bytes,
                    " bytes of values");
  // A shape counts no more than an eighth of 2^63 elements, and an element has at most 8 bytes.
  const uint64_t bytes = static_cast<uint64_t>(entry.shape.size()) * element->bytes;
  if (entry.end - entry.begin != bytes)
    fail<FileError>(who, "has ", entry.end - entry.begin, " bytes, but ", entry.shape, " ", entry.dtype,
                    " takes ", bytes);
  return entry;
}

/// Together the tensors are all bytes, each once.
void check_tiling(const std::map<std::string, SafetensorsFile::Entry>& entries, uint64_t value_bytes,
                  const std::string& path) {
  using Named = std::pair<const std::string, SafetensorsFile::Entry>;
  std::vector<const Named*> order;
  for (const Named& named : entries) order.push_back(&named);
  std::ranges::sort(order, {}, [](const Named* n) { return std::pair(n->second.begin, n->second.end); });
  uint64_t end = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    const auto& [name, entry] = *order[i];
    if (entry.begin < end)
      fail<FileError>(path, ": tensor ", shown(name), " begins at byte ", entry.begin, " and overlaps ",
                      shown(order[i - 1]->first), ", which ends at ", end);
    if (entry.begin > end)
      fail<FileError>(path, ": a hole of ", entry.begin - end, " bytes lies before tensor ", shown(name));
    end = entry.end;
  }
  if (end != value_bytes)
    fail<FileError>(path, ": ", value_bytes - end, " bytes follow behind the last tensor");
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::string& path) : file_(path) {
  if (file_.size() < length_bytes)
    fail<FileError>(path, ": is no safetensors file: it holds ", file_.size(), " bytes, and ", length_bytes,
                    " tell the length of the header alone");
  uint64_t length = 0;
  file_.read(0, {reinterpret_cast<uint8_t*>(&length), length_bytes});
  if (length > most_header_bytes)
    fail<FileError>(path, ": is no safetensors file: its header would be ", length, " bytes long, ",
                    most_header_bytes, " are the most");
  if (length > file_.size() - length_bytes)
    fail<FileError>(path, ": is truncated, or no safetensors file: its header has ", length,
                    " bytes, and only ", file_.size() - length_bytes, " follow");
  std::string text(length, '\0');
  file_.read(length_bytes, {reinterpret_cast<uint8_t*>(text.data()), text.size()});
  safetensors::Header header = safetensors::parse_header(text, path);
  metadata_ = std::move(header.metadata);
  values_at_ = length_bytes + length;
  const uint64_t value_bytes = file_.size() - values_at_;
  for (const auto& [name, raw] : header.entries)
    entries_.emplace(name, checked(raw, value_bytes, str(path, ": tensor ", shown(name), ": ")));
  check_tiling(entries_, value_bytes, path);
}

Array SafetensorsFile::read(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) fail<FileError>(path(), ": holds no tensor ", shown(name));
  const Entry& entry = found->second;
  const std::string_view dtype = entry.dtype;
  Array array(entry.shape, find_element(dtype)->as);
  const uint64_t at = values_at_ + entry.begin;
  const auto widened = [](auto value) { return value; };
  if (dtype == "F16") {
    read_as<uint16_t, float>(file_, at, array, float_of_float16);
  } else if (dtype == "BF16") {
    read_as<uint16_t, float>(file_, at, array, float_of_bfloat16);
  } else if (dtype == "U32") {
    read_as<uint32_t, int64_t>(file_, at, array, widened);
  } else if (dtype == "U16") {
    read_as<uint16_t, int32_t>(file_, at, array, widened);
  } else if (dtype == "I16") {
    read_as<int16_t, int32_t>(file_, at, array, widened);
  } else if (dtype == "U8") {
    read_as<uint8_t, int32_t>(file_, at, array, widened);
  } else if (dtype == "I8") {
    read_as<int8_t, int32_t>(file_, at, array, widened);
  } else if (dtype == "BOOL") {
    read_as<uint8_t, bool>(file_, at, array, [&](uint8_t value) {
      if (value > 1) fail<FileError>(path(), ": tensor ", shown(name), ": holds the bool ", int{value});
      return value != 0;
    });
  } else {
    file_.read(at, {static_cast<uint8_t*>(array.mutable_bytes()), array.nbytes()});
  }
  return array;
}

std::map<std::string, Array> read_safetensors(const std::string& path) {
  const SafetensorsFile file(path);
  std::map<std::string, Array> tensors;
  for (const auto& [name, entry] : file.entries()) tensors.emplace(name, file.read(name));
  return tensors;
}

std::map<std::string, Array> read_safetensors_folder(const std::string& folder) {
  namespace fs = std::filesystem;
  const std::string whole = folder + "/model.safetensors", index = whole + ".index.json";
  std::error_code error;
  if (fs::exists(whole, error)) return read_safetensors(whole);
  if (!fs::exists(index, error))
    fail<FileError>(folder, ": holds neither model.safetensors nor model.safetensors.index.json");

  std::map<std::string, std::set<std::string>> wanted;  // of each file, its tensors
  const std::map<std::string, std::string> files =
      safetensors::parse_index(read_text(index, most_header_bytes), index);
  for (const auto& [name, file] : files) {
    if (file.empty() || file == "." || file == ".." ||
        file.find_first_of(std::string("/\\\0", 3)) != std::string::npos)
      fail<FileError>(index, ": gives tensor ", shown(name), " to ", shown(file),
                      ", which is no file of its folder");
    wanted[file].insert(name);
  }
  std::map<std::string, Array> tensors;
  for (const auto& [name, in_it] : wanted) {
    const SafetensorsFile shard(folder + "/" + name);
    for (const std::string& tensor : in_it) tensors.emplace(tensor, shard.read(tensor));
    for (const auto& [tensor, entry] : shard.entries())
      if (!in_it.contains(tensor))
        fail<FileError>(shard.path(), ": holds tensor ", shown(tensor),
                        ", which the index does not give to it");
  }
  return tensors;
}

void write_safetensors(const std::string& path, const std::map<std::string, Array>& tensors,
                       const std::map<std::string, std::string>& metadata) {
  using Named = std::pair<const std::string, Array>;
  std::vector<const Named*> order;
  for (const Named& named : tensors) {
    if (named.first == "__metadata__") fail<ValueError>("safetensors: no tensor can be named __metadata__");
    if (!named.second.defined())
      fail<ValueError>("safetensors: the array of ", shown(named.first), " was never given values");
    order.push_back(&named);
  }
  std::ranges::stable_sort(order, {}, [](const Named* named) { return &element_of(named->second.dtype()); });

  std::vector<std::string> entries;
  const auto pair = [](const auto& named) {
    return str(safetensors::quoted_json(named.first), ":", safetensors::quoted_json(named.second));
  };
  if (!metadata.empty()) entries.push_back(str("\"__metadata__\":{", joined(metadata, ",", pair), "}"));
  uint64_t end = 0;
  for (const Named* named : order) {
    const Array& array = named->second;
    const uint64_t begin = end;
    end += array.nbytes();
    entries.push_back(str(safetensors::quoted_json(named->first), ":{\"dtype\":\"",
                          element_of(array.dtype()).name, "\",\"shape\":[", joined(array.shape(), ","),
                          "],\"data_offsets\":[", begin, ",", end, "]}"));
  }
  std::string header = str("{", joined(entries, ","), "}");
  header.resize((header.size() + length_bytes - 1) / length_bytes * length_bytes, ' ');
  const uint64_t length = header.size();
  if (length > most_header_bytes)
    fail<ValueError>("safetensors: the names alone would take ", length, " bytes, ", most_header_bytes,
                     " are the most");

  AtomicFile file(path);
  file.write({reinterpret_cast<const uint8_t*>(&length), length_bytes});
  file.write(header);
  for (const Named* named : order)
    file.write({static_cast<const uint8_t*>(named->second.bytes()), named->second.nbytes()});
  file.commit();
}

}  // namespace weft
