#include <weft/lib/base/error.h>
#include <weft/lib/base/file.h>
#include <weft/lib/files/npy.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

namespace weft {

namespace {

constexpr std::string_view npy_magic("\x93NUMPY", 6);
/// NumPy's own limit on headers that it reads.
constexpr uint64_t longest_header = 10000;

constexpr std::array<std::pair<std::string_view, DType>, 5> types = {
    {{"<f4", float32}, {"<f8", float64}, {"<i4", int32}, {"<i8", int64}, {"|b1", boolean}}};

/// Reads the header: a Python literal of one dictionary with three known keys.
class Header {
 public:
  Header(const std::string& path, std::string_view text) : path_(path), rest_(text) {
    expect('{');
    bool seen[3] = {false, false, false};
    while (!take('}')) {
      const std::string_view key = quoted();
      expect(':');
      const size_t which = key == "descr" ? 0 : key == "fortran_order" ? 1 : key == "shape" ? 2 : 3;
      if (which == 3 || std::exchange(seen[which], true)) refuse();
      if (which == 0) read_type();
      if (which == 1) read_order();
      if (which == 2) read_shape();
      if (!take(',')) {
        expect('}');
        break;
      }
    }
    skip();
    if (!rest_.empty() || !seen[0] || !seen[1] || !seen[2]) refuse();
  }

  std::string type;
  std::vector<int64_t> extents;

 private:
  [[noreturn]] void refuse() const { fail<FileError>(path_, ": is damaged: its header is none of NumPy's"); }
  void skip() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n')) rest_.remove_prefix(1);
  }
  bool take(char c) {
    skip();
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!take(c)) refuse();
  }
  bool take_word(std::string_view word) {
    skip();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  std::string_view quoted() {
    expect('\'');
    const size_t end = rest_.find('\'');
    if (end == std::string_view::npos) refuse();
    const std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return text;
  }
  void read_type() {
    skip();
    if (!rest_.starts_with('\'')) fail<FileError>(path_, ": holds records; give a plain array");
    type = quoted();
  }
  void read_order() {
    if (take_word("False")) return;
    if (!take_word("True")) refuse();
    fail<FileError>(path_,
                    ": is in Fortran order; numpy.save(path, numpy.ascontiguousarray(x)) makes it readable");
  }
  void read_shape() {
    expect('(');
    while (!take(')')) {
      skip();
      int64_t extent = 0;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), extent);
      if (error != std::errc() || extent < 0) refuse();
      rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
      extents.push_back(extent);
      if (!take(',')) {
        expect(')');
        break;
      }
    }
  }

  const std::string& path_;
  std::string_view rest_;
};

uint64_t little_endian(std::span<const uint8_t> bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | bytes[i];
  return value;
}

/// Bytes of an array; more than any file has when they, or those of a part of it, cannot be counted.
uint64_t bytes_of(const std::vector<int64_t>& extents, uint64_t element) {
  uint64_t bytes = element;
  bool empty = false;
  for (const int64_t extent : extents) {
    empty = empty || extent == 0;
    const auto times = static_cast<uint64_t>(std::max<int64_t>(extent, 1));
    if (bytes > static_cast<uint64_t>(INT64_MAX) / times) return UINT64_MAX;
    bytes *= times;
  }
  return empty ? 0 : bytes;
}

/// Of "<f4" 4; 0 for what is no number of 1 to 8 bytes.
uint64_t element_of(const std::string& type) {
  if (type.size() != 3 || type.find_first_of("fiub", 1) != 1 || type[2] < '1' || type[2] > '8') return 0;
  return static_cast<uint64_t>(type[2] - '0');
}

}  // namespace

bool is_npy(std::span<const uint8_t> bytes) {
  return bytes.size() >= npy_magic.size() &&
         std::memcmp(bytes.data(), npy_magic.data(), npy_magic.size()) == 0;
}

NpyHeader read_npy_header(std::span<const uint8_t> beginning, uint64_t size, const std::string& path) {
  if (!is_npy(beginning))
    fail<FileError>(path, ": is not an array of NumPy (.npy); numpy.save(path, x) makes one");
  constexpr size_t start = 8;
  if (beginning.size() < start) fail<FileError>(path, ": is damaged: only ", size, " bytes long");
  const uint8_t version = beginning[6];
  if (version < 1 || version > 3)
    fail<FileError>(path, ": is of version ", int{version}, " of NumPy's format; 1, 2 and 3 are known");
  const size_t width = version == 1 ? 2 : 4;
  if (beginning.size() < start + width) fail<FileError>(path, ": is damaged: only ", size, " bytes long");
  const uint64_t header_bytes = little_endian(beginning.subspan(start, width)),
                 data = start + width + header_bytes;
  if (header_bytes > longest_header || data > beginning.size())
    fail<FileError>(path, ": is damaged: its header would have ", header_bytes, " bytes");
  const std::span text = beginning.subspan(start + width, header_bytes);
  const Header header(path, {reinterpret_cast<const char*>(text.data()), text.size()});
  const uint64_t element = element_of(header.type);
  if (const uint64_t wanted = bytes_of(header.extents, element); element > 0 && wanted != size - data)
    fail<FileError>(path, ": is damaged: has ", size - data, " bytes of values, not ", wanted);
  return {header.type, header.extents, data};
}

Array read_npy(const std::string& path) {
  const InputFile file(path);
  std::vector<uint8_t> beginning(std::min(file.size(), npy_header_bytes));
  file.read(0, beginning);
  const NpyHeader header = read_npy_header(beginning, file.size(), path);
  const auto type = std::ranges::find(types, header.type, &std::pair<std::string_view, DType>::first);
  if (type == types.end())
    fail<FileError>(path, ": holds '", header.type, "'; numpy.save(path, x.astype('<f4')) makes it readable");
  if (header.extents.size() > static_cast<size_t>(Shape::max_rank))
    fail<FileError>(path, ": has ", header.extents.size(), " axes; at most ", Shape::max_rank, " are read");
  Array array(Shape(header.extents), type->second);
  file.read(header.data, {static_cast<uint8_t*>(array.mutable_bytes()), array.nbytes()});
  if (type->second == boolean)  // any other byte than 0 and 1 would be no bool at all
    for (int64_t i = 0; i < array.size(); ++i)
      if (static_cast<const uint8_t*>(array.bytes())[i] > 1)
        fail<FileError>(path, ": is damaged: value ", i, " is neither true nor false");
  return array;
}

void write_npy(const std::string& path, const Array& array) {
  const auto type = std::ranges::find(types, array.dtype(), &std::pair<std::string_view, DType>::second);
  std::string shape = "(";
  for (const int64_t extent : array.shape()) shape += str(extent, ", ");
  std::string header = str("{'descr': '", type->first, "', 'fortran_order': False, 'shape': ", shape, "), }");
  // Values begin at a multiple of 64 bytes.
  const size_t before = npy_magic.size() + 4;
  header.resize((before + header.size() + 1 + 63) / 64 * 64 - before - 1, ' ');
  header += '\n';
  AtomicFile file(path);
  file.write(npy_magic);
  const uint8_t version_and_length[] = {1, 0, static_cast<uint8_t>(header.size() & 0xff),
                                        static_cast<uint8_t>(header.size() >> 8)};
  file.write(version_and_length);
  file.write(header);
  file.write({static_cast<const uint8_t*>(array.bytes()), array.nbytes()});
  file.commit();
}

}  // namespace weft
